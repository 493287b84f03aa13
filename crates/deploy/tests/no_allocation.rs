//! A warm scorer allocates nothing per row: counted by the allocator itself.

#![allow(unsafe_code, reason = "only an allocator can count allocations")]

#[path = "../../core/tests/common/mod.rs"]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{judge, pipelines, tables};
use samescore_core::batch::BLOCK_ROWS;
use samescore_deploy::{Batch, Scorer, Scores};
use serde::Serialize;

struct Counting;

thread_local! {
    /// Allocations of this thread.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn scorer() -> Scorer {
    let artifact = samescore_core::example::artifact().expect("an artifact");
    Scorer::from_bytes(artifact.bytes()).expect("the artifact loads")
}

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[derive(Serialize)]
struct House {
    ignored: &'static str,
    grade: &'static str,
    sex: char,
    area: f64,
    age: Option<f64>,
    rooms: u64,
}

fn houses() -> Vec<House> {
    let ages = [None, Some(3.0), Some(41.5)];
    let grades = ["Gd", "a grade that was never seen", "", "TA"];
    let rows = (0..24u32).map(|i| House {
        ignored: "x",
        grade: grades[i as usize % 4],
        sex: if i % 2 == 0 { 'f' } else { 'm' },
        area: f64::from(i) * 3.25,
        age: ages[i as usize % 3],
        rooms: u64::from(i % 7),
    });
    rows.collect()
}

/// Only labels that the fit saw, so that every row has a score.
fn scored() -> Vec<House> {
    let mut houses = houses();
    houses.retain(|h| ["Gd", "TA"].contains(&h.grade));
    houses
}

#[test]
fn the_count_counts() {
    let made = allocations(|| drop(std::hint::black_box(vec![1u8; 10])));
    assert_eq!(made, 1);
}

#[test]
fn a_warm_typed_row_allocates_nothing() {
    let scorer = scorer();
    let mut scratch = scorer.scratch();
    let houses = scored();
    let mut run = || {
        for house in &houses {
            assert!(scorer.score_row(house, &mut scratch).is_ok());
        }
    };
    let cold = allocations(&mut run);
    assert!(cold > 0, "the first rows warm the scratch");
    run();
    assert_eq!(allocations(&mut run), 0);
}

#[test]
fn a_warm_row_set_by_name_allocates_nothing() {
    let scorer = scorer();
    let mut scratch = scorer.scratch();
    let houses = scored();
    let mut run = || {
        for house in &houses {
            let mut row = scorer.row(&mut scratch);
            row.set_text("grade", house.grade).set_num("area", house.area);
            row.set_num("rooms", house.rooms as f64).set_text("sex", "f");
            match house.age {
                Some(age) => row.set_num("age", age),
                None => row.set_missing("age"),
            };
            assert!(row.score().is_ok());
        }
    };
    run();
    run();
    assert_eq!(allocations(&mut run), 0);
}

#[test]
fn a_row_without_a_score_allocates_only_its_reason() {
    let scorer = scorer();
    let mut scratch = scorer.scratch();
    let houses = houses();
    let n_refused = |scratch: &mut samescore_deploy::Scratch| {
        houses.iter().filter(|h| scorer.score_row(h, scratch).is_err()).count()
    };
    assert_eq!(n_refused(&mut scratch), 12);
    let made = allocations(|| assert_eq!(n_refused(&mut scratch), 12));
    assert!((12..=12 * 24).contains(&made), "{made} allocations for 12 reasons");
}

/// Every registered example as a step or model of a pipeline: rows with a score must cost nothing.
#[test]
fn no_kind_allocates_on_a_warm_row() {
    judge::on_cases(|case| {
        let task = case.task(0);
        let table = tables::example(0, 60);
        let config = pipelines::config(case, task, &table)?;
        let artifact = pipelines::seal(&config, &table, BLOCK_ROWS).map_err(|e| e.to_string())?;
        let plan = artifact.plan();
        let (mut block, mut scores) = (Batch::default(), Scores::default());
        let input = plan.bind(&table).map_err(|e| e.to_string())?;
        let slots: Vec<usize> = (0..input.schema().len()).collect();
        let mut n_scored = 0;
        for row in 0..table.n_rows() {
            let mut made = u64::MAX;
            // The buffers change places between columns, so that each needs its time to grow.
            for _ in 0..2 * slots.len() + 2 {
                made = allocations(|| {
                    block.fill(plan.input(), &input, &slots, row..row + 1);
                    if plan.score_block(&mut block, &mut scores).is_err() {
                        scores.clear();
                    }
                });
            }
            let scored = scores.iter().next().is_some_and(|(_, score)| score.is_ok());
            n_scored += usize::from(scored);
            if scored && made > 0 {
                return Err(format!("row {row} makes {made} allocations"));
            }
        }
        if n_scored == 0 {
            return Err("no row has a score".to_owned());
        }
        Ok(())
    });
}
