//! Configs, sources and artifacts by path.

use std::path::{Path, PathBuf};

use samescore_core::artifact::{ARTIFACT_BYTES_MAX, Artifact};
use samescore_core::batch::Batch;
use samescore_core::config::{Config, Task};
use samescore_core::error::{Code, Error, Result};
use samescore_research::gather::Source;
use samescore_research::gathering::{self, Gathering};
use samescore_research::{draft, file, zones};

use super::failure::Failure;

/// A config with its text and the source of its rows.
pub(super) struct Loaded {
    /// Whether the columns were inferred, because the config declares none.
    pub(super) is_inferred: bool,
    pub(super) config: Config,
    pub(super) gathering: Gathering,
    /// The rows, if they had to be read already.
    rows: Option<Batch>,
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
        let (mut config, mut gathering) = read_gathering(path, &text, data).map_err(wrong)?;
        let is_inferred = config.data.columns.is_empty();
        let mut rows = None;
        if is_inferred {
            rows = gathering.read_once()?;
            config.data.columns = match &rows {
                Some(rows) => gathering::columns_of(rows),
                None => gathering.columns()?,
            };
            gathering.data.columns = config.data.columns.clone();
        }
        let target = &config.target;
        if target.task == Task::Multiclass && target.classes.is_empty() {
            if rows.is_none() && !gathering.is_plain() {
                rows = Some(gathering.read_rows()?);
            }
            config.target.classes = match &rows {
                None => draft::classes(&gathering.source, &gathering.data, &target.column)?,
                Some(rows) => match rows.schema().position(&target.column) {
                    Some(slot) => draft::labels_of(rows.column(slot)),
                    None => Vec::new(),
                },
            };
        }
        config.validate().map_err(wrong)?;
        Ok(Loaded { is_inferred, config, gathering, rows, path: shown, text })
    }

    /// The rows, if they had to be read already; they are given once.
    pub(super) fn take_rows(&mut self) -> Option<Batch> {
        self.rows.take()
    }

    /// An error of this config's fit, pointing into its text where it can.
    pub(super) fn failure(&self, error: Error) -> Failure {
        Failure::in_config(error, &self.path, &self.text)
    }
}

/// How a config gathers its rows, without a look at them. `data` stands in for its source.
pub(super) fn gathering(path: &Path, data: Option<&Path>) -> Result<Gathering, Failure> {
    let text = file::read_text(path)?;
    let read = read_gathering(path, &text, data);
    Ok(read.map_err(|e| Failure::in_config(e, &path.display().to_string(), &text))?.1)
}

fn read_gathering(path: &Path, text: &str, data: Option<&Path>) -> Result<(Config, Gathering)> {
    let mut config = Config::parse_beside(text, &gathering::TABLES)?;
    zones::resolve(&mut config.data)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let instead = data.map(source).transpose()?;
    let gathering = Gathering::read(text, &config, folder, instead)?;
    Ok((config, gathering))
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

    /// The same with the files of all sources of a config.
    pub(super) fn gathered(named: &[(&'a str, &'a Path)], gathering: &Gathering) -> Result<Self> {
        Ok(Inputs { named: named.to_vec(), files: gathering.files()? })
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
