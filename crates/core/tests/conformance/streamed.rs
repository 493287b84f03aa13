//! Every case fitted on a table that is read block by block gives the artifact of the table in
//! memory.

use crate::common::judge::on_cases;
use crate::common::run::threads;
use crate::common::{blocks, pipelines, tables};

#[test]
fn a_streamed_fit_gives_the_artifact_of_the_fit_in_memory() {
    on_cases(|case| {
        let table = tables::example(3, 60);
        let config = pipelines::config(case, case.tasks[0], &table)?;
        let expected = pipelines::seal(&config, &table, 1000).map_err(|e| e.to_string())?;
        for (block_rows, n_threads) in [(1, 8), (3, 2), (64, 1)] {
            let found = threads(n_threads).run(|| blocks::seal(&config, &table, block_rows));
            if found.map_err(|e| e.to_string())?.bytes() != expected.bytes() {
                return Err(format!(
                    "another artifact: blocks of {block_rows}, {n_threads} threads"
                ));
            }
        }
        Ok(())
    });
}
