//! How far long work is: what is done, of how much, how fast, and the time left.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

const SPINNER: &str = "{spinner} {msg} {took}";
const COUNTER: &str = "{spinner} {wide_msg} {bar:30} {percent:>3}% {took}{left}";
// Without a bar, so that the time left is within 80 columns.
const ROWS: &str = "{spinner} {wide_msg} {percent}% of {human_len} rows, {rate}, {took}{left}";

fn style(template: &str) -> ProgressStyle {
    let took = |state: &ProgressState, out: &mut dyn Write| {
        let _ = out.write_str(&span(state.elapsed()));
    };
    let left = |state: &ProgressState, out: &mut dyn Write| {
        // Before anything is done nobody knows.
        if state.pos() > 0 && state.per_sec() > 0.0 {
            let _ = write!(out, ", {} left", span(state.eta()));
        }
    };
    let speed = |state: &ProgressState, out: &mut dyn Write| {
        let _ = out.write_str(&rate(state.per_sec()));
    };
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("took", took).with_key("left", left).with_key("rate", speed)
}

/// A time by its two largest units: `1 min 20 s`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    match seconds {
        0..60 => format!("{rest} s"),
        60..3_600 => format!("{minutes} min {rest} s"),
        3_600..86_400 => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// So many rows per second: `1,234,567 rows/s`.
fn rate(per_second: f64) -> String {
    if per_second < 10.0 {
        return format!("{per_second:.1} rows/s");
    }
    let digits = format!("{per_second:.0}");
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown + " rows/s"
}

/// Work that goes on. Nothing is shown where there is no terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    spinner: ProgressStyle,
    counter: ProgressStyle,
    rows: ProgressStyle,
}

impl Progress {
    pub(super) fn new(message: &str, is_hidden: bool) -> Self {
        let bar = ProgressBar::new_spinner();
        if is_hidden {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        let (spinner, counter, rows) = (style(SPINNER), style(COUNTER), style(ROWS));
        let progress = Progress { bar, spinner, counter, rows };
        progress.say(message);
        progress
    }

    /// What is done now; how long it takes is not known.
    pub(super) fn say(&self, message: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_style(self.spinner.clone());
            self.bar.set_message(message.to_owned());
        }
    }

    /// What is done now, and so much of so much is done. May be called from any thread.
    pub(super) fn at(&self, message: &str, done: u64, total: u64) {
        self.count(message, done, total, &self.counter);
    }

    /// What is done now, and how many of so many rows it is done to: shows rows per second and the
    /// time left. May be called from any thread.
    pub(super) fn rows(&self, message: &str, done: u64, total: u64) {
        self.count(message, done, total, &self.rows);
    }

    fn count(&self, message: &str, done: u64, total: u64, style: &ProgressStyle) {
        if !self.bar.is_hidden() {
            self.bar.set_message(message.to_owned());
            self.bar.set_length(total);
            self.bar.set_position(done);
            self.bar.set_style(style.clone());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_progress_are_well_formed_and_a_hidden_one_shows_nothing() {
        for template in [SPINNER, COUNTER, ROWS] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
        let progress = Progress::new("reading", true);
        progress.at("model", 3, 10);
        progress.rows("scoring", 3, 10);
        assert!(progress.bar.is_hidden() && progress.bar.message().is_empty());
    }

    #[test]
    fn times_and_rates_have_units() {
        for (seconds, shown) in [
            (0, "0 s"),
            (59, "59 s"),
            (80, "1 min 20 s"),
            (3_600, "1 h 0 min"),
            (7_549, "2 h 5 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), shown);
        }
        for (per_second, shown) in [
            (0.0, "0.0 rows/s"),
            (3.25, "3.2 rows/s"),
            (12.4, "12 rows/s"),
            (999.6, "1,000 rows/s"),
            (1_234_567.0, "1,234,567 rows/s"),
        ] {
            assert_eq!(rate(per_second), shown);
        }
    }
}
