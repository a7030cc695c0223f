//! What can be wrong with a configuration, in words that name the place, the key and the cure.

use std::fmt;

/// Why a configuration was refused. `Display` is one line that an operator can act on; it never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{file}: cannot be read as a configuration")]
    Unreadable {
        /// The file as it was named on the command line.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{file}:{line}: not valid TOML: {message}")]
    Syntax {
        /// The file as it was named on the command line.
        file: String,
        /// Line of the first fault, from 1.
        line: usize,
        /// The parser's words, without the text of the line.
        message: String,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key {key}: {hint}")]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key as written.
        key: String,
        /// The nearest key, or where to look.
        hint: String,
    },
    /// A key whose value does not fit.
    #[error("{origin}: {key} = {shown}: expected {expected}")]
    BadValue {
        /// Where it stands.
        origin: Origin,
        /// The key in full, such as `senders[0].rate`.
        key: String,
        /// The value as written, or a remark in its place where it could hold a secret.
        shown: String,
        /// Unit, range and default.
        expected: String,
    },
    /// A key that has no default and was not given.
    #[error("{origin}: {key} is missing: expected {expected}")]
    Missing {
        /// Where it was looked for.
        origin: Origin,
        /// The key in full.
        key: String,
        /// What belongs there.
        expected: String,
    },
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The defaults that are compiled in.
    Default,
    /// A line of the configuration file, from 1.
    File {
        /// The file as it was named on the command line.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("configuration"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}
