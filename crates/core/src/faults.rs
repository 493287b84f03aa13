//! Faults to inject on purpose, so that the proof of sameness is seen to fail.
//!
//! Each is a mistake that real systems make. A hook stands where the mistake would be made; tests
//! and the debug build of the service switch one on and must see it caught and located. **Absent**
//! from release builds: there [`on`] is false at compile time, the hooks vanish, and nothing can
//! switch. This is the one global state of core, and it exists only with debug assertions.

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use crate::error::{Code, Error};

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident = $name:literal,)+) => {
        /// A mistake to be made on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $fault,)+ }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Fault] = &[$(Fault::$fault,)+];

            /// The name by which a program is told.
            pub fn name(self) -> &'static str {
                match self { $(Fault::$fault => $name,)+ }
            }
        }
    };
}

faults! {
    /// An order is that of a hash map, which differs from process to process.
    HashMapOrder = "hash-map-order",
    /// A product is added without being rounded, as some CPUs and compilers do.
    FusedMultiplyAdd = "fused-multiply-add",
    /// Each thread rounds its own part of a sum.
    SumSplitByThread = "sum-split-by-thread",
    /// The exponential is that of the host's mathematical library.
    StdExp = "std-exp",
    /// A draw belongs to the place of a row in its batch, not to the row.
    DrawByBatchPosition = "draw-by-batch-position",
    /// Every step draws from the seed itself.
    ReusedSeed = "reused-seed",
    /// The first row of a block gets no result.
    DroppedRow = "dropped-row",
    /// Zero keeps its sign.
    NegativeZero = "negative-zero",
    /// Columns are bound by their order.
    ReorderedColumns = "reordered-columns",
    /// The table of labels of an earlier batch is used again.
    StaleCategoryTable = "stale-category-table",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = Error;

    /// The fault of that name.
    fn from_str(name: &str) -> Result<Fault, Error> {
        let found = Fault::ALL.iter().find(|fault| fault.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
            let message = format!("expected one of {}, found `{name}`", names.join(", "));
            Error::new(Code::Usage, message)
        })
    }
}

#[cfg(debug_assertions)]
mod switch {
    use std::sync::Mutex;
    use std::sync::atomic::AtomicU8;

    /// 0, or 1 + the position of the injected fault in `Fault::ALL`.
    pub(super) static INJECTED: AtomicU8 = AtomicU8::new(0);
    /// The tables that a stale cache would hold, one per number of labels.
    pub(super) static STALE: Mutex<Vec<Vec<f64>>> = Mutex::new(Vec::new());
}

/// Makes the whole process commit `fault`, or none. Does not exist in release builds.
#[cfg(debug_assertions)]
pub fn inject(fault: Option<Fault>) {
    let number = fault.map_or(0, |fault| 1 + fault as u8);
    switch::INJECTED.store(number, std::sync::atomic::Ordering::SeqCst);
}

/// Whether the process is to commit `fault`.
#[cfg(debug_assertions)]
#[inline]
pub fn on(fault: Fault) -> bool {
    switch::INJECTED.load(std::sync::atomic::Ordering::Relaxed) == 1 + fault as u8
}

/// Never: this is a release build.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn on(_: Fault) -> bool {
    false
}

/// `sum + a * b`, both rounded; rounded once under [`Fault::FusedMultiplyAdd`].
#[inline]
pub(crate) fn multiply_add(sum: f64, a: f64, b: f64) -> f64 {
    #[cfg(debug_assertions)]
    if on(Fault::FusedMultiplyAdd) {
        #[allow(clippy::disallowed_methods, reason = "the mistake itself")]
        return a.mul_add(b, sum);
    }
    sum + a * b
}

/// The items as they stand; in another order in each process under [`Fault::HashMapOrder`].
#[inline]
#[cfg_attr(debug_assertions, allow(clippy::disallowed_types, reason = "the mistake itself"))]
pub(crate) fn hash_order<T: Hash>(items: Vec<T>) -> Vec<T> {
    #[cfg(debug_assertions)]
    if on(Fault::HashMapOrder) {
        use std::hash::{BuildHasher, RandomState};
        let state = RandomState::new();
        let mut items = items;
        items.sort_by_cached_key(|item| state.hash_one(item));
        return items;
    }
    items
}

/// The table as it is; the first one of its length under [`Fault::StaleCategoryTable`].
#[inline]
pub(crate) fn stale_table(table: Vec<f64>) -> Vec<f64> {
    #[cfg(debug_assertions)]
    if on(Fault::StaleCategoryTable) {
        let mut known = switch::STALE.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(stale) = known.iter().find(|known| known.len() == table.len()) {
            return stale.clone();
        }
        known.push(table.clone());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(*fault));
        }
        let unknown = "off-by-one".parse::<Fault>().unwrap_err();
        assert!(unknown.to_string().starts_with("expected one of hash-map-order, "));
    }

    #[test]
    fn without_an_injection_the_hooks_change_nothing() {
        assert!(Fault::ALL.iter().all(|fault| !on(*fault)));
        // (1 + e)^2 = 1 + 2e + e^2, whose last term is lost when the product is rounded.
        let (a, e) = (1.0 + f64::EPSILON, f64::EPSILON);
        assert_eq!(multiply_add(-1.0, a, a), 2.0 * e);
        assert_eq!(hash_order(vec![3, 1, 2]), [3, 1, 2]);
        assert_eq!(stale_table(vec![e]), [e]);
    }
}
