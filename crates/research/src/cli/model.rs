//! What `fit` and `inspect` show of a fitted model.

use samescore_core::artifact::Payload;
use samescore_core::math;
use samescore_core::step::CoefficientSummary;
use samescore_research::render;
use serde_json::{Map, Value, json};

/// Intervals of a summary miss the true value with this probability.
const TAIL: f64 = 0.05;

/// The facts, what the fit warns of, and the weights by size or with what is known of them.
pub(super) fn text(payload: &Payload) -> String {
    let pipeline = &payload.pipeline;
    let n_columns = pipeline.features.len();
    let mut text = format!("model {} on {n_columns} columns\n", pipeline.model.kind());
    for warning in warnings(payload) {
        text.push_str(&format!("warning: {warning}\n"));
    }
    let facts = pipeline.facts(&payload.config.target.classes).into_iter();
    let facts: Vec<Vec<String>> = facts.map(|(name, x)| vec![name, render::short(x)]).collect();
    if !facts.is_empty() {
        text.push_str(&render::table(&["fact", "value"], &facts));
    }
    let known = summary_text(payload);
    if known.is_empty() { text + &weights(payload) + &centres(payload) } else { text + &known }
}

/// More centres than this are in the JSON answer alone.
const N_CENTRES_SHOWN: usize = 10;

/// The centre of each group, by the number that a row near it is scored.
fn centres(payload: &Payload) -> String {
    let centres = payload.pipeline.model.centres();
    if centres.is_empty() {
        return String::new();
    }
    let shown = &centres[..Ord::min(centres.len(), N_CENTRES_SHOWN)];
    let labels: Vec<String> = (0..shown.len()).map(|number| format!("centre {number}")).collect();
    let header: Vec<&str> =
        ["column"].into_iter().chain(labels.iter().map(String::as_str)).collect();
    let row = |(place, name): (usize, &String)| {
        let values = shown.iter().map(|centre| centre.get(place).copied());
        let values = values.map(|x| x.map_or("-".to_owned(), render::short));
        [name.clone()].into_iter().chain(values).collect()
    };
    let rows: Vec<Vec<String>> = payload.pipeline.features.iter().enumerate().map(row).collect();
    let table = render::table(&header, &rows);
    match centres.len() - shown.len() {
        0 => table,
        n => format!("{table}{n} more centres are in the JSON answer\n"),
    }
}

/// How well each coefficient is known, in the order of the columns; nothing without a summary.
pub(super) fn summary_text(payload: &Payload) -> String {
    let Some(rows) = payload.pipeline.model.summary(TAIL) else {
        return String::new();
    };
    let cells = |(name, row): (&str, &CoefficientSummary)| {
        let values =
            [row.estimate, row.standard_error, row.statistic, row.p_value, row.low, row.high];
        let shown = |x: f64| if math::is_missing(x) { "-".to_owned() } else { render::short(x) };
        [name.to_owned()].into_iter().chain(values.map(shown)).collect()
    };
    let statistic = statistic(&rows);
    let rows: Vec<Vec<String>> = names(payload).zip(&rows).map(cells).collect();
    let tail = format!("p of |{statistic}|");
    let header = ["column", "weight", "std error", statistic, &tail, "from 2.5%", "to 97.5%"];
    render::table(&header, &rows)
}

/// The model's part of a JSON answer.
pub(super) fn json(payload: &Payload) -> Map<String, Value> {
    let model = &payload.pipeline.model;
    let classes = &payload.config.target.classes;
    let of_classes: Map<String, Value> = classes
        .iter()
        .zip(model.class_coefficients())
        .map(|(label, weights)| (label.clone(), json!(weights)))
        .collect();
    let mut about = Map::new();
    about.insert("model".to_owned(), json!(model.kind()));
    about.insert("facts".to_owned(), json!(payload.pipeline.facts(classes)));
    about.insert("coefficients".to_owned(), json!(model.coefficients()));
    about.insert("class_coefficients".to_owned(), Value::Object(of_classes));
    about.insert("centres".to_owned(), json!(model.centres()));
    about.insert("summary".to_owned(), summary_json(payload));
    about.insert("decision_threshold".to_owned(), json!(model.threshold()));
    about.insert("warnings".to_owned(), json!(warnings(payload)));
    about
}

/// How well each coefficient is known; null without a summary.
pub(super) fn summary_json(payload: &Payload) -> Value {
    let Some(rows) = payload.pipeline.model.summary(TAIL) else {
        return Value::Null;
    };
    let row = |(name, row): (&str, &CoefficientSummary)| {
        json!({
            "column": name,
            "estimate": row.estimate,
            "standard_error": row.standard_error,
            "statistic": row.statistic,
            "p_value": row.p_value,
            "low": row.low,
            "high": row.high,
        })
    };
    let statistic = statistic(&rows);
    let rows: Vec<Value> = names(payload).zip(&rows).map(row).collect();
    json!({ "statistic": statistic, "tail": TAIL, "coefficients": rows })
}

/// What a user should know about how the fit ended.
pub(super) fn warnings(payload: &Payload) -> Vec<String> {
    payload.pipeline.model.warnings()
}

/// How good the model is on rows that a part of its fit has not seen, by name.
pub(super) fn own_figures(payload: &Payload) -> Map<String, Value> {
    let own = payload.pipeline.model.own_figures();
    own.into_iter().map(|(name, x)| (name, json!(x))).collect()
}

/// The intercept's name and those of the columns.
fn names(payload: &Payload) -> impl Iterator<Item = &str> {
    ["(intercept)"].into_iter().chain(payload.pipeline.features.iter().map(String::as_str))
}

/// Student's t, or z.
fn statistic(rows: &[CoefficientSummary]) -> &'static str {
    if rows.iter().all(|row| row.degrees_of_freedom.is_finite()) { "t" } else { "z" }
}

/// The weights of the columns, the largest first; of several classes in a column each.
fn weights(payload: &Payload) -> String {
    let model = &payload.pipeline.model;
    let of_classes = model.class_coefficients();
    let (lines, labels) = match model.coefficients() {
        Some(weights) => (vec![weights], vec!["weight".to_owned()]),
        None => {
            let labels = payload.config.target.classes.iter();
            (of_classes, labels.map(|label| format!("weight of {label}")).collect())
        }
    };
    if lines.is_empty() {
        return String::new();
    }
    let features = &payload.pipeline.features;
    let at = |line: &[f64], place: usize| line.get(place).copied().unwrap_or_default();
    let size = |place: usize| lines.iter().map(|line| at(line, place).abs()).fold(0.0, math::max);
    let mut order: Vec<usize> = (0..features.len()).collect();
    order.sort_by(|&a, &b| {
        math::total_cmp(size(b), size(a)).then_with(|| features[a].cmp(&features[b]))
    });
    let row = |place: usize| {
        let values = lines.iter().map(|line| render::short(at(line, place)));
        [features[place].clone()].into_iter().chain(values).collect()
    };
    let rows: Vec<Vec<String>> = order.into_iter().map(row).collect();
    let header: Vec<&str> =
        ["column"].into_iter().chain(labels.iter().map(String::as_str)).collect();
    render::table(&header, &rows)
}
