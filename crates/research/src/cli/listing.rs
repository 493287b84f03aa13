//! A listing written block by block: to a file that takes its name when it is whole, or to stdout
//! as it comes.

use std::path::Path;

use samescore_core::aggregate::Blocks;
use samescore_core::batch::Batch;
use samescore_core::digest::{Digest, FileHasher};
use samescore_core::error::Result;
use samescore_core::par::Threads;
use samescore_research::gather::SourceBlocks;
use samescore_research::output_file::Draft;
use samescore_research::stream;

use serde_json::{Value, json};

use super::failure::Failure;
use super::shell::{Progress, Shell};

/// A listing in the making.
pub(super) struct Listing<'a> {
    pub(super) shell: &'a Shell,
    pub(super) progress: Progress,
    /// What is done to the rows, as the progress says it.
    pub(super) doing: &'a str,
    /// The file; none means stdout.
    pub(super) out: Option<&'a Path>,
}

/// Stands for the rows of an answer until they come.
const ROWS: &str = "the rows";

impl Listing<'_> {
    /// Writes to stdout the JSON value that `answer` makes of rows, of which `make` makes those of
    /// every block: as if it were written at once.
    pub(super) fn write_json(
        self,
        blocks: &SourceBlocks,
        threads: &Threads,
        answer: impl Fn(Value) -> Value,
        make: impl Fn(&Batch) -> Result<Vec<Value>> + Sync + Send,
    ) -> Result<(), Failure> {
        let body = |rows: Value| self.shell.body(String::new, || answer(rows));
        threads.run(|| make(&Batch::empty(blocks.schema())))?;
        if blocks.n_rows() == 0 {
            return self.shell.write_part(&body(json!([]))).map(|_| ());
        }
        let whole = body(json!([ROWS]));
        let (head, tail) = whole.split_once(&json!(ROWS).to_string()).unwrap_or((&whole, ""));
        // No text in JSON has a line end.
        let indented = |row: &Value| format!("{row:#}").replace('\n', "\n    ");
        let make = |block: Batch| {
            let rows: Vec<String> = make(&block)?.iter().map(indented).collect();
            Ok((block.n_rows() as u64, rows.join(",\n    ")))
        };
        let (mut before, mut n_done, mut is_wanted) = (head, 0, true);
        stream::each_block(blocks, threads, make, |(n, rows)| {
            is_wanted = self.shell.write_part(before)? && self.shell.write_part(&rows)?;
            before = ",\n    ";
            n_done += n;
            self.progress.rows(self.doing, n_done, blocks.n_rows());
            Ok::<bool, Failure>(is_wanted)
        })?;
        match is_wanted {
            true => self.shell.write_part(tail).map(|_| ()),
            false => Ok(()),
        }
    }

    /// Lists what `make` makes of every block: a text that begins with the header, the same one for
    /// every block, and something for `take`. Gives the digest of the whole.
    pub(super) fn write<T: Send>(
        self,
        blocks: &SourceBlocks,
        threads: &Threads,
        make: impl Fn(&Batch) -> Result<(String, T)> + Sync + Send,
        mut take: impl FnMut(T) + Send,
    ) -> Result<Digest, Failure> {
        let (header, _) = threads.run(|| make(&Batch::empty(blocks.schema())))?;
        let mut draft = self.out.map(Draft::begin).transpose()?;
        let mut digest = FileHasher::default();
        let mut put = |part: &str| -> Result<bool, Failure> {
            digest.update(part.as_bytes());
            match &mut draft {
                Some(draft) => draft.write(part.as_bytes()).map(|()| true).map_err(Failure::from),
                None => self.shell.write_part(part),
            }
        };
        let (mut n_done, n_rows) = (0u64, blocks.n_rows());
        let mut wanted = put(&header)?;
        if wanted {
            let make = |block: Batch| Ok((block.n_rows() as u64, make(&block)?));
            stream::each_block(blocks, threads, make, |(n, (text, told))| {
                wanted = put(&text[header.len()..])?;
                take(told);
                n_done += n;
                self.progress.rows(self.doing, n_done, n_rows);
                Ok::<bool, Failure>(wanted)
            })?;
        }
        if let Some(draft) = draft {
            draft.finish()?;
        }
        Ok(digest.finish())
    }
}
