//! Tables and small charts for a terminal, as plain text.
//!
//! Charts say something, they decide nothing: their numbers are rounded for the eye, and no file
//! that is compared holds one. Nothing here looks at the environment; who prints decides about
//! colour with [`wants_colour`].

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{CellAlignment, ContentArrangement, Table};
use samescore_core::math::{self, ExactSum};

/// Tables are no wider; longer cells are wrapped.
const WIDTH: u16 = 100;
/// Eighths of a character cell, for bars.
const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Heights of a character cell, for strips.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Whether to colour what goes to a terminal (or not one): `NO_COLOR` and `TERM=dumb` say no,
/// `CLICOLOR_FORCE` says yes, else a terminal does. `env` looks a variable up.
pub fn wants_colour(is_terminal: bool, env: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    if is_set("NO_COLOR") {
        return false;
    }
    if is_set("CLICOLOR_FORCE") && env("CLICOLOR_FORCE").as_deref() != Some("0") {
        return true;
    }
    is_terminal && env("TERM").as_deref() != Some("dumb")
}

/// A table with a header, at most 100 characters wide. Cells that are numbers stand to the right.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.force_no_tty().set_width(WIDTH).set_header(header.to_vec());
    rows.iter().for_each(|row| {
        table.add_row(row.clone());
    });
    for (place, column) in table.column_iter_mut().enumerate() {
        let is_number = |row: &Vec<String>| row.get(place).is_none_or(|cell| is_numeric(cell));
        if !rows.is_empty() && rows.iter().all(is_number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n")
}

/// Names and values without lines, aligned.
pub fn pairs(pairs: &[(&str, String)]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.force_no_tty();
    pairs.iter().for_each(|(name, value)| {
        table.add_row(vec![(*name).to_owned(), value.clone()]);
    });
    let text: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n", text.join("\n"))
}

fn is_numeric(cell: &str) -> bool {
    cell.is_empty() || cell == "-" || cell.parse::<f64>().is_ok()
}

/// One bar per label, the longest `width` characters wide. Values below 0 and missing ones have no
/// bar.
pub fn bars(items: &[(String, f64)], width: usize) -> String {
    let largest = items.iter().map(|(_, x)| *x).filter(|x| x.is_finite()).fold(0.0, math::max);
    let label_width = items.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
    let line = |(label, x): &(String, f64)| {
        let share = if largest > 0.0 && *x > 0.0 { x / largest } else { 0.0 };
        let bar = bar(share, width);
        let pad = " ".repeat(label_width - label.chars().count());
        format!("{label}{pad} {bar:<width$} {}\n", short(*x))
    };
    items.iter().map(line).collect()
}

fn bar(share: f64, width: usize) -> String {
    let eighths = (share * (width * 8) as f64).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    bar
}

/// The distribution of finite values over `n_bins` bins of equal width, one bar each.
pub fn histogram(values: &[f64], n_bins: usize, width: usize) -> String {
    let finite = || values.iter().copied().filter(|x| x.is_finite());
    let low = finite().fold(f64::INFINITY, math::min);
    let high = finite().fold(f64::NEG_INFINITY, math::max);
    if finite().next().is_none() || n_bins == 0 {
        return "no finite value\n".to_owned();
    }
    let step = (high - low) / n_bins as f64;
    let mut counts = vec![0u64; n_bins];
    for x in finite() {
        let bin = if step > 0.0 { ((x - low) / step) as usize } else { 0 };
        counts[bin.min(n_bins - 1)] += 1;
    }
    let label = |bin: usize| format!("{:>10}", short(low + step * bin as f64));
    let items: Vec<(String, f64)> =
        counts.iter().enumerate().map(|(bin, &n)| (label(bin), n as f64)).collect();
    bars(&items, width)
}

/// How often the positive class came true in each tenth of the scores, beside the mean score there.
pub fn calibration(truth: &[f64], scores: &[f64], width: usize) -> String {
    let mut tenths = vec![(0u64, ExactSum::new(), ExactSum::new()); 10];
    for (&y, &p) in truth.iter().zip(scores) {
        let tenth = &mut tenths[((p * 10.0) as usize).min(9)];
        tenth.0 += 1;
        tenth.1.add(y);
        tenth.2.add(p);
    }
    let mut text = String::from("score      rows  mean score  came true\n");
    for (place, (n, hits, total)) in tenths.into_iter().enumerate().filter(|(_, t)| t.0 > 0) {
        let (rate, mean) = (math::mean(&hits, n), math::mean(&total, n));
        let (from, to) = (place as f64 / 10.0, (place + 1) as f64 / 10.0);
        let bar = bar(rate, width);
        text.push_str(&format!("{from:.1}-{to:.1} {n:>8}  {mean:>10.3}  {rate:>9.3} {bar}\n"));
    }
    text
}

/// The mean residual (truth minus score) along the scores, in `n_slots` slots of equal count: one
/// character each, low to high, with the largest deviation spelt out.
pub fn residuals(truth: &[f64], scores: &[f64], n_slots: usize) -> String {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| math::total_cmp(scores[a], scores[b]));
    let n_slots = n_slots.min(order.len());
    if n_slots == 0 {
        return "no row\n".to_owned();
    }
    let mean = |slot: usize| {
        let rows = &order[slot * order.len() / n_slots..(slot + 1) * order.len() / n_slots];
        let mut total = ExactSum::new();
        for &row in rows {
            total.add(truth[row]);
            total.add(-scores[row]);
        }
        math::mean(&total, rows.len() as u64)
    };
    let means: Vec<f64> = (0..n_slots).map(mean).collect();
    let largest = means.iter().map(|m| m.abs()).fold(0.0, math::max);
    let height = |m: &f64| {
        let share = if largest > 0.0 { (m / largest + 1.0) / 2.0 } else { 0.5 };
        HEIGHTS[(share * 7.0).round() as usize]
    };
    let strip: String = means.iter().map(height).collect();
    format!("mean residual by score, low to high (±{}): {strip}\n", short(largest))
}

/// A number for the eye: six significant digits at most.
pub fn short(x: f64) -> String {
    if !x.is_finite() {
        return if x.is_nan() { "-".to_owned() } else { format!("{x}") };
    }
    let size = x.abs();
    if x == x.trunc() && size < 1e15 {
        return format!("{x:.0}");
    }
    if !(1e-4..1e9).contains(&size) {
        return format!("{x:.4e}");
    }
    let whole = format!("{:.0}", size.trunc()).len();
    let text = format!("{x:.*}", 6usize.saturating_sub(whole).max(1));
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_the_largest_value() {
        let items = [("a".to_owned(), 4.0), ("bc".to_owned(), 1.0), ("d".to_owned(), f64::NAN)];
        assert_eq!(bars(&items, 4), "a  ████ 4\nbc █    1\nd       -\n");
    }

    #[test]
    fn every_finite_value_is_in_a_bin() {
        let text = histogram(&[0.0, 1.0, 2.0, 10.0, f64::NAN, f64::INFINITY], 2, 3);
        assert_eq!(
            text.lines().map(|l| l.rsplit(' ').next()).collect::<Vec<_>>(),
            [Some("3"), Some("1")]
        );
        assert_eq!(histogram(&[f64::NAN], 2, 3), "no finite value\n");
        assert!(histogram(&[5.0, 5.0], 2, 3).lines().next().is_some_and(|l| l.ends_with(" 2")));
    }

    #[test]
    fn numbers_are_cut_for_the_eye_only() {
        let shown: Vec<String> = [0.1 + 0.2, 1234.5678, 3.0, 1e-9, -0.5].map(short).to_vec();
        assert_eq!(shown, ["0.3", "1234.57", "3", "1.0000e-9", "-0.5"]);
    }

    #[test]
    fn no_color_wins_over_a_forced_one() {
        let env = |set: &'static [(&'static str, &'static str)]| {
            move |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        };
        assert!(wants_colour(true, env(&[])));
        assert!(!wants_colour(false, env(&[])));
        assert!(wants_colour(false, env(&[("CLICOLOR_FORCE", "1")])));
        assert!(!wants_colour(true, env(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")])));
        assert!(wants_colour(true, env(&[("NO_COLOR", "")])));
        assert!(!wants_colour(true, env(&[("TERM", "dumb")])));
    }

    #[test]
    fn a_long_cell_is_wrapped_and_keeps_its_words() {
        let names: Vec<String> = (0..40).map(|n| format!("column_{n}")).collect();
        let cells = ["scale".to_owned(), "standard_scaler".to_owned(), names.join(", ")];
        let text = table(&["step", "kind", "columns"], &[cells.to_vec()]);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(names.iter().all(|name| text.contains(name.as_str())), "{text}");
        assert!(text.contains("┆ standard_scaler ┆"), "{text}");
    }

    #[test]
    fn a_strip_and_a_table_hold_every_slot_and_row() {
        let strip = residuals(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 2.0, 4.5], 4);
        assert_eq!(strip, "mean residual by score, low to high (±1): ▅▅█▃\n");
        let text =
            table(&["name", "n"], &[vec!["a".into(), "10".into()], vec!["b".into(), "2".into()]]);
        assert!(text.contains("│ b    ┆  2 │"), "{text}");
        assert!(calibration(&[1.0, 0.0], &[1.0, 0.95], 4).contains("0.500"));
    }
}
