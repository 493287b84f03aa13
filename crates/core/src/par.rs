//! The only room that starts threads: it maps items and gives the results in item order.
//!
//! Nothing here adds, compares or draws, so the number of threads cannot reach a number. Each
//! thread's float mode is checked when it starts, because a library in the host process may have
//! changed it.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::error::{Code, Error, Result};
use crate::math;

/// More threads than this are refused: they would exhaust the machine and help nobody.
pub const N_THREADS_MAX: usize = 1024;

/// A fixed number of threads for everything that runs inside [`Threads::run`].
pub struct Threads {
    pool: Option<rayon::ThreadPool>,
}

impl Threads {
    /// `n_threads` threads; 0 means one per core.
    ///
    /// # Errors
    /// If the host's float mode is not the IEEE-754 default, or threads cannot be started.
    pub fn new(n_threads: usize) -> Result<Self> {
        check_float_mode()?;
        if n_threads > N_THREADS_MAX {
            let message = format!("expected at most {N_THREADS_MAX} threads, found {n_threads}");
            return Err(Error::new(Code::Usage, message));
        }
        if n_threads == 1 {
            return Ok(Threads { pool: None });
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .map_err(|e| Error::new(Code::Io, format!("threads could not be started: {e}")))?;
        if pool.broadcast(|_| math::host_float_mode().is_ok()).into_iter().all(|ok| ok) {
            Ok(Threads { pool: Some(pool) })
        } else {
            check_float_mode()?;
            Err(Error::new(Code::HostFloatMode, "a thread has another float mode than the process"))
        }
    }

    /// Runs `work`; every [`map`] inside uses these threads.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => SEQUENTIAL.with(|sequential| {
                let before = sequential.replace(true);
                let result = work();
                sequential.set(before);
                result
            }),
        }
    }
}

thread_local! {
    /// Whether this thread runs its maps by itself.
    static SEQUENTIAL: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// How many items a thread may keep to itself: where there are few, one may take as long as all
/// others, and no thread shall wait behind it.
fn whole_max(n_items: usize) -> usize {
    const FEW: usize = 4096;
    if n_items <= FEW { 1 } else { n_items }
}

/// `f` of every item, in item order.
pub fn map<T: Send, I: Sync>(items: &[I], f: impl Fn(&I) -> T + Sync + Send) -> Vec<T> {
    if items.len() < 2 || SEQUENTIAL.get() {
        return items.iter().map(f).collect();
    }
    items.par_iter().with_max_len(whole_max(items.len())).map(f).collect()
}

/// `f` of every item, which may change it, in item order.
pub fn map_mut<T: Send, I: Send>(items: &mut [I], f: impl Fn(&mut I) -> T + Sync + Send) -> Vec<T> {
    if items.len() < 2 || SEQUENTIAL.get() {
        return items.iter_mut().map(f).collect();
    }
    let max = whole_max(items.len());
    items.par_iter_mut().with_max_len(max).map(f).collect()
}

/// `f` of every item, which may change it, in item order, with buffers that no other item has at
/// that moment. What is in them may not count: an item gets those that are free.
pub fn map_with<T: Send, I: Send, B: Default + Send>(
    items: &mut [I],
    f: impl Fn(&mut I, &mut B) -> T + Sync + Send,
) -> Vec<T> {
    map_with_those(items, Vec::new(), f)
}

/// As [`map_with`], with buffers that are there from the start: whoever made them had the memory,
/// not the thread that uses them.
pub fn map_with_those<T: Send, I: Send, B: Default + Send>(
    items: &mut [I],
    buffers: Vec<B>,
    f: impl Fn(&mut I, &mut B) -> T + Sync + Send,
) -> Vec<T> {
    let free: Mutex<Vec<B>> = Mutex::new(buffers);
    let pool = || free.lock().unwrap_or_else(PoisonError::into_inner);
    map_mut(items, |item| {
        let mut buffers = pool().pop().unwrap_or_default();
        let made = f(item, &mut buffers);
        pool().push(buffers);
        made
    })
}

/// `f` of each of as many ranges as there are threads, which together are `0..n`, in their order;
/// of one empty range if `n` is 0. So a thread has one item of a range at hand at a time.
pub fn map_ranges<T: Send>(n: usize, f: impl Fn(Range<usize>) -> T + Sync + Send) -> Vec<T> {
    let n_ranges = n_threads().min(n).max(1);
    let bound = |range: usize| range * n / n_ranges;
    let ranges: Vec<usize> = (0..n_ranges).collect();
    map(&ranges, |&range| f(bound(range)..bound(range + 1)))
}

/// Shows `f` of each of `0..n` to `take`, in their order, until that says that it has enough by
/// false. As many are at hand at a time as there are threads: for what is too much to hold.
///
/// # Errors
/// The first one of `take`, after those before it are taken.
pub fn in_waves<T: Send, E>(
    n: usize,
    f: impl Fn(usize) -> T + Sync + Send,
    mut take: impl FnMut(T) -> std::result::Result<bool, E>,
) -> std::result::Result<(), E> {
    let mut next = 0;
    while next < n {
        let wave: Vec<usize> = (next..n.min(next + n_threads().max(1))).collect();
        next += wave.len();
        for made in map(&wave, |&index| f(index)) {
            if !take(made)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// How many threads the current maps use: a hint for cutting work, never an input of a number.
pub fn n_threads() -> usize {
    if SEQUENTIAL.get() { 1 } else { rayon::current_num_threads() }
}

/// Refuses a host whose float mode would move bits.
///
/// # Errors
/// If subnormals are flushed or rounding is not to nearest even.
pub fn check_float_mode() -> Result<()> {
    math::host_float_mode().map_err(|found| Error::new(Code::HostFloatMode, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_item_order_for_every_number_of_threads() {
        let items: Vec<u64> = (0..1000).collect();
        let expected: Vec<u64> = items.iter().map(|x| x * x).collect();
        for n in [1, 2, 8] {
            let threads = Threads::new(n).unwrap();
            assert_eq!(threads.run(|| map(&items, |x| x * x)), expected);
        }
    }

    #[test]
    fn waves_are_taken_in_order_until_an_error_or_enough() {
        for n_threads in [1, 3] {
            let threads = Threads::new(n_threads).unwrap();
            for (enough, expected) in [(99, vec![0, 1, 2, 3, 4, 5]), (2, vec![0, 1, 2])] {
                let mut seen = Vec::new();
                let ended = threads.run(|| {
                    in_waves(
                        7,
                        |index| (index < 6).then_some(index),
                        |made| {
                            let index = made.ok_or("gone")?;
                            seen.push(index);
                            Ok(index < enough)
                        },
                    )
                });
                let expected_end = if enough == 99 { Err("gone") } else { Ok(()) };
                assert_eq!((seen, ended), (expected, expected_end));
            }
        }
        assert_eq!(in_waves(0, |index| index, |_| Err("taken")), Ok(()));
    }

    #[test]
    fn buffers_are_used_again_and_change_nothing() {
        for n in [1, 2, 8] {
            let mut items: Vec<u64> = (0..1000).collect();
            let threads = Threads::new(n).unwrap();
            let made = threads.run(|| {
                map_with(&mut items, |item, buffer: &mut Vec<u64>| {
                    buffer.clear();
                    buffer.extend([*item, *item]);
                    *item += 1;
                    buffer.iter().sum::<u64>()
                })
            });
            assert!(made.into_iter().eq((0..1000).map(|x| 2 * x)));
            assert!(items.into_iter().eq(1..1001));
        }
    }

    #[test]
    fn ranges_are_the_whole_in_order() {
        for n_threads in [1, 3] {
            let threads = Threads::new(n_threads).unwrap();
            for n in [0, 1, 2, 10] {
                let ranges = threads.run(|| map_ranges(n, |range| range));
                assert_eq!(ranges.len(), n_threads.min(n).max(1));
                assert!(ranges.into_iter().flatten().eq(0..n));
            }
        }
    }

    #[test]
    fn one_thread_starts_none() {
        let threads = Threads::new(1).unwrap();
        let here = std::thread::current().id();
        let seen = threads.run(|| map(&[1, 2, 3], |_| std::thread::current().id()));
        assert!(seen.iter().all(|id| *id == here));
    }
}
