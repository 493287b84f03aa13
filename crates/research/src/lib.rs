//! samescore-research: gather, split, fit, evaluate, compare, render.
//!
//! Research knows files, frames, charts and the command line; core knows none of them. Every number
//! that can reach a score is computed in core: this crate brings rows to it and shows what comes
//! back.
//!
//! | room | what it does |
//! |---|---|
//! | [`mod@file`], [`output_file`] | files read whole or opened, and replaced whole |
//! | [`gather`] | any source to a batch of declared columns, or to blocks; schemas inferred |
//! | [`gathering`] | how a config gathers its rows: a source, its columns, what is joined |
//! | [`draft`] | a config to begin with, for a table that nobody has described yet |
//! | [`snapshot`] | gathered rows under the name of their fingerprint, which never change |
//! | [`split`] | the rows that a config keeps from its fit, by seed and row key |
//! | [`folds`] | folds by draw, by class or by time |
//! | [`subset`] | nested shares of the training rows |
//! | [`metrics`] | figures of merit by exact sums |
//! | [`stream`] | what is made of a table block by block |
//! | [`workflow`] | gather to artifact, and evaluation, as the command and the notebooks run them |
//! | [`sink`] | scores to files and tables of databases, in one transaction |
//! | [`search`] | the best parameters of a pipeline, with an honest figure |
//! | [`curves`] | figures over training rows, values of a parameter, seeds |
//! | [`importance`] | how much worse a figure gets when a column is shuffled |
//! | [`dependence`] | the mean score when a column has one value in every row |
//! | [`compare`] | the first difference of two artifacts, score files, feature files or traces |
//! | [`convert`] | the same rows in another format or order |
//! | [`join`] | columns of another table by key, or as of each row's time |
//! | [`linfa`] | our models and transforms behind the traits of linfa |
//! | [`notebook`] | what a notebook says between its cells |
//! | [`render`] | tables and small charts on a terminal |
//! | [`zones`] | names of time zones to pinned tables |
//! | [`plot`] | curves and spreads on a terminal |

#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod compare;
pub mod convert;
pub mod curves;
pub mod dependence;
pub mod draft;
pub mod file;
pub mod folds;
pub mod gather;
pub mod gathering;
pub mod importance;
pub mod join;
pub mod linfa;
pub mod metrics;
pub mod notebook;
pub mod output_file;
pub mod plot;
pub mod render;
mod row_groups;
pub mod search;
pub mod sink;
pub mod snapshot;
pub mod split;
pub mod stream;
pub mod subset;
pub mod workflow;
pub mod zones;
