//! Scores as files: made aside as they come, and put in the place of what was there when they are
//! whole.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use samescore_core::batch::{Batch, Schema};
use samescore_core::error::Result;

use super::{Scored, Shape, Sink};
use crate::convert::{self, Form, ParquetGroups};
use crate::gather::Format;
use crate::output_file::Draft;

/// A JSON object per line.
pub(super) struct JsonLines {
    draft: Draft,
    shape: Shape,
}

impl JsonLines {
    pub(super) fn new(path: &Path, shape: Shape) -> Result<Self> {
        Ok(JsonLines { draft: Draft::begin(path)?, shape })
    }
}

impl Sink for JsonLines {
    fn block(&mut self, scored: &Scored<'_>) -> Result<()> {
        let form = Form::File { format: Format::JsonLines, group_rows: None };
        let rows = self.shape.rows(scored)?;
        self.draft.write(&convert::write(&rows, &BTreeMap::new(), &form)?)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.draft.finish()
    }
}

/// Parquet, a row group at a time.
pub(super) struct Parquet {
    shape: Shape,
    groups: ParquetGroups<Shared>,
    file: Shared,
}

impl Parquet {
    pub(super) fn new(path: &Path, shape: Shape) -> Result<Self> {
        let draft = Writing { draft: Some(Draft::begin(path)?), failed: None };
        let file = Shared(Arc::new(Mutex::new(draft)));
        Ok(Parquet { shape, groups: ParquetGroups::new(file.clone()), file })
    }
}

impl Sink for Parquet {
    fn block(&mut self, scored: &Scored<'_>) -> Result<()> {
        let rows = self.shape.rows(scored)?;
        let written = self.groups.append(&rows);
        written.map_err(|e| self.file.lock().failed.take().unwrap_or(e))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Parquet { shape, mut groups, file } = *self;
        // A table of no rows has columns.
        let none = Batch::empty(&Arc::new(Schema::new(shape.fields().to_vec())?));
        let written = groups.append(&none).and_then(|()| groups.finish());
        let mut writing = file.lock();
        written.map_err(|e| writing.failed.take().unwrap_or(e))?;
        writing.draft.take().map_or(Ok(()), Draft::finish)
    }
}

/// A file that polars writes, with what it could not be told of a failure.
struct Writing {
    draft: Option<Draft>,
    failed: Option<samescore_core::error::Error>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Writing>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut writing = self.lock();
        let written = writing.draft.as_mut().map_or(Ok(()), |draft| draft.write(bytes));
        written.map(|()| bytes.len()).map_err(|e| {
            let told = io::Error::other(e.to_string());
            writing.failed = Some(e);
            told
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
