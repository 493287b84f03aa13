//! Which rows and columns a tree sees. Every draw of a row is keyed by the row's fitting key, every
//! draw of columns by the tree, so that the order of rows cannot matter.

use crate::digest::RowKey;
use crate::math;
use crate::rng::{Stream, below, poisson_bootstrap, sample_indices};

/// The rows of a share of `rows`.
pub(super) fn share(rows: &[u32], keys: &[RowKey], stream: &Stream, ratio: f64) -> Vec<u32> {
    let chosen = rows.iter().copied().filter(|&row| below(stream, keys[row as usize], ratio));
    chosen.collect()
}

/// The rows of a bootstrap sample with how often each occurs.
pub(super) fn bootstrap(rows: &[u32], keys: &[RowKey], stream: &Stream) -> (Vec<u32>, Vec<u32>) {
    let counted = rows.iter().map(|&row| (row, poisson_bootstrap(stream, keys[row as usize])));
    counted.filter(|&(_, n)| n > 0).unzip()
}

/// One-sided sampling by gradients: rows whose size is among the `top` share are all kept, of the
/// others a share, so that `other` of all rows are expected, with the factor that makes up for it.
///
/// The size at the end of the top share counts as top, whatever ties there are.
pub(super) fn one_sided(
    rows: &[u32],
    keys: &[RowKey],
    size: impl Fn(usize) -> f64,
    stream: &Stream,
    (top, other): (f64, f64),
) -> (Vec<u32>, Vec<f64>) {
    let mut sizes: Vec<u64> = rows.iter().map(|&r| math::order_key(size(r as usize))).collect();
    sizes.sort();
    let n_top = (rows.len() as f64 * top).ceil() as usize;
    let least = sizes.len().checked_sub(n_top.max(1)).map_or(0, |place| sizes[place]);
    let ratio = other / (1.0 - top);
    let factor = (1.0 - top) / other;
    let kept = rows.iter().filter_map(|&row| {
        if math::order_key(size(row as usize)) >= least {
            return Some((row, 1.0));
        }
        below(stream, keys[row as usize], ratio).then_some((row, factor))
    });
    kept.unzip()
}

/// `n` of the columns 0 to `n_features`, ascending.
pub(super) fn columns(n_features: usize, n: usize, stream: &Stream) -> Vec<u32> {
    if n >= n_features {
        return (0..n_features as u32).collect();
    }
    let chosen = sample_indices(n_features as u64, n as u64, &mut stream.pcg());
    let mut chosen: Vec<u32> = chosen.into_iter().map(|feature| feature as u32).collect();
    chosen.sort();
    chosen
}

/// How many of `n` a share is: at least one, rounded up.
pub(super) fn count_of(n: usize, ratio: f64) -> usize {
    ((n as f64 * ratio).ceil() as usize).clamp(1, n.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seed;

    fn stream() -> Stream {
        Stream::new(Seed(1), "model", "", "rows")
    }

    #[test]
    fn draws_belong_to_rows_and_not_to_places() {
        let keys: Vec<RowKey> = (0..100).map(RowKey).collect();
        let back: Vec<RowKey> = (0..100).rev().map(RowKey).collect();
        let rows: Vec<u32> = (0..100).collect();
        let chosen = share(&rows, &keys, &stream(), 0.3);
        let mut mirrored: Vec<u32> =
            share(&rows, &back, &stream(), 0.3).into_iter().map(|row| 99 - row).collect();
        mirrored.reverse();
        assert_eq!(chosen, mirrored);
        assert!(chosen.len() > 15 && chosen.len() < 45);
        let (drawn, counts) = bootstrap(&rows, &keys, &stream());
        assert!(drawn.len() > 45 && drawn.len() < 80);
        let (mut mirrored, mut turned) = bootstrap(&rows, &back, &stream());
        mirrored.iter_mut().for_each(|row| *row = 99 - *row);
        mirrored.reverse();
        turned.reverse();
        assert_eq!((mirrored, turned), (drawn, counts));
    }

    #[test]
    fn one_sided_samples_keep_large_gradients() {
        let keys: Vec<RowKey> = (0..10).map(RowKey).collect();
        let rows: Vec<u32> = (0..10).collect();
        let size = |row: usize| row as f64;
        let (kept, factors) = one_sided(&rows, &keys, size, &stream(), (0.2, 0.4));
        assert_eq!(&kept[kept.len() - 2..], [8, 9]);
        assert_eq!(factors.last(), Some(&1.0));
        assert!(factors[..kept.len() - 2].iter().all(|&f| f == 2.0));
    }

    #[test]
    fn shares_of_columns() {
        assert_eq!(columns(3, 3, &stream()), [0, 1, 2]);
        assert_eq!(columns(100, 5, &stream()).len(), 5);
        assert_eq!([count_of(10, 0.25), count_of(10, 1e-9), count_of(0, 0.5)], [3, 1, 1]);
    }
}
