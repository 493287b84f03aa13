//! Scores as rows of a table.

use std::sync::Arc;

use samescore_core::artifact::Artifact;
use samescore_core::batch::{Batch, Column, ColumnKind, Field, Schema, TextColumn};
use samescore_core::error::{Code, Error, Result};
use samescore_core::listing;
use samescore_core::math;
use samescore_core::pipeline::{Membership, Scores};
use samescore_core::step::Output;

/// What a marked row says.
const POPULATION: &str = "population";

/// The scores of some rows.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// The rows.
    pub batch: &'a Batch,
    /// Their scores.
    pub scores: &'a Scores,
    /// Whether they are inside the population, for a shape that says it.
    pub marks: Option<&'a Membership>,
}

/// What the columns of written scores are.
#[derive(Clone, Debug)]
pub struct Shape {
    key: Vec<String>,
    values: Vec<String>,
    classes: Vec<String>,
    /// From which score on a row of two classes is of class 1, where its class is written.
    threshold: Option<f64>,
    artifact: String,
    is_marked: bool,
    fields: Vec<Field>,
}

impl Shape {
    /// The shape of what an artifact gives: its scores, or another output of its model; with a
    /// column `population` if `is_marked`.
    ///
    /// # Errors
    /// If a key column is not declared.
    pub fn of(artifact: &Artifact, output: Option<Output>, is_marked: bool) -> Result<Self> {
        let (plan, data) = (artifact.plan(), &artifact.payload().config.data);
        let classes = match output {
            None => plan.classes().to_vec(),
            Some(_) => Vec::new(),
        };
        let values = match output {
            Some(output) => plan.outputs(output).unwrap_or_default(),
            None if classes.is_empty() => vec!["score".to_owned()],
            None => classes.iter().map(|class| format!("score_{class}")).collect(),
        };
        let kind = |name: &String| {
            let column = data.columns.get(name).map(|column| column.kind);
            column.ok_or_else(|| Error::new(Code::MissingColumn, "expected it").column(name))
        };
        let kinds = data.key.iter().map(kind).collect::<Result<Vec<ColumnKind>>>()?;
        let mut own = vec!["row_key", "class", "bits", "code", "reason", "artifact"];
        own.extend(values.iter().map(String::as_str));
        own.extend(is_marked.then_some(POPULATION));
        let names = data.key.iter().map(|name| free(name, &own, &data.key));
        let mut fields: Vec<Field> =
            names.zip(kinds).map(|(name, kind)| Field::new(name, kind)).collect();
        let text = |name: &str| Field::new(name, ColumnKind::Text);
        fields.push(text("row_key"));
        if !classes.is_empty() {
            fields.push(text("class"));
        }
        fields.extend(values.iter().map(|name| Field::new(name.clone(), ColumnKind::Num)));
        fields.extend(["bits", "code", "reason", "artifact"].map(text));
        fields.extend(is_marked.then(|| text(POPULATION)));
        let (key, artifact) = (data.key.clone(), artifact.digest().to_string());
        Ok(Shape { key, values, classes, threshold: None, artifact, is_marked, fields })
    }

    /// The same with the class of each row of a binary task: 1 from `threshold` on, else 0.
    #[must_use]
    pub fn decided(mut self, threshold: f64) -> Self {
        self.threshold = Some(threshold);
        self.fields.insert(self.key.len() + 1, Field::new("class", ColumnKind::Text));
        self
    }

    /// The columns, in their order.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The digest of the artifact.
    pub(super) fn artifact(&self) -> &str {
        &self.artifact
    }

    /// Whether each row says whether it is inside the population.
    pub fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// The rows of a block.
    pub(super) fn rows(&self, scored: &Scored<'_>) -> Result<Batch> {
        let Scored { batch, scores, marks } = scored;
        let n_rows = scores.len();
        let slot = |name: &String| {
            let slot = batch.schema().position(name);
            slot.ok_or_else(|| Error::new(Code::MissingColumn, "expected it").column(name))
        };
        let mut columns = Vec::with_capacity(self.fields.len());
        for name in &self.key {
            columns.push(batch.column(slot(name)?).clone());
        }
        let texts = |cell: &dyn Fn(usize) -> Option<String>| {
            let mut column = TextColumn::default();
            (0..n_rows).for_each(|row| column.push(cell(row).as_deref()));
            Column::Text(column)
        };
        columns.push(texts(&|row| Some(scores.keys()[row].to_string())));
        if !self.classes.is_empty() {
            let class = |row: usize| self.classes.get(scores.class(row).ok()?).cloned();
            columns.push(texts(&class));
        }
        if let Some(threshold) = self.threshold {
            let class = |row: usize| scores.get(row).ok().map(|x| decide(x, threshold).to_owned());
            columns.push(texts(&class));
        }
        for place in 0..self.values.len() {
            let value = |row: usize| {
                let found = scores.values(row).ok().and_then(|values| values.get(place));
                found.copied().unwrap_or(math::MISSING)
            };
            columns.push(Column::Num((0..n_rows).map(value).collect()));
        }
        let bits = |row: usize| {
            let values = scores.values(row).ok()?;
            let bits = values.iter().map(|value| format!("{:016x}", value.to_bits()));
            Some(bits.collect::<Vec<_>>().join(":"))
        };
        columns.push(texts(&bits));
        let reason = |row: usize| scores.values(row).err();
        columns.push(texts(&|row| reason(row).map(|reason| reason.code().to_string())));
        columns.push(texts(&|row| reason(row).map(Error::to_string)));
        columns.push(texts(&|_| Some(self.artifact.clone())));
        if let (true, Some(marks)) = (self.is_marked, marks) {
            columns.push(texts(&|row| Some(listing::mark(marks, row).into_owned())));
        }
        Batch::new(Arc::new(Schema::new(self.fields.clone())?), columns)
    }
}

/// The class of a score of a binary task.
pub fn decide(score: f64, threshold: f64) -> &'static str {
    if score >= threshold { "1" } else { "0" }
}

/// The name of a key column beside columns of our `own`, as a listing shows it.
fn free(name: &str, own: &[&str], key: &[String]) -> String {
    let is_taken =
        |free: &String| own.contains(&free.as_str()) || (free != name && key.contains(free));
    let mut free = name.to_owned();
    while is_taken(&free) {
        free.push('_');
    }
    free
}
