//! Configs, sources and artifacts by path.

use std::path::{Path, PathBuf};

use samescore_core::artifact::{ARTIFACT_BYTES_MAX, Artifact};
use samescore_core::batch::Batch;
use samescore_core::config::{Config, Task};
use samescore_core::error::{Code, Error, Result};
use samescore_research::gather::Source;
use samescore_research::gathering::{self, Gathering, Instead};
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
    /// those of the rows.
    pub(super) fn read(path: &Path, data: &DataArgs) -> Result<Self, Failure> {
        let text = file::read_text(path)?;
        let shown = path.display().to_string();
        let wrong = |e: Error| Failure::in_config(e, &shown, &text);
        let (mut config, mut gathering) =
            read_gathering(path, &text, data.instead()?).map_err(wrong)?;
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

/// The rows of a command that reads a config.
#[derive(clap::Args)]
pub(super) struct DataArgs {
    /// The rows: a file, a folder or pattern of files, or the address of a database; instead of the
    /// source that the config names. What the config joins is joined to them, and they are grouped
    /// as it says.
    #[arg(long, value_name = "SOURCE")]
    data: Option<PathBuf>,
    /// The rows of --data are what the config gathers already, such as a snapshot of it: nothing is
    /// joined to them, and they are not grouped.
    #[arg(long, requires = "data")]
    gathered: bool,
}

impl DataArgs {
    fn instead(&self) -> Result<Option<Instead>> {
        let source = self.data.as_deref().map(source).transpose()?;
        Ok(source.map(|source| Instead { source, is_gathered: self.gathered }))
    }
}

/// The rows of a command that reads an artifact.
#[derive(clap::Args)]
pub(super) struct RowArgs {
    /// The rows: a file, a folder or pattern of files, or the address of a database.
    source: PathBuf,
    /// The config of the fit, if it joins or groups: the rows are gathered as they were then, from
    /// this source instead of its own. An artifact does not say how its rows were gathered.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl RowArgs {
    /// How the rows are gathered, of which an artifact says the columns.
    pub(super) fn gathering(&self) -> Result<Gathering, Failure> {
        match &self.config {
            Some(config) => gathering(config, Some(&self.source)),
            None => Ok(Gathering::of(source(&self.source)?)),
        }
    }

    /// What is read besides the rows.
    pub(super) fn inputs<'a>(
        &'a self,
        artifact: &'a Path,
        gathering: &Gathering,
    ) -> Result<Inputs<'a>> {
        let mut named = vec![("the artifact", artifact)];
        named.extend(self.config.as_deref().map(|config| ("the config", config)));
        Inputs::gathered(&named, gathering)
    }

    /// What reading the rows failed with: a column may be one that the config of the fit joins.
    pub(super) fn failure(&self, error: Error) -> Error {
        if error.code() != Code::MissingColumn || self.config.is_some() {
            return error;
        }
        let joined = "if the config of the fit joins or groups, give it by --config";
        let remedy = match error.remedy_text() {
            Some(remedy) => format!("{remedy}; {joined}"),
            None => joined.to_owned(),
        };
        error.remedy(remedy)
    }
}

/// How a config gathers its rows, without a look at them. `data` stands in for its source.
pub(super) fn gathering(path: &Path, data: Option<&Path>) -> Result<Gathering, Failure> {
    let text = file::read_text(path)?;
    let instead = data.map(source).transpose()?;
    let instead = instead.map(|source| Instead { source, is_gathered: false });
    let read = read_gathering(path, &text, instead);
    Ok(read.map_err(|e| Failure::in_config(e, &path.display().to_string(), &text))?.1)
}

fn read_gathering(
    path: &Path,
    text: &str,
    instead: Option<Instead>,
) -> Result<(Config, Gathering)> {
    let mut config = Config::parse_beside(text, &gathering::TABLES)?;
    zones::resolve(&mut config.data)?;
    let folder = path.parent().unwrap_or(Path::new(""));
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
    /// With the files of all sources of a config.
    pub(super) fn gathered(named: &[(&'a str, &'a Path)], gathering: &Gathering) -> Result<Self> {
        Ok(Inputs { named: named.to_vec(), files: gathering.files()? })
    }

    /// The same without a file of SQLite whose tables are read and into which another table is
    /// written: all rows have been read by then.
    pub(super) fn besides(mut self, gathering: &Gathering, target: &Source) -> Result<Self> {
        let Source::Sqlite(place, written) = target else {
            return Ok(self);
        };
        let is_same = |path: &Path| match (path.canonicalize(), place.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        };
        let sources = gathering.joins.iter().map(|joined| &joined.source);
        for source in std::iter::once(&gathering.source).chain(sources) {
            let Source::Sqlite(path, read) = source else {
                continue;
            };
            if !is_same(path) {
                continue;
            }
            if read.is_table_of(written) {
                let message =
                    format!("expected a table to write that is not read, found `{target}`");
                return Err(Error::new(Code::Usage, message)
                    .remedy("write to another table; nothing was done"));
            }
            self.files.retain(|file| file != path);
        }
        Ok(self)
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
