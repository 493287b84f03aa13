//! temporary
use super::*;
use serde::{Deserialize, Serialize};
pub fn host_float_mode() -> Result<(), String> {
    Ok(())
}
pub fn self_test() -> Result<(), String> {
    Ok(())
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuantileSelect {
    qs: Vec<f64>,
    kind: QuantileType,
    v: Vec<f64>,
}
impl QuantileSelect {
    pub fn new(qs: &[f64], kind: QuantileType) -> Self {
        Self {
            qs: qs.to_vec(),
            kind,
            v: vec![],
        }
    }
    pub fn observe_slice(&mut self, x: &[f64]) {
        self.v.extend(x.iter().filter(|x| !x.is_nan()));
    }
    pub fn merge(&mut self, o: &Self) {
        self.v.extend(&o.v);
    }
    pub fn advance(&mut self) -> bool {
        self.v.sort_by(|a, b| total_cmp(*a, *b));
        false
    }
    pub fn finish(&self) -> Vec<Option<f64>> {
        self.qs
            .iter()
            .map(|q| quantile_sorted(&self.v, *q, self.kind))
            .collect()
    }
}
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DistinctCounts {
    v: Vec<f64>,
}
impl DistinctCounts {
    pub fn observe_slice(&mut self, x: &[f64]) {
        self.v.extend(x.iter().filter(|x| !x.is_nan()));
    }
    pub fn merge(&mut self, o: &Self) {
        self.v.extend(&o.v);
    }
    pub fn finish(self) -> Vec<(f64, u64)> {
        let mut v = self.v;
        v.sort_by(|a, b| total_cmp(*a, *b));
        let mut o: Vec<(f64, u64)> = vec![];
        for x in v {
            match o.last_mut() {
                Some(l) if l.0 == x => l.1 += 1,
                _ => o.push((x, 1)),
            }
        }
        o
    }
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GramSpec {
    pub centers: Vec<f64>,
    pub max_abs: Vec<f64>,
    pub slices: u32,
    pub n_rows: u64,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GramMatrix {
    pub n: u64,
    pub p: usize,
    pub hi: Vec<f64>,
    pub lo: Vec<f64>,
}
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gram {
    c: Vec<f64>,
    s: Vec<ExactSum>,
    n: u64,
}
impl Gram {
    pub fn new(s: &GramSpec) -> Self {
        let p = s.centers.len();
        Gram {
            c: s.centers.clone(),
            s: vec![ExactSum::default(); p * p],
            n: 0,
        }
    }
    pub fn observe(&mut self, cols: &[&[f64]]) {
        let p = cols.len();
        self.n += cols[0].len() as u64;
        for i in 0..p {
            for j in 0..p {
                for r in 0..cols[0].len() {
                    self.s[i * p + j].add_product(cols[i][r] - self.c[i], cols[j][r] - self.c[j]);
                }
            }
        }
    }
    pub fn merge(&mut self, o: &Self) {
        self.n += o.n;
        for (a, b) in self.s.iter_mut().zip(&o.s) {
            a.merge(b)
        }
    }
    pub fn finish(&self) -> GramMatrix {
        GramMatrix {
            n: self.n,
            p: self.c.len(),
            hi: self.s.iter().map(|s| s.round()).collect(),
            lo: vec![0.0; self.s.len()],
        }
    }
}
pub fn solve_spd_refined(a: &[f64], _: &[f64], n: usize, b: &[f64], _: &[f64]) -> Option<Vec<f64>> {
    let mut m = a.to_vec();
    let mut x = b.to_vec();
    for k in 0..n {
        if m[k * n + k] <= 0.0 {
            return None;
        }
        for i in k + 1..n {
            let f = m[i * n + k] / m[k * n + k];
            for j in k..n {
                m[i * n + j] -= f * m[k * n + j];
            }
            x[i] -= f * x[k];
        }
    }
    for k in (0..n).rev() {
        for j in k + 1..n {
            x[k] -= m[k * n + j] * x[j];
        }
        x[k] /= m[k * n + k];
    }
    Some(x)
}
