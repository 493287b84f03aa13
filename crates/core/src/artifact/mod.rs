//! The artifact: one file that holds everything a score depends on. **This format can never
//! change.**
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic `SSCR` |
//! | 2 | format number, little-endian: 1 |
//! | 2 | flags: 0; an unknown flag is refused |
//! | 8 | length of the payload, little-endian |
//! | 32 | SHA-256 of the payload: the artifact's identity |
//! | n | payload: canonical MessagePack of [`Payload`] |
//!
//! A new format number is made by adding a reader beside this one; this one stays, and so do its
//! golden files. No timestamp, host, user, path, address or code is inside: two fits of one config
//! on one multiset of rows are the same file.
//!
//! **Loading** checks length, hash, canonical form, meaning (config against fitted state, every
//! width), and re-scores the golden rows: an artifact that loads scores as it did where it was
//! made.

mod drift;
mod golden;
mod profile;
mod spread;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::config::Config;
use crate::digest::{Digest, Fingerprint, sha256};
use crate::error::{Code, Error, Result};
use crate::math;
use crate::par;
use crate::pipeline::{Fitted, Pipeline, Plan, PopulationCounts};

pub use drift::{ColumnDrift, Drift, DriftBreak, psi};
pub use golden::Golden;
pub use profile::{ColumnProfile, Profile, ValueProfile};
pub use spread::{
    LevelSpread, NumSpread, OrderedSpread, PROFILE_LEVEL_BYTES_MAX, PROFILE_LEVELS_MAX,
    PROFILE_QUANTILES, Spread, TimeSpread,
};

const MAGIC: [u8; 4] = *b"SSCR";
const FORMAT: u16 = 1;
const HEADER_BYTES: usize = 48;
/// Longer artifacts are refused before anything is read.
pub const ARTIFACT_BYTES_MAX: usize = 256 << 20;

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// The tags of every kind used, sorted.
    pub kinds: Vec<String>,
    /// The resolved config: every parameter spelt out.
    pub config: Config,
    /// The identity of the config.
    pub config_fingerprint: Fingerprint,
    /// The identity of the rows that were gathered, with those kept for the test.
    pub data_fingerprint: Fingerprint,
    /// The number of rows fitted on.
    pub n_rows: u64,
    /// How many rows the filters of the population saw and kept, with those kept for the test;
    /// absent without filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<PopulationCounts>,
    /// The fitted pipeline.
    pub pipeline: Pipeline,
    /// Counts and ranges of the input columns in training.
    pub profile: Profile,
    /// Figures of merit by name, on the rows that were kept from the fit.
    pub metrics: BTreeMap<String, f64>,
    /// Training rows with the digests of their stages and their scores.
    pub golden: Golden,
}

/// An artifact that has passed every check, compiled.
#[derive(Clone)]
pub struct Artifact {
    payload: Payload,
    plan: Plan,
    digest: Digest,
    bytes: Vec<u8>,
}

impl Artifact {
    /// Seals a fit.
    ///
    /// # Errors
    /// If the fitted pipeline does not reproduce what training saw.
    pub fn seal(
        config: &Config,
        data: Fingerprint,
        fitted: Fitted,
        metrics: BTreeMap<String, f64>,
    ) -> Result<Self> {
        let payload = Payload {
            kinds: kinds(&fitted.pipeline),
            config: config.clone(),
            config_fingerprint: config.fingerprint()?,
            data_fingerprint: data,
            n_rows: fitted.n_rows,
            population: fitted.population,
            pipeline: fitted.pipeline,
            profile: fitted.profile,
            metrics,
            golden: fitted.golden,
        };
        Artifact::from_bytes(&frame(&codec::encode(&payload)?))
    }

    /// Reads an artifact and tests that it scores here as it did where it was made.
    ///
    /// # Errors
    /// If it is damaged, unknown, not canonical, or does not reproduce its golden rows.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (digest, payload) = unframe(bytes)?;
        par::check_float_mode()?;
        math::self_test().map_err(|found| {
            Error::new(Code::SelfTest, format!("math does not give its known bits here: {found}"))
                .step("math")
        })?;
        let mut payload: Payload = codec::decode(payload).map_err(malformed)?;
        let plan = check(&payload)?;
        payload.golden.test(&plan)?;
        payload.config.data.source = None;
        Ok(Artifact { payload, plan, digest, bytes: bytes.to_vec() })
    }

    /// What an artifact says about itself, without any test of what it computes: for `inspect`,
    /// also of artifacts that are refused.
    ///
    /// # Errors
    /// If frame or content cannot be read at all.
    pub fn peek(bytes: &[u8]) -> Result<(Digest, Payload)> {
        let (digest, payload) = unframe(bytes)?;
        Ok((digest, codec::decode(payload).map_err(malformed)?))
    }

    /// The identity: SHA-256 of the payload.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the file holds.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The compiled pipeline.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Re-scores the golden rows.
    ///
    /// # Errors
    /// If a stage or a score differs; the first one is named.
    pub fn verify(&self) -> Result<()> {
        par::check_float_mode()?;
        self.payload.golden.test(&self.plan)
    }
}

/// Errors about config or data inside an artifact are about the artifact.
fn malformed(error: Error) -> Error {
    match error.kind() {
        crate::error::Kind::Artifact => error,
        _ => Error::new(Code::Malformed, format!("the content is refused: {error}")),
    }
}

/// Checks meaning: that config, fingerprint, kinds and fitted state belong together.
fn check(payload: &Payload) -> Result<Plan> {
    payload.config.validate().map_err(malformed)?;
    if payload.config.fingerprint()? != payload.config_fingerprint {
        return Err(Error::new(
            Code::Malformed,
            "expected the config to have its recorded fingerprint, found another",
        ));
    }
    let plan = Plan::new(&payload.config, payload.pipeline.clone()).map_err(malformed)?;
    let n_golden = u64::from(payload.config.golden_rows).min(payload.n_rows);
    if payload.n_rows == 0 || payload.golden.n_rows() as u64 != n_golden {
        let found = payload.golden.n_rows();
        let message = format!("expected {n_golden} golden rows, found {found}");
        return Err(Error::new(Code::Malformed, message));
    }
    let filters = &payload.config.population;
    let counted = match &payload.population {
        None => filters.is_empty(),
        Some(counts) => !filters.is_empty() && counts.fits(filters, payload.n_rows),
    };
    if !counted {
        let message = "expected the counts of the population's filters, found others";
        return Err(Error::new(Code::Malformed, message));
    }
    payload.profile.check()?;
    if kinds(&payload.pipeline) != payload.kinds {
        return Err(Error::new(
            Code::Malformed,
            "expected the kinds of the pipeline, found another list",
        ));
    }
    Ok(plan)
}

fn kinds(pipeline: &Pipeline) -> Vec<String> {
    let mut kinds: Vec<String> =
        pipeline.steps.iter().map(|step| step.state.kind().to_owned()).collect();
    kinds.push(pipeline.model.kind().to_owned());
    kinds.sort();
    kinds.dedup();
    kinds
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&0u16.to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&sha256(payload).0);
    bytes.extend_from_slice(payload);
    bytes
}

/// The same artifact file with a new payload and the hash that belongs to it. For tests that must
/// reach what stands behind the hash.
pub fn reseal(payload: &[u8]) -> Vec<u8> {
    frame(payload)
}

/// The payload's place in an artifact file, behind the header.
pub fn payload_of(bytes: &[u8]) -> &[u8] {
    bytes.get(HEADER_BYTES..).unwrap_or_default()
}

fn unframe(bytes: &[u8]) -> Result<(Digest, &[u8])> {
    let corrupt = |message: String| Err(Error::new(Code::Corrupt, message));
    if bytes.len() > ARTIFACT_BYTES_MAX {
        return corrupt(format!(
            "expected at most {ARTIFACT_BYTES_MAX} bytes, found {}",
            bytes.len()
        ));
    }
    if bytes.get(..4) != Some(&MAGIC) {
        let found = bytes.get(..4.min(bytes.len())).unwrap_or_default();
        let found: String = found.iter().map(|b| format!("{b:02x}")).collect();
        return Err(Error::new(
            Code::NotAnArtifact,
            format!("expected an artifact, which begins with 53534352, found {found}"),
        ));
    }
    let Some((header, payload)) = bytes.split_at_checked(HEADER_BYTES) else {
        return corrupt(format!("expected at least {HEADER_BYTES} bytes, found {}", bytes.len()));
    };
    let format = u16::from_le_bytes([header[4], header[5]]);
    let flags = u16::from_le_bytes([header[6], header[7]]);
    if format != FORMAT || flags != 0 {
        return Err(Error::new(
            Code::UnknownFormat,
            format!("expected format {FORMAT} without flags, found format {format}, flags {flags}"),
        )
        .remedy("a newer release of samescore may know it"));
    }
    let mut length = [0u8; 8];
    length.copy_from_slice(&header[8..16]);
    let length = u64::from_le_bytes(length);
    if length != payload.len() as u64 {
        return corrupt(format!("expected {length} bytes of content, found {}", payload.len()));
    }
    let digest = sha256(payload);
    if digest.0 != header[16..] {
        return corrupt("expected content of the recorded SHA-256, found another".to_owned());
    }
    Ok((digest, payload))
}
