//! Configs, sources and artifacts by path.

use std::path::{Path, PathBuf};

use samescore_core::artifact::{ARTIFACT_BYTES_MAX, Artifact};
use samescore_core::config::{Config, Task};
use samescore_core::error::{Code, Error, Result};
use samescore_research::gather::Source;
use samescore_research::{draft, file, gather};

use super::failure::Failure;

/// The tables of a config that say how its rows are gathered.
const GATHERING: [&str; 3] = ["source", "join", "aggregate"];

/// A config with its text and the source of its rows.
pub(super) struct Loaded {
    /// Whether the columns were inferred, because the config declares none.
    pub(super) is_inferred: bool,
    pub(super) config: Config,
    pub(super) source: Source,
    path: String,
    text: String,
}

impl Loaded {
    /// Reads a config. `data` stands in for its source; a config that declares no columns takes
    /// those of the source.
    pub(super) fn read(path: &Path, data: Option<&Path>) -> Result<Self, Failure> {
        let text = file::read_text(path)?;
        let shown = path.display().to_string();
        let wrong = |e: Error| Failure::in_config(e, &shown, &text);
        let mut config = Config::parse_beside(&text, &GATHERING).map_err(wrong)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let named = gather::of_config(&text, &config, folder).map_err(wrong)?;
        let source = match (data, named) {
            (Some(data), _) => source(data)?,
            (None, Some(source)) => source,
            (None, None) => {
                let error = Error::new(Code::Usage, "expected a source of rows, found none");
                return Err(error.remedy("set `source` under [data], or give --data").into());
            }
        };
        let is_inferred = config.data.columns.is_empty();
        if is_inferred {
            config.data.columns = gather::infer(&source, &config.data.missing)?;
        }
        let target = &config.target;
        if target.task == Task::Multiclass && target.classes.is_empty() {
            config.target.classes = draft::classes(&source, &config.data, &target.column)?;
        }
        config.validate().map_err(wrong)?;
        Ok(Loaded { is_inferred, config, source, path: shown, text })
    }

    /// An error of this config's fit, pointing into its text where it can.
    pub(super) fn failure(&self, error: Error) -> Failure {
        Failure::in_config(error, &self.path, &self.text)
    }
}

/// The source that an argument names.
pub(super) fn source(argument: &Path) -> Result<Source> {
    Source::parse(argument, Path::new(""))
}

/// The files that a command reads, each with what it is called: those `named`, and the source's.
pub(super) struct Inputs<'a> {
    named: Vec<(&'a str, &'a Path)>,
    files: Vec<PathBuf>,
}

impl<'a> Inputs<'a> {
    pub(super) fn of(named: &[(&'a str, &'a Path)], source: &Source) -> Result<Self> {
        Ok(Inputs { named: named.to_vec(), files: source.files()? })
    }

    pub(super) fn all(&self) -> Vec<(&str, &Path)> {
        let of_source = self.files.iter().map(|path| ("the source", path.as_path()));
        self.named.iter().copied().chain(of_source).collect()
    }
}

/// The bytes of an artifact file.
pub(super) fn artifact_bytes(path: &Path) -> Result<Vec<u8>> {
    let length = std::fs::metadata(path).map_or(0, |m| m.len());
    if length > ARTIFACT_BYTES_MAX as u64 {
        let message = format!(
            "`{}`: expected at most {ARTIFACT_BYTES_MAX} bytes, found {length}",
            path.display()
        );
        return Err(Error::new(Code::NotAnArtifact, message));
    }
    file::read(path)
}

/// An artifact that has passed every check.
pub(super) fn artifact(path: &Path) -> Result<Artifact> {
    Artifact::from_bytes(&artifact_bytes(path)?)
}
