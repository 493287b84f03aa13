//! The catalogue of error codes. A code is never reused and never changes its meaning.

use super::Kind;
use std::fmt;

macro_rules! codes {
    ($($name:ident = $id:literal, $kind:ident, $title:literal, $explain:literal;)+) => {
        /// A stable error code, such as `SS0301`. `samescore explain` prints what it means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $title] $name,)+ }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The code as printed, such as `SS0301`.
            pub fn id(self) -> &'static str {
                match self { $(Code::$name => $id,)+ }
            }

            /// The kind, which fixes the exit code.
            pub fn kind(self) -> Kind {
                match self { $(Code::$name => Kind::$kind,)+ }
            }

            /// One line: what is wrong.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)+ }
            }

            /// Why it matters for the promise, and what to do.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$name => $explain,)+ }
            }
        }
    };
}

codes! {
    ConfigSyntax = "SS0101", Config, "the config is not readable TOML",
        "The config must be TOML 1.0 text. The message points at the line and column where \
         reading stopped. Fix that line; nothing was fitted.";
    UnknownKey = "SS0102", Config, "the config has an unknown key",
        "Unknown keys are refused, because a misspelt parameter that is silently ignored changes \
         the model. Compare the key with `samescore kinds KIND`.";
    BadParameter = "SS0103", Config, "a parameter is out of range",
        "A parameter of a step or of the model is outside its documented range. `samescore kinds \
         KIND` lists ranges and defaults.";
    UnknownKind = "SS0104", Config, "no such kind of step or model",
        "The registry has no kind of that name. `samescore kinds` lists all; a newer artifact \
         may need a newer release.";
    DuplicateName = "SS0105", Config, "two steps have one name",
        "Draws are keyed by step name, so two steps of one name would share their randomness. \
         Give each step its own `name`.";
    UnknownColumn = "SS0106", Config, "a step names a column that does not exist at that point",
        "The column was never declared, or an earlier step dropped or renamed it. The message \
         lists the columns that exist there.";
    ColumnKindMismatch = "SS0107", Config, "a step cannot work on a column of that kind",
        "For instance a scaler on a text column. Cast or encode the column first, or choose \
         other columns.";
    NoModelColumns = "SS0108", Config, "no usable column is left for the model",
        "After the last step the model needs at least one numeric column and no text or time \
         column. Encode, cast or drop what is left.";
    BadTarget = "SS0109", Config, "the target cannot be used as configured",
        "The target's column, task, positive label or transform do not fit together.";
    Usage = "SS0110", Config, "the command was not used as documented",
        "`samescore help COMMAND` shows the arguments and an example.";
    RepeatedColumn = "SS0111", Config, "the config lists a column twice where each counts once",
        "A list of columns says which ones and in which order. A name that occurs twice is a slip, \
         and one of the two meanings would be dropped silently. Take one of them out.";
    NameTaken = "SS0112", Config, "a step gives a new column a name that another one has",
        "Names are the only identity of a column. Choose another new name, or rename or drop the \
         other column before that step.";
    RefusedQuery = "SS0113", Config, "the query can give other rows on another run",
        "What a database computes or leaves out by chance (LIMIT without a total order, sums of \
         floats, random(), now()) differs from run to run. The message says what stands for it; \
         `allow` under [source] overrides it by name.";
    MissingColumn = "SS0201", Schema, "a declared column is absent",
        "Columns are bound by name. The data must have every input column of the schema; order \
         and extra columns do not matter.";
    WrongKind = "SS0202", Schema, "a column or value has another kind than declared",
        "The schema is declared, never guessed, because a guess per batch changes scores. \
         Declare another kind, a missing marker, or repair the data.";
    DuplicateColumn = "SS0203", Schema, "two columns have one name",
        "Names are the only identity of a column. Rename one of them at the source.";
    BadValue = "SS0301", Data, "a value cannot be read or used",
        "A cell is outside what the step documents, for instance the logarithm of a negative \
         number. At fit this is an error; at scoring the row gets this reason instead of a \
         score.";
    MissingValue = "SS0302", Data, "a missing value reached a step that has no rule for it",
        "Add an imputer before that step, or declare the rule. Rows never vanish: at scoring the \
         row gets this reason.";
    UnseenLevel = "SS0303", Data, "a label was never seen at fit",
        "The encoder is configured to refuse unseen labels. Group rare labels first or choose \
         another rule for unseen ones.";
    DuplicateKey = "SS0304", Data, "two rows have one declared key",
        "Declared key columns must be unique and complete at fit. Choose other key columns, or \
         none: then the row's own content is the key.";
    TooFewRows = "SS0305", Data, "there are too few rows or distinct values to fit",
        "The step or model documents how many it needs.";
    NotFinite = "SS0306", Data, "a number is infinite or not a number where a finite one is needed",
        "Infinities are data errors in a fit, and a row whose score is not finite gets this \
         reason.";
    LimitExceeded = "SS0307", Data, "the data exceed a stated limit",
        "Limits bound memory: bytes of a field, levels of a column, columns of a table.";
    NotConverged = "SS0308", Data, "the fit did not reach its stated optimality",
        "The iteration cap was reached. Scale the columns, raise the cap, or add a penalty; \
         separable classes without a penalty have no optimum.";
    BadWeight = "SS0309", Data, "a row's weight cannot be used",
        "The weight of a row is a finite number of at least 0, and not every row may weigh 0. \
         Repair the column, or leave `weight` out of [data].";
    WrongMatches = "SS0310", Data, "a join found another number of rows than declared",
        "A join must not multiply or lose rows by surprise. Declare what holds (`many_to_one`, \
         `one_to_one`), or make the key of the joined table unique first.";
    NotAnArtifact = "SS0401", Artifact, "the file is not a samescore artifact",
        "The first bytes are not those of an artifact. Check the path and how the file was \
         copied.";
    UnknownFormat = "SS0402", Artifact,
        "the artifact has a format or flag that this release does not know",
        "Unknown means refused: a newer release wrote it. Use that release or a newer one.";
    Corrupt = "SS0403", Artifact, "the artifact's bytes are damaged",
        "Length or SHA-256 do not match. Copy the file again; nothing was scored.";
    Malformed = "SS0404", Artifact, "the artifact's content is not well formed",
        "The hash is right but the content breaks a rule of the format: it was not written by \
         samescore, or not in canonical form.";
    SelfTest = "SS0405", Artifact, "the artifact's golden rows do not score as recorded",
        "This machine or release does not reproduce the recorded bits, so it must not score. The \
         message names the first stage that differs. Check the CPU and the host's float mode.";
    HostFloatMode = "SS0406", Artifact, "the host's floating-point mode is not IEEE-754 default",
        "Some library in this process has switched on flush-to-zero or another rounding mode. \
         Scores would differ, so nothing is scored.";
    Io = "SS0501", Io, "reading or writing failed",
        "The operating system refused; the message names the file and its reason. What was there \
         before is unchanged.";
    UnknownSource = "SS0502", Io, "no reader for that source",
        "Sources are files chosen by their ending (.csv, .csv.gz, .parquet, .arrow, .jsonl), \
         folders and patterns of them, snapshots, `sqlite://` and `postgres://`.";
    BadSnapshot = "SS0503", Io, "a snapshot is not what its manifest says",
        "A snapshot is found by its fingerprint and never changed. One whose rows have another \
         fingerprint is damaged or was edited. Gather it again.";
    SourceChanged = "SS0504", Io, "the source changed while it was read",
        "What was read is neither the table before nor the one after. Nothing was written; read it \
         again when nobody writes to it.";
    Server = "SS0505", Io, "the database server refused or went away",
        "The message has the server's words. Nothing was written; the same command run again gives \
         the same snapshot.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
