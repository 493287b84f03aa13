//! What feature-engine 1.9.4 and scikit-learn 1.9.1 define, held against our kinds on three tables.
//!
//! Where a result has one value (medians, constants, codes, single operations) every bit must be
//! the peer's. Means and deviations of ours are held against the exact values; how far the peer's
//! may lie from them is derived here from the roundings that the peer makes. With u = 2^-53, a
//! relative error of k u is at most k ulps, because u x <= ulp(x).

#![allow(
    clippy::disallowed_methods,
    reason = "the reference results are files; the law is about core itself"
)]

use samescore_core::math::{self, ExactSum, ulps_between};
use serde_json::{Value, json};

#[path = "oracles/tables.rs"]
mod tables;

use tables::{Set, Split, column, distance, num, number, numbers, run, same, sets, strings};

/// Requires every column that a record shows, train and test, to be the peer's.
fn same_columns(set: &Set, id: &str, record: &Value, found: &Split) {
    for (part, rows) in [("train", &found.train), ("test", &found.test)] {
        for (name, digest) in record[part].as_object().unwrap() {
            let what = format!("{} {id} {part} {name}", set.name);
            same(&what, column(rows, name), digest);
        }
    }
}

/// Fits and applies, and requires every column.
fn same_result(set: &Set, id: &str, kind: &str, params: Value, columns: &[String], rows: &Split) {
    if let Some(record) = set.record(id) {
        let (_, found) = run(kind, params, columns, rows);
        same_columns(set, id, record, &found);
    }
}

/// The rows with medians in the numeric columns: what the peers' scalers were given.
fn imputed(set: &Set) -> Split {
    run("mean_median_imputer", json!({}), &set.nums(), &set.split(None)).1
}

#[test]
fn the_tables_are_those_of_the_peers() {
    for set in sets() {
        let (record, rows) = (set.record("split").unwrap(), set.split(None));
        for (part, rows) in [("raw_train", &rows.train), ("raw_test", &rows.test)] {
            for name in set.nums().iter().chain(&set.texts()) {
                let what = format!("{} {part} {name}", set.name);
                same(&what, column(rows, name), &record[part][name]);
            }
        }
    }
}

#[test]
fn medians_and_given_numbers_are_the_same() {
    for set in sets() {
        let (raw, nums) = (set.split(None), set.nums());
        let record = set.record("impute.median").unwrap();
        let (state, found) = run("mean_median_imputer", json!({}), &nums, &raw);
        for (name, fill) in nums.iter().zip(numbers(&state["fill"])) {
            let median = number(&record["learned"]["imputer_dict_"][name]);
            assert_eq!(fill.to_bits(), median.to_bits(), "{} {name}", set.name);
        }
        same_columns(&set, "impute.median", record, &found);
        let given = |params| ("arbitrary_number_imputer", params);
        let (kind, params) = given(json!({"number": -999}));
        same_result(&set, "impute.arbitrary", kind, params, &nums, &raw);
        let by_name = set.record("impute.arbitrary_dict").unwrap();
        let (kind, params) = given(json!({"numbers": by_name["params"]["imputer_dict"]}));
        let named = strings(&by_name["learned"]["variables"]);
        same_result(&set, "impute.arbitrary_dict", kind, params, &named, &raw);
    }
}

#[test]
fn indicators_are_the_same_and_in_the_same_order() {
    for set in sets() {
        let raw = set.split(None);
        for (id, missing_only) in
            [("impute.indicator_True", true), ("impute.indicator_False", false)]
        {
            let record = set.record(id).unwrap();
            let params = json!({"missing_only": missing_only});
            let (_, found) = run("missing_indicator", params, &strings(&record["input"]), &raw);
            same_columns(&set, id, record, &found);
            let names: Vec<&str> = found.train.schema().names().collect();
            assert_eq!(names, set.names(id), "{} {id}", set.name);
        }
    }
}

#[test]
fn means_and_deviations_are_exact_and_the_peers_lie_within_their_roundings() {
    for set in sets() {
        let (raw, nums) = (set.split(None), set.nums());
        let (mean, _) = run("mean_median_imputer", json!({"method": "mean"}), &nums, &raw);
        let (scaler, _) = run("standard_scaler", json!({}), &nums, &raw);
        let (means, scales) = (numbers(&mean["fill"]), numbers(&scaler["scales"]));
        assert_eq!(means, numbers(&scaler["means"]));
        let exact = &set.record("exact.moments").unwrap()["columns"];
        let peer = &set.record("impute.mean").unwrap()["learned"]["imputer_dict_"];
        let mut farthest = 0;
        for (i, name) in nums.iter().enumerate() {
            let (what, exact) = (format!("{} {name}", set.name), &exact[name]);
            assert_eq!(means[i].to_bits(), number(&exact["mean"]).to_bits(), "{what}");
            // Ours is the square root of the rounded variance: sqrt halves the first relative error
            // to u / 2 and adds one of u, so it is less than 2 ulps from the value rounded once,
            // hence the same or a neighbour.
            let variance = number(&exact["var0"]);
            assert_eq!(scales[i].to_bits(), math::sqrt(variance).to_bits(), "{what}");
            assert!(ulps_between(scales[i], number(&exact["sd0"])) <= 1, "{what}");
            // A float sum of n values in any order errs by (n - 1) u times the sum of their sizes,
            // which is the sum itself where none is negative; the quotient adds u, ours u.
            let values = num(&raw.train, name).iter().filter(|x| !x.is_nan());
            assert!(values.clone().all(|&x| x >= 0.0), "{what}");
            let allowed = values.count() as u64 + 1;
            let apart = ulps_between(means[i], number(&peer[name]));
            assert!(apart <= allowed, "{what}: {apart} of {allowed} ulps");
            farthest = farthest.max(apart);
        }
        println!("{}: means of the peer up to {farthest} ulps away", set.name);
    }
}

#[test]
fn standard_scales_of_the_peer_lie_within_its_roundings() {
    let mut n_same = 0;
    for set in sets() {
        let (rows, nums) = (imputed(&set), set.nums());
        let record = set.record("sk.standard").unwrap();
        let (state, found) = run("standard_scaler", json!({}), &nums, &rows);
        let (means, scales) = (numbers(&state["means"]), numbers(&state["scales"]));
        let peer_means = numbers(&record["learned"]["mean_"]);
        let peer_scales = numbers(&record["learned"]["scale_"]);
        let n = rows.train.n_rows() as u64;
        let (mut mean_apart, mut scale_apart) = (0, 0);
        for i in 0..nums.len() {
            let what = format!("{} {}", set.name, nums[i]);
            mean_apart = mean_apart.max(ulps_between(means[i], peer_means[i]));
            scale_apart = scale_apart.max(ulps_between(scales[i], peer_scales[i]));
            // Means as above. Two passes for the variance: each difference errs by u, its square
            // by 3 u, the sum of n squares by (n - 1) u more, correction and quotient by 3 u: n + 5
            // in all. The error of the mean enters squared, as (n u mean / sd)^2, below u while
            // mean / sd is below 1e4. sqrt halves all that and adds u; ours adds 3 u / 2.
            assert!(mean_apart <= n + 1, "{what}: {mean_apart} ulps");
            assert!(means[i] < 1e4 * scales[i], "{what}");
            assert!(scale_apart <= (n + 6) / 2 + 3, "{what}: {scale_apart} ulps");
            // The same mean and scale must give the same column: one subtraction, one division.
            let equal = means[i] == peer_means[i] && scales[i] == peer_scales[i];
            let name = format!("x{i}");
            // The peer keeps the sign of a zero: a column with a 0 has no digest to compare.
            if equal && !num(&found.train, &nums[i]).contains(&0.0) {
                same(&what, column(&found.train, &nums[i]), &record["train"][&name]);
                n_same += 1;
            }
        }
        println!("{}: means {mean_apart}, scales {scale_apart} ulps away", set.name);
    }
    println!("{n_same} columns with the peer's mean and scale, and all its bits");
    assert!(n_same > 0 || sets().is_empty(), "no column to compare");
}

#[test]
fn min_max_scales_are_the_same() {
    for set in sets() {
        let (rows, nums) = (imputed(&set), set.nums());
        let record = set.record("sk.minmax").unwrap();
        let (state, found) = run("min_max_scaler", json!({}), &nums, &rows);
        assert_eq!(numbers(&state["scales"]), numbers(&record["learned"]["scale_"]));
        assert_eq!(numbers(&state["offsets"]), numbers(&record["learned"]["min_"]));
        for (part, rows) in [("train", &found.train), ("test", &found.test)] {
            for (i, name) in nums.iter().enumerate() {
                let what = format!("{} {part} {name}", set.name);
                same(&what, column(rows, name), &record[part][format!("x{i}")]);
            }
        }
    }
}

/// A C library's logarithm or power errs by less than 1 ulp and ours by at most half a one, so the
/// two are equal or neighbours: at every value shown, and in the sum over the column.
fn neighbours(what: &str, values: &[f64], digest: &Value) -> u64 {
    let apart = distance(values, digest);
    assert!(apart <= 1, "{what}: {apart} ulps");
    let infinite = |side: f64| values.iter().filter(|&&x| x == side).count() as u64;
    let infs = digest.get("infs").cloned().unwrap_or(json!([0, 0]));
    assert_eq!(json!([infinite(f64::INFINITY), infinite(f64::NEG_INFINITY)]), infs, "{what}");
    let (mut error, mut allowed) = (ExactSum::new(), ExactSum::new());
    for &x in values.iter().filter(|x| x.is_finite()) {
        error.add(x);
        allowed.add(x.abs() * f64::EPSILON);
    }
    error.add(-number(&digest["sum"]));
    // The peer's sum is itself rounded once.
    allowed.add(number(&digest["sum"]).abs() * f64::EPSILON);
    assert!(error.round().abs() <= allowed.round(), "{what}: {error:?}");
    apart
}

#[test]
fn logarithms_are_the_peers_or_their_neighbours() {
    for set in sets() {
        let rows = imputed(&set);
        for (id, base) in [("tf.log_e", "e"), ("tf.log_10", "10")] {
            let Some(record) = set.record(id) else {
                continue;
            };
            let columns = strings(&record["learned"]["variables"]);
            let (_, found) = run("log_transformer", json!({"base": base}), &columns, &rows);
            let mut apart = 0;
            for (part, rows) in [("train", &found.train), ("test", &found.test)] {
                for name in &columns {
                    let what = format!("{} {id} {part} {name}", set.name);
                    apart = apart.max(neighbours(&what, num(rows, name), &record[part][name]));
                }
            }
            println!("{} {id}: {apart} ulps away at most", set.name);
        }
    }
}

#[test]
fn relative_features_are_the_same_and_in_the_same_order() {
    for set in sets() {
        let (rows, record) = (imputed(&set), set.record("make.relative").unwrap());
        let mut params = record["params"].clone();
        let columns = strings(&params["variables"].take());
        let func = ["add", "sub", "mul", "div", "floordiv", "mod", "pow"];
        let fill_value = &params["fill_value"];
        let ours =
            json!({"func": func, "reference": params["reference"], "fill_value": fill_value});
        let (_, found) = run("relative_features", ours, &columns, &rows);
        for (part, rows) in [("train", &found.train), ("test", &found.test)] {
            for (name, digest) in record[part].as_object().unwrap() {
                let what = format!("{} {part} {name}", set.name);
                let ours = name.replace("_truediv_", "_div_");
                if name.contains("_pow_") {
                    neighbours(&what, num(rows, &ours), digest);
                } else {
                    same(&what, column(rows, &ours), digest);
                }
            }
        }
        let mut names = set.names("make.relative");
        names.retain(|name| !name.contains("_truediv_"));
        let known = |name: &&str| names.iter().any(|n| n == name);
        let ours: Vec<&str> = found.train.schema().names().filter(known).collect();
        let new = |name: &&str| func.iter().any(|f| name.contains(&format!("_{f}_")));
        let ours: Vec<&str> = ours.into_iter().filter(new).collect();
        names.retain(|name| new(&name.as_str()));
        assert_eq!(ours, names, "{}", set.name);
    }
}

#[test]
fn labels_are_filled_grouped_and_coded_the_same() {
    for set in sets() {
        let (raw, filled, texts) = (set.split(None), set.split(Some("Missing")), set.texts());
        let ordered = json!({"method": "ordered", "unseen": "encode"});
        same_result(&set, "enc.ordinal_ordered", "ordinal_encoder", ordered, &texts, &filled);
        let kind = "categorical_imputer";
        same_result(&set, "impute.cat_missing", kind, json!({}), &texts, &raw);
        let frequent = json!({"method": "frequent"});
        same_result(&set, "impute.cat_frequent", kind, frequent, &texts, &raw);
        let capped = json!({
            "ratio_min": 0.01, "n_categories": 1, "max_n_categories": 3, "replace_with": "Other",
        });
        for (id, params) in [
            ("enc.rare_0.05_10", json!({})),
            ("enc.rare_0.05_2", json!({"n_categories": 2})),
            ("enc.rare_0.01_1", json!({"ratio_min": 0.01, "n_categories": 1})),
            ("enc.rare_max3", capped),
        ] {
            same_result(&set, id, "rare_label_encoder", params, &texts, &filled);
        }
        // Which label is dropped last follows the order of the rows in the peer, so only the forms
        // that keep every label, or the top ones, have one result.
        let top = json!({"top_categories": 3});
        for (id, params) in [("enc.onehot", json!({})), ("enc.onehot_top3", top)] {
            same_result(&set, id, "one_hot_encoder", params, &texts, &filled);
        }
    }
}
