//! The numbers room: the only one that adds many floats, calls an elementary function, sorts floats
//! or solves.
//!
//! Everything is re-exported flat (`math::exp`, `math::ExactSum`). The laws here: f64 only;
//! elementary functions are correctly rounded, hence unique; sums over rows are exact and rounded
//! once, so their order cannot matter; short sums run in their written order; every NaN is
//! [`MISSING`] and -0 is +0 in every result.
//!
//! This room does not know columns, batches, seeds, threads or files.

mod big;
mod digit_counts;
mod distinct;
mod exact_sum;
#[cfg(test)]
mod exact_sum_oracle;
mod exact_sum_stored;
mod extent;
mod fixed;
mod functions;
mod gram;
mod gram_digits;
mod gram_wide;
mod large_form;
mod matmul;
mod moments;
#[cfg(test)]
mod oracle;
mod order;
mod product;
mod quantile;
mod select;
mod self_test;
mod slices;
mod softmax;
mod solve;
mod special;

pub use distinct::DistinctCounts;
pub use exact_sum::{ExactSum, mean};
pub use extent::Extent;
pub use fixed::{FixedScale, FixedSum};
pub use functions::*;
pub use gram::{Gram, GramMatrix, GramSpec};
pub use matmul::{matmul, matmul_transposed, transpose};
pub use moments::Moments;
pub use order::*;
pub use product::two_product;
pub use quantile::{QuantileType, quantile_counted, quantile_sorted};
pub use select::QuantileSelect;
pub use self_test::{host_float_mode, self_test};
pub use slices::{erf_all, exp_all, sigmoid_all, tanh_all};
pub use softmax::{softmax, softmax_all};
pub use solve::{cholesky, cholesky_solve, qr_solve, solve_spd_refined};
pub use special::{normal_two_sided, student_t_critical, student_t_two_sided};
