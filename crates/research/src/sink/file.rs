//! Scores as files: made aside, and put in the place of what was there when they are whole.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use samescore_core::batch::Batch;
use samescore_core::error::Result;
use samescore_core::pipeline::Scores;

use super::{Shape, Sink};
use crate::convert::{self, Form};
use crate::gather::Format;
use crate::output_file;

/// A JSON object per line.
pub(super) struct JsonLines {
    path: PathBuf,
    shape: Shape,
    text: Vec<u8>,
}

impl JsonLines {
    pub(super) fn new(path: &Path, shape: Shape) -> Self {
        JsonLines { path: path.to_owned(), shape, text: Vec::new() }
    }
}

impl Sink for JsonLines {
    fn block(&mut self, batch: &Batch, scores: &Scores) -> Result<()> {
        let form = Form::File { format: Format::JsonLines, group_rows: None };
        let rows = self.shape.rows(batch, scores)?;
        self.text.extend(convert::write(&rows, &BTreeMap::new(), &form)?);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        output_file::replace(&self.path, &self.text)
    }
}

/// Parquet: rows are kept until the end, so that how they came in blocks is not seen.
pub(super) struct Parquet {
    path: PathBuf,
    shape: Shape,
    frame: convert::Frame,
}

impl Parquet {
    pub(super) fn new(path: &Path, shape: Shape) -> Self {
        Parquet { path: path.to_owned(), shape, frame: convert::Frame::default() }
    }
}

impl Sink for Parquet {
    fn block(&mut self, batch: &Batch, scores: &Scores) -> Result<()> {
        self.frame.append(&self.shape.rows(batch, scores)?)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let mut bytes = Cursor::new(Vec::new());
        self.frame.write_parquet(&mut bytes)?;
        output_file::replace(&self.path, &bytes.into_inner())
    }
}
