//! The row under way: which field belongs to which column, and the buffers that are used again.

use std::sync::Arc;

use samescore_core::batch::{Batch, CellReader, Column, ColumnKind, Schema, Value, push_missing};
use samescore_core::digest::RowKey;
use samescore_core::error::{Code, Error, Result};
use samescore_core::pipeline::Scores;
use serde::Serialize;

use crate::row;
use crate::scorer::{Score, Scorer};

/// Fields beyond this position in a row are looked up each time.
const PLACES_MAX: usize = 4096;
/// Longer names that the pipeline does not know are looked up each time.
const NAME_BYTES_MAX: usize = 256;

/// The input columns and how their text is read.
pub(crate) struct Layout {
    /// In name order.
    pub(crate) schema: Arc<Schema>,
    pub(crate) readers: Vec<CellReader>,
}

impl Layout {
    pub(crate) fn new(schema: &Arc<Schema>, readers: Vec<CellReader>) -> Self {
        debug_assert!(schema.names().is_sorted(), "input columns are in name order");
        Layout { schema: Arc::clone(schema), readers }
    }

    fn slot(&self, name: &str) -> Option<usize> {
        let fields = self.schema.fields();
        fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()
    }
}

/// Buffers of one thread for scoring row by row. Made by [`Scorer::scratch`]; used with another
/// scorer it is made ready for that one first, which allocates.
pub struct Scratch {
    layout: Arc<Layout>,
    pub(crate) block: Batch,
    pub(crate) scores: Scores,
    names: NameMemo,
    /// Rows that are complete.
    n_rows: usize,
    /// The first column in schema order that the row under way has no usable value for.
    fault: Option<(usize, Error)>,
    /// Where values that display themselves are written.
    pub(crate) text: String,
}

impl Scratch {
    pub(crate) fn new(layout: &Arc<Layout>) -> Self {
        let mut scratch = Scratch {
            layout: Arc::clone(layout),
            block: Batch::default(),
            scores: Scores::default(),
            names: NameMemo::default(),
            n_rows: 0,
            fault: None,
            text: String::new(),
        };
        scratch.block.open(&layout.schema);
        scratch
    }

    /// The key of the row that was scored last, with or without success.
    pub fn key(&self) -> Option<RowKey> {
        self.scores.keys().first().copied()
    }

    /// The scores of the row that was scored last: one, or for a multiclass task one per class;
    /// none if it has a reason instead.
    pub fn values(&self) -> &[f64] {
        match self.scores.is_empty() {
            true => &[],
            false => self.scores.values(0).unwrap_or_default(),
        }
    }

    /// Forgets the rows, and makes ready for `layout`.
    pub(crate) fn open(&mut self, layout: &Arc<Layout>) {
        if !Arc::ptr_eq(layout, &self.layout) {
            self.layout = Arc::clone(layout);
            self.names = NameMemo::default();
        }
        self.scores.clear();
        self.begin();
        self.n_rows = 0;
        self.block.open(&layout.schema);
    }

    /// Appends a row.
    pub(crate) fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        self.begin();
        row::read(row, self)?;
        self.end();
        Ok(())
    }

    pub(crate) fn into_batch(mut self) -> Result<Batch> {
        self.block.close()?;
        Ok(self.block)
    }

    fn begin(&mut self) {
        self.names.place = 0;
        self.fault = None;
    }

    /// The column that the next field of the row is for; `None` if the pipeline does not know it.
    pub(crate) fn field(&mut self, name: &str) -> Option<usize> {
        self.names.slot(name, &self.layout)
    }

    /// Sets the value of a field.
    pub(crate) fn set(&mut self, slot: usize, write: impl FnOnce(Target<'_>) -> Result<()>) {
        let column = self.block.column_mut(slot);
        if column.len() > self.n_rows {
            let message = "expected one field of that name, found two";
            return self.fault(slot, Error::new(Code::DuplicateColumn, message));
        }
        let target = Target { column, reader: &self.layout.readers[slot], text: &mut self.text };
        if let Err(error) = write(target) {
            let column = self.block.column_mut(slot);
            if column.len() == self.n_rows {
                push_missing(column);
            }
            self.fault(slot, error);
        }
    }

    fn fault(&mut self, slot: usize, error: Error) {
        if self.fault.as_ref().is_none_or(|(first, _)| slot < *first) {
            let error = error.column(&self.layout.schema.fields()[slot].name);
            self.fault = Some((slot, error));
        }
    }

    /// Completes the row: columns without a field are faults.
    pub(crate) fn end(&mut self) {
        for slot in 0..self.layout.schema.len() {
            let column = self.block.column_mut(slot);
            if column.len() == self.n_rows {
                push_missing(column);
                let message = "expected a field of that name, found none";
                let error = Error::new(Code::MissingColumn, message);
                self.fault(slot, error.remedy("give it as missing if it has no value"));
            }
        }
        if let Some((_, error)) = self.fault.take() {
            self.block.fault_row(self.n_rows, error);
        }
        self.n_rows += 1;
    }
}

/// Where the value of one field goes.
pub(crate) struct Target<'a> {
    column: &'a mut Column,
    reader: &'a CellReader,
    pub(crate) text: &'a mut String,
}

impl Target<'_> {
    /// A text, read as a cell.
    pub(crate) fn cell(self, text: &str) -> Result<()> {
        self.reader.push(self.column, text)
    }

    /// What was displayed into [`Target::text`], read as a cell.
    pub(crate) fn displayed(self) -> Result<()> {
        self.reader.push(self.column, self.text)
    }

    /// Whether the column holds numbers.
    pub(crate) fn is_num(&self) -> bool {
        matches!(self.column, Column::Num(_))
    }

    /// A number.
    pub(crate) fn num(self, x: f64) -> Result<()> {
        match self.column {
            Column::Num(values) => {
                values.push(self.reader.num(x));
                Ok(())
            }
            _ => Err(self.refused(Value::Num(x))),
        }
    }

    /// An integer, refused with its digits where f64 does not hold it.
    pub(crate) fn integer(self, value: i128) -> Result<()> {
        match self.column {
            Column::Num(values) => {
                values.push(self.reader.integer(value)?);
                Ok(())
            }
            _ => Err(self.refused(format_args!("number {value}"))),
        }
    }

    /// Microseconds since the epoch.
    fn time(self, micros: i64) -> Result<()> {
        match self.column {
            Column::Time(values) => {
                values.push(self.reader.time(micros));
                Ok(())
            }
            _ => Err(self.refused(Value::Time(micros))),
        }
    }

    /// No value.
    pub(crate) fn missing(self) {
        push_missing(self.column);
    }

    /// An error that says what the column holds and what was found.
    pub(crate) fn refused(self, found: impl std::fmt::Display) -> Error {
        let expected = match self.column.kind() {
            ColumnKind::Num => "number",
            ColumnKind::Text => "text",
            ColumnKind::Time => "time",
        };
        let message = format!("expected {expected}, found {found}");
        Error::new(Code::WrongKind, message)
    }
}

/// A row that is set field by field. Every column of [`Scorer::schema`] must be set once, in any
/// order; what is wrong is kept and given by [`Row::score`].
pub struct Row<'a> {
    scorer: &'a Scorer,
    scratch: &'a mut Scratch,
    unknown: Option<Error>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(scorer: &'a Scorer, scratch: &'a mut Scratch) -> Self {
        Row { scorer, scratch, unknown: None }
    }

    /// Sets a number; NaN is missing.
    pub fn set_num(&mut self, name: &str, value: f64) -> &mut Self {
        self.set(name, |target| target.num(value))
    }

    /// Sets a text, which is read as a cell of a CSV file: see [`Scorer::score_row`].
    pub fn set_text(&mut self, name: &str, value: &str) -> &mut Self {
        self.set(name, |target| target.cell(value))
    }

    /// Sets a time in microseconds since 1970-01-01T00:00:00 UTC; `i64::MIN` is missing.
    pub fn set_time(&mut self, name: &str, micros: i64) -> &mut Self {
        self.set(name, |target| target.time(micros))
    }

    /// Says that there is no value.
    pub fn set_missing(&mut self, name: &str) -> &mut Self {
        self.set(name, |target| {
            target.missing();
            Ok(())
        })
    }

    /// Scores the row.
    ///
    /// # Errors
    /// Kind `Config`, if a name was set that the pipeline does not know; else as
    /// [`Scorer::score_row`].
    pub fn score(self) -> Result<Score> {
        if let Some(error) = self.unknown {
            return Err(error);
        }
        self.scratch.end();
        self.scorer.score_scratch(self.scratch)
    }

    fn set(&mut self, name: &str, write: impl FnOnce(Target<'_>) -> Result<()>) -> &mut Self {
        match self.scratch.field(name) {
            Some(slot) => self.scratch.set(slot, write),
            None => {
                let slot = self.scorer.schema().slot(name);
                self.unknown = self.unknown.take().or(slot.err());
            }
        }
        self
    }
}

/// Remembers which column the i-th field of a row was for, since rows of one type name their fields
/// in one order. A remembered name is compared before it is believed.
#[derive(Default)]
struct NameMemo {
    places: Vec<(Option<usize>, String)>,
    place: usize,
}

impl NameMemo {
    fn slot(&mut self, name: &str, layout: &Layout) -> Option<usize> {
        let place = self.place;
        self.place += 1;
        if let Some((slot, known)) = self.places.get_mut(place) {
            if known == name {
                return *slot;
            }
            let found = layout.slot(name);
            if name.len() <= NAME_BYTES_MAX {
                known.clear();
                known.push_str(name);
                *slot = found;
            }
            return found;
        }
        let slot = layout.slot(name);
        if self.places.len() == place && place < PLACES_MAX && name.len() <= NAME_BYTES_MAX {
            self.places.push((slot, name.to_owned()));
        }
        slot
    }
}
