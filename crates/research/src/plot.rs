//! Curves and spreads on a terminal, as plain text; like [`render`], for the eye
//! only.

use samescore_core::math;

use crate::render;

/// Heights of a character cell, for strips.
const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How often values fall into each of `n_slots` slots from `low` to `high`: one character each.
pub fn spread(values: &[f64], (low, high): (f64, f64), n_slots: usize) -> String {
    let mut counts = vec![0usize; n_slots.max(1)];
    for x in values {
        let share = if high > low { (x - low) / (high - low) } else { 0.5 };
        let slot = (share * counts.len() as f64) as usize;
        let last = counts.len() - 1;
        counts[slot.min(last)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    counts.iter().map(|n| HEIGHTS[(n * 8).div_ceil(most)]).collect()
}

/// A chart of several series over labelled places, one line per place: each series is a mark on a
/// scale from the smallest to the largest value. Where marks meet, the last one stands.
pub fn curve(labels: &[String], series: &[(char, Vec<Option<f64>>)], width: usize) -> String {
    let finite = |x: &Option<f64>| x.filter(|x| x.is_finite());
    let values: Vec<f64> =
        series.iter().flat_map(|(_, values)| values.iter().filter_map(finite)).collect();
    let low = values.iter().copied().fold(f64::INFINITY, math::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, math::max);
    if values.is_empty() || width < 2 {
        return "no finite value\n".to_owned();
    }
    let label_width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (place, label) in labels.iter().enumerate() {
        let mut line = vec!['·'; width];
        for (mark, values) in series {
            if let Some(x) = values.get(place).and_then(finite) {
                let share = if high > low { (x - low) / (high - low) } else { 0.5 };
                line[(share * (width - 1) as f64).round() as usize] = *mark;
            }
        }
        let pad = " ".repeat(label_width - label.chars().count());
        let line: String = line.into_iter().collect();
        text.push_str(&format!("{pad}{label} {line}\n"));
    }
    let (low, high) = (render::short(low), render::short(high));
    let gap = width.saturating_sub(low.chars().count() + high.chars().count()).max(1);
    text.push_str(&format!("{} {low}{}{high}\n", " ".repeat(label_width), " ".repeat(gap)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_counts_every_value() {
        assert_eq!(spread(&[0.0, 0.0, 1.0, 3.9, 4.0], (0.0, 4.0), 4), "█▄ █");
        assert_eq!(spread(&[2.0, 2.0], (2.0, 2.0), 3), " █ ");
    }

    #[test]
    fn a_curve_marks_the_ends_of_its_scale() {
        let labels = ["1".to_owned(), "10".to_owned()];
        let series = [('o', vec![Some(0.0), Some(2.0)]), ('x', vec![None, Some(4.0)])];
        assert_eq!(curve(&labels, &series, 5), " 1 o····\n10 ··o·x\n   0   4\n");
        assert_eq!(curve(&[], &[], 5), "no finite value\n");
    }
}
