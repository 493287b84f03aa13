//! The scorer: an artifact that has passed its self-test, ready to score.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use samescore_core::artifact::Artifact;
use samescore_core::batch::{Batch, CellReader, Schema};
use samescore_core::config::ColumnConfig;
use samescore_core::digest::{Digest, RowKey};
use samescore_core::error::{Code, Error, Result};
use samescore_core::par::Threads;
use samescore_core::pipeline::{Membership, Scores};
use samescore_core::step::Output;
use samescore_core::trace::Trace;
use serde::Serialize;

use crate::file;
use crate::scratch::{Layout, Row, Scratch};

/// The score of one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The row's key: its declared key columns, else the hash of its own input columns.
    pub key: RowKey,
    /// The prediction, for a binary task the probability of the positive class, for a multiclass
    /// task the position of the most probable class in [`Scorer::classes`]. Always finite.
    pub value: f64,
}

impl Score {
    /// The bits of the value: two scores are the same if these are.
    pub fn bits(&self) -> u64 {
        self.value.to_bits()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&samescore_core::batch::show_num(self.value))
    }
}

/// One artifact, compiled. Cheap to share by reference between threads, each with its own
/// [`Scratch`]; scoring changes nothing in it.
#[derive(Clone)]
pub struct Scorer {
    artifact: Artifact,
    layout: Arc<Layout>,
    threads: Arc<Threads>,
}

impl fmt::Debug for Scorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scorer({})", self.digest())
    }
}

impl Scorer {
    /// Reads an artifact and re-scores its golden rows: a scorer that exists gives here the bits
    /// that were recorded where the artifact was made. Works with `include_bytes!`.
    ///
    /// # Errors
    /// Kind `Artifact`, if the bytes are no artifact, are damaged, unknown or not canonical, or if
    /// this machine, its float mode or this release does not reproduce the golden rows.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let threads = Threads::new(1)?;
        let artifact = threads.run(|| Artifact::from_bytes(bytes))?;
        let layout = Arc::new(Layout::new(artifact.plan().input(), readers(&artifact)));
        Ok(Scorer { artifact, layout, threads: Arc::new(threads) })
    }

    /// [`Scorer::from_bytes`] of a file's content. The file is read once and never again.
    ///
    /// # Errors
    /// Kind `Io`, if the file cannot be read; else as [`Scorer::from_bytes`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let bytes = file::read(path)?;
        Scorer::from_bytes(&bytes)
    }

    /// The same scorer with `n_threads` threads for batches; 0 means one per core. Without this
    /// call everything runs on the calling thread. No result depends on it.
    ///
    /// # Errors
    /// Kind `Io`, if threads cannot be started; kind `Artifact`, if one has another float mode.
    pub fn threads(mut self, n_threads: usize) -> Result<Self> {
        self.threads = Arc::new(Threads::new(n_threads)?);
        Ok(self)
    }

    /// The columns that a row must have, key columns included, in name order.
    pub fn schema(&self) -> &Schema {
        &self.layout.schema
    }

    /// How the text of each column of [`Scorer::schema`] is read.
    pub fn readers(&self) -> &[CellReader] {
        &self.layout.readers
    }

    /// The declared key columns; none means that a row's content is its key.
    pub fn key(&self) -> &[String] {
        &self.artifact.plan().pipeline().key
    }

    /// The labels of a multiclass task, in the order of its scores; none for another task.
    pub fn classes(&self) -> &[String] {
        self.artifact.plan().classes()
    }

    /// How many scores a row gets: one, or for a multiclass task one per class.
    pub fn n_outputs(&self) -> usize {
        self.artifact.plan().n_outputs()
    }

    /// The artifact's identity: the SHA-256 of its payload.
    pub fn digest(&self) -> Digest {
        self.artifact.digest()
    }

    /// The artifact.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// Checks the host's float mode and re-scores the golden rows again, as a service may do now
    /// and then: a library in the same process can change how the CPU rounds.
    ///
    /// # Errors
    /// Kind `Artifact`, naming the first stage and column that differ.
    pub fn verify(&self) -> Result<()> {
        self.threads.run(|| self.artifact.verify())
    }

    /// Scores every row of a batch, which has at least the columns of [`Scorer::schema`], in any
    /// order: one result per row, in the order of the rows.
    ///
    /// # Errors
    /// Kind `Schema`, if a column is absent or of another kind. A row that cannot be scored is no
    /// error of the batch: [`Scores::get`] gives its reason.
    pub fn score_batch(&self, batch: &Batch) -> Result<Scores> {
        self.threads.run(|| self.artifact.plan().score(batch))
    }

    /// Which rows of a batch are inside the population that the model was fitted on. A row outside
    /// gets its score as any other does: what to do with it is for the caller to say.
    ///
    /// # Errors
    /// Kind `Config`, if the artifact states no population; else as [`Scorer::score_batch`].
    pub fn membership(&self, batch: &Batch) -> Result<Membership> {
        self.artifact.plan().membership(batch)
    }

    /// Scores typed rows: [`Scorer::batch`], then [`Scorer::score_batch`].
    ///
    /// # Errors
    /// As [`Scorer::batch`].
    pub fn score_rows<T: Serialize>(&self, rows: impl IntoIterator<Item = T>) -> Result<Scores> {
        self.score_batch(&self.batch(rows)?)
    }

    /// Typed rows as a batch, read as [`Scorer::score_row`] reads them. A row with a field that
    /// cannot be read, or without one that it must have, carries its error to its result.
    ///
    /// # Errors
    /// Kind `Schema`, if a row is no struct or map; its 0-based position is named.
    pub fn batch<T: Serialize>(&self, rows: impl IntoIterator<Item = T>) -> Result<Batch> {
        let mut scratch = self.scratch();
        for (row_idx, row) in rows.into_iter().enumerate() {
            scratch.push(&row).map_err(|e| e.row(row_idx as u64))?;
        }
        scratch.into_batch()
    }

    /// Room for [`Scorer::score_row`] and [`Scorer::row`]: one per thread, kept between rows.
    pub fn scratch(&self) -> Scratch {
        Scratch::new(&self.layout)
    }

    /// Scores one typed row: any flat serde struct, or map with text keys. Once `scratch` is warm,
    /// nothing is allocated.
    ///
    /// Fields are found by name; those that the pipeline does not know are ignored. `Option::None`
    /// and unit are missing. A number column takes integers, floats and booleans (0 or 1); NaN is
    /// missing. **A text is a cell**: it is read exactly as the same characters in a CSV file are.
    /// So an empty text and each declared missing marker is missing (also as the number or time
    /// that the marker reads as), and a number or time column takes a text of its declared form. A
    /// text column takes texts, characters and unit variants (by name), no numbers: how they would
    /// be written is for the caller to say.
    ///
    /// # Errors
    /// Kind `Schema`, if the row is no struct or map, lacks a field of [`Scorer::schema`], has one
    /// twice, or has a value of another kind; kind `Data`, if a value cannot be used, such as an
    /// integer beyond 2^53, a label that an encoder refuses, or a missing value that no step fills.
    /// Of several, the first in schema order is given: the same text that a batch gives for that
    /// row.
    ///
    /// ```
    /// # let artifact = samescore_core::example::artifact()?;
    /// # let scorer = samescore_deploy::Scorer::from_bytes(artifact.bytes())?;
    /// use std::collections::BTreeMap;
    ///
    /// let row = BTreeMap::from([("age", "old"), ("area", "70"), ("grade", "Gd"), ("rooms", "3")]);
    /// let error = scorer.score_row(&row, &mut scorer.scratch()).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "column `age`: expected number, found text \"old\" \
    ///      (declare it as text, or declare this text as a missing marker)"
    /// );
    /// # Ok::<(), samescore_deploy::Error>(())
    /// ```
    pub fn score_row<T>(&self, row: &T, scratch: &mut Scratch) -> Result<Score>
    where
        T: Serialize + ?Sized,
    {
        scratch.open(&self.layout);
        scratch.push(row)?;
        self.score_scratch(scratch)
    }

    /// The column of the first filter of the population that a typed row does not meet; `None` if
    /// the row is inside. The row is read as [`Scorer::score_row`] reads it, and a value that
    /// cannot be read counts as missing: its score says why.
    ///
    /// # Errors
    /// As [`Scorer::membership`]; kind `Schema`, if the row is no struct or map.
    pub fn outside<T>(&self, row: &T, scratch: &mut Scratch) -> Result<Option<String>>
    where
        T: Serialize + ?Sized,
    {
        scratch.open(&self.layout);
        scratch.push(row)?;
        scratch.block.close()?;
        Ok(self.membership(&scratch.block)?.outside(0).map(str::to_owned))
    }

    /// A row to be set field by field, without serde.
    ///
    /// ```
    /// # let artifact = samescore_core::example::artifact()?;
    /// # let scorer = samescore_deploy::Scorer::from_bytes(artifact.bytes())?;
    /// let mut scratch = scorer.scratch();
    /// let mut row = scorer.row(&mut scratch);
    /// row.set_missing("age").set_num("area", 70.0).set_num("rooms", 3.0);
    /// row.set_text("grade", "Gd").set_text("sex", "m");
    /// let score = row.score()?;
    /// assert!(score.value.is_finite());
    /// # Ok::<(), samescore_deploy::Error>(())
    /// ```
    pub fn row<'a>(&'a self, scratch: &'a mut Scratch) -> Row<'a> {
        scratch.open(&self.layout);
        Row::new(self, scratch)
    }

    /// Scores the one row that `scratch` holds.
    pub(crate) fn score_scratch(&self, scratch: &mut Scratch) -> Result<Score> {
        scratch.block.close()?;
        let (block, scores) = (&mut scratch.block, &mut scratch.scores);
        self.artifact.plan().score_block(block, scores)?;
        match scores.iter().next() {
            Some((key, Ok(value))) => Ok(Score { key, value }),
            Some((_, Err(reason))) => Err(reason.clone()),
            None => Err(Error::new(Code::SelfTest, "expected one result, found none")),
        }
    }

    /// The names of the columns of another output of the model, such as its margin; `None` if the
    /// model has none such.
    pub fn outputs(&self, output: Output) -> Option<Vec<String>> {
        self.artifact.plan().outputs(output)
    }

    /// Another output of the model for every row: as many values as [`Scorer::outputs`] names.
    ///
    /// # Errors
    /// Kind `Config`, if the model does not have it; else as [`Scorer::score_batch`].
    pub fn output(&self, output: Output, batch: &Batch) -> Result<Scores> {
        self.threads.run(|| self.artifact.plan().output(output, batch))
    }

    /// Scores every row and digests every stage, for comparison with another run.
    ///
    /// # Errors
    /// As [`Scorer::score_batch`].
    pub fn trace(&self, batch: &Batch) -> Result<(Scores, Trace)> {
        self.threads.run(|| self.artifact.plan().trace(batch))
    }

    /// The same of a table that comes in parts, each of which is scored by itself.
    ///
    /// # Errors
    /// As [`Scorer::score_batch`].
    pub fn trace_parts(&self, parts: impl IntoIterator<Item = Batch>) -> Result<(Scores, Trace)> {
        let blocks = self.artifact.plan().blocks(parts)?;
        self.threads.run(|| self.artifact.plan().trace_blocks(blocks))
    }

    /// The columns behind step `until` (behind the last one if `None`), in blocks in the order of
    /// the rows.
    ///
    /// # Errors
    /// Kind `Config`, if there is no such step; else as [`Scorer::score_batch`].
    pub fn transform(&self, batch: &Batch, until: Option<&str>) -> Result<Vec<Batch>> {
        let plan = self.artifact.plan();
        self.threads.run(|| plan.transform(batch, until))
    }
}

fn readers(artifact: &Artifact) -> Vec<CellReader> {
    let data = &artifact.payload().config.data;
    let fields = artifact.plan().input().fields().iter();
    let reader = |field: &samescore_core::batch::Field| {
        let declared = data.columns.get(&field.name).map(|column| column.reader(&data.missing));
        declared.unwrap_or_else(|| ColumnConfig::from(field.kind).reader(&data.missing))
    };
    fields.map(reader).collect()
}
