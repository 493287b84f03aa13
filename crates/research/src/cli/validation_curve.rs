//! `validation-curve`: how one parameter moves both sides of a fit.

use samescore_core::error::{Code, Error};
use samescore_research::search::show;
use samescore_research::{curves, metrics};
use serde_json::{Value, json};

use super::failure::Failure;
use super::folding::{self, FoldArgs, Source, SourceArgs};
use super::learning_curve;
use super::shell::{Answer, Shell};

/// Fit with each value of a parameter and show how both sides move.
///
/// Rows that the config's split keeps take no part.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  samescore validation-curve titanic.toml \
                        --parameter model.c --values 0.01,0.1,1,10")]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The parameter: model.PARAM or STEP.PARAM.
    #[arg(long, value_name = "NAME")]
    parameter: String,
    /// Its values, as TOML, separated by commas; bare words are texts.
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true)]
    values: String,
    /// The number of folds, at least 2.
    #[arg(long, value_name = "K", default_value_t = 5)]
    folds: u64,
    #[command(flatten)]
    scheme: FoldArgs,
    /// The metric of the curve; the JSON answer has all.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
}

pub(super) fn run(args: &Args, shell: &Shell) -> Result<Answer, Failure> {
    let plan = args.scheme.plan(args.folds)?;
    let values = values(&args.values)?;
    let Source { loaded, batch, threads } = Source::read(&args.source, shell)?;
    let metric = metrics::named(&loaded.config, args.metric.as_deref())?;
    let progress = shell.progress("fitting");
    let hear = |step: &str, done, total| progress.at(step, done, total);
    let parameter = (args.parameter.as_str(), values.as_slice());
    let found =
        curves::validation(&loaded.config, &batch, &plan, &metric, parameter, &threads, &hear);
    let points = found.map_err(|e| loaded.failure(e))?;
    drop(progress);
    let labels: Vec<String> = values.iter().map(show).collect();
    Ok(Answer::yes(shell.body(
        || {
            let text = learning_curve::text(&args.parameter, &labels, &points, &metric);
            text + &folding::weighed(&loaded.config)
        },
        || {
            let with = |(value, point): (&toml::Value, &_)| {
                let mut object = learning_curve::to_json(point);
                object["value"] = json!(value);
                object
            };
            let points: Vec<Value> = values.iter().zip(&points).map(with).collect();
            json!({
                "command": "validation-curve",
                "parameter": args.parameter,
                "metric": metric.name,
                "weight": loaded.config.data.weight,
                "points": points,
            })
        },
    )))
}

/// `0.1,1,[2, 3],mean` as TOML values.
fn values(text: &str) -> Result<Vec<toml::Value>, Error> {
    let parsed = |text: &str| toml::from_str::<toml::Table>(&format!("x = [{text}]")).ok();
    let list = |table: toml::Table| table.get("x").and_then(|x| x.as_array()).cloned();
    let whole = parsed(text).and_then(list);
    let values = whole.unwrap_or_else(|| {
        let one = |cell: &str| {
            let read = parsed(cell).and_then(list).and_then(|list| list.into_iter().next());
            read.unwrap_or_else(|| toml::Value::String(cell.trim().to_owned()))
        };
        text.split(',').map(one).collect()
    });
    if values.is_empty() || text.trim().is_empty() {
        let error = Error::new(Code::Usage, "expected values of the parameter, found none");
        return Err(error.remedy("give --values such as 0.1,1,10"));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_toml_or_words() {
        let shown = |text: &str| values(text).unwrap().iter().map(show).collect::<Vec<_>>();
        assert_eq!(shown("0.1,1, 1e3"), ["0.1", "1", "1000.0"]);
        assert_eq!(shown("[1, 2],\"a,b\""), ["[1, 2]", "\"a,b\""]);
        assert_eq!(shown("mean, 2,true"), ["\"mean\"", "2", "true"]);
        assert!(values(" ").is_err());
    }
}
