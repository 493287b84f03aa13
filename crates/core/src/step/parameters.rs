//! The parameters of a kind as its config takes them: names, forms, choices, and their docs.
//!
//! Names, forms and choices are what the kind's own `Deserialize` asks for when it is read, and the
//! docs are those of the struct in the kind's file, so that a manual cannot say something else than
//! what is read.

mod ask;

use std::fmt;

use serde::Deserialize;

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The key in a config.
    pub name: &'static str,
    /// What stands behind the key.
    pub form: Form,
    /// The docs of the field, on one line.
    pub doc: String,
}

/// What a value of a config looks like.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// `true` or `false`.
    Flag,
    /// A number without a point.
    Whole,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list of values of one form.
    List(Box<Form>),
    /// A table from texts to values of one form.
    Table(Box<Form>),
    /// One of some words; a word with a value is a table of one key.
    Choice(Vec<(&'static str, Option<Form>)>),
    /// A form that its own reading decides on, in its words.
    Own(String),
}

impl Form {
    fn is_table(&self) -> bool {
        matches!(self, Form::Table(_))
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Form::Flag => f.write_str("true or false"),
            Form::Whole => f.write_str("whole number"),
            Form::Number => f.write_str("number"),
            Form::Text => f.write_str("text"),
            Form::List(of) => write!(f, "list of: {of}"),
            Form::Table(of) => write!(f, "table of: {of}"),
            Form::Own(said) => f.write_str(said),
            Form::Choice(words)
                if words.iter().all(|(_, value)| value.as_ref().is_some_and(Form::is_table)) =>
            {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                write!(f, "{{ KIND = table }}, KIND being {}", words.join(" | "))
            }
            Form::Choice(words) => {
                for (i, (word, value)) in words.iter().enumerate() {
                    let between = if i == 0 { "" } else { " | " };
                    match value {
                        None => write!(f, "{between}\"{word}\"")?,
                        Some(value) => write!(f, "{between}{{ {word} = {value} }}")?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// The parameters of `P` in the order of its fields, with the docs that `source` has of them.
pub fn parameters<P: for<'de> Deserialize<'de>>(source: &str) -> Vec<Parameter> {
    let (name, fields) = ask::fields::<P>();
    let one = |&field: &&'static str| Parameter {
        name: field,
        form: ask::form::<P>(field),
        doc: doc(source, name, field),
    };
    fields.iter().map(one).collect()
}

/// The docs of a field of a struct in a source text; empty if it has none.
fn doc(source: &str, name: &str, field: &str) -> String {
    let head = format!("pub struct {name} {{");
    let lines = source.lines().skip_while(|line| !line.starts_with(&head)).skip(1);
    let mut doc = String::new();
    for line in lines.map(str::trim).take_while(|line| *line != "}") {
        if let Some(text) = line.strip_prefix("/// ") {
            let between = if doc.is_empty() { "" } else { " " };
            doc = doc + between + text;
        } else if line.strip_prefix("pub ").and_then(|rest| rest.split(':').next()) == Some(field) {
            return doc;
        } else if !line.starts_with("#[") {
            doc.clear();
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelParams;
    use crate::selectors::SelectorParams;
    use crate::transforms::TransformParams;

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "read by its Deserialize alone")]
    enum Rule {
        #[default]
        BestFirst,
        Share(f64),
    }

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Params {
        depth: u32,
        rule: Rule,
        names: Option<Vec<String>>,
        bounds: std::collections::BTreeMap<String, f64>,
        is_on: bool,
        rules: Vec<Rule>,
    }

    const SOURCE: &str = "\
/// Other.
pub struct Other {
    /// Wrong.
    pub depth: u32,
}

pub struct Params {
    /// How deep
    /// it goes.
    pub depth: u32,
    #[serde(default)]
    pub rule: Rule,
}
";

    #[test]
    fn every_parameter_of_every_kind_has_docs() {
        let steps = TransformParams::KINDS.iter().chain(SelectorParams::KINDS);
        for info in steps.chain(ModelParams::KINDS) {
            for p in info.parameters() {
                assert!(p.doc.ends_with('.'), "{} {}: no docs", info.tag, p.name);
            }
        }
    }

    #[test]
    fn names_forms_choices_and_docs_are_found() {
        let found = parameters::<Params>(SOURCE);
        let shown: Vec<String> =
            found.iter().map(|p| format!("{}: {}. {}", p.name, p.form, p.doc)).collect();
        let expected = [
            "depth: whole number. How deep it goes.",
            "rule: \"best_first\" | { share = number }. ",
            "names: list of: text. ",
            "bounds: table of: number. ",
            "is_on: true or false. ",
            "rules: list of: \"best_first\" | { share = number }. ",
        ];
        assert_eq!(shown, expected);
    }
}
