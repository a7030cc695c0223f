//! One statement over many rows, one text for both databases (ADR 0008).
//!
//! The text names its rows `{rows}`: PostgreSQL unnests one array a column, SQLite reads one JSON parameter. A batch
//! of 256 therefore runs as many statements as a batch of 8, each prepared once.

use crate::store::error::StoreError;
use std::sync::OnceLock;

/// The type of a column, of the few that both databases share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A 64-bit integer.
    Int,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// No value.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

macro_rules! cells {
    ($($from:ty => $make:expr),+ $(,)?) => {$(
        impl From<$from> for Cell {
            fn from(value: $from) -> Self {
                ($make)(value)
            }
        }
    )+};
}

cells! {
    i64 => Cell::Int,
    u32 => |n: u32| Cell::Int(n.into()),
    u16 => |n: u16| Cell::Int(n.into()),
    // Positions stay below 2^48, so the cast never meets its limit.
    u64 => |n: u64| Cell::Int(i64::try_from(n).unwrap_or(i64::MAX)),
    &str => |text: &str| Cell::Text(text.to_owned()),
    String => Cell::Text,
    &[u8] => |bytes: &[u8]| Cell::Bytes(bytes.to_vec()),
    Vec<u8> => Cell::Bytes,
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row that was read.
#[derive(Debug, Clone)]
pub struct Row {
    pub(super) statement: &'static str,
    pub(super) cells: Vec<Cell>,
}

impl Row {
    fn bad(&self, column: usize) -> StoreError {
        StoreError::BadRow { table: self.statement, column: "of the select", id: format!("column {column}") }
    }

    /// The integer in a column.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where there is none.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.maybe_int(column)?.ok_or_else(|| self.bad(column))
    }

    /// The integer in a column that may be empty.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where something else stands.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.cells.get(column) {
            Some(Cell::Int(n)) => Ok(Some(*n)),
            Some(Cell::Null) => Ok(None),
            Some(Cell::Text(_) | Cell::Bytes(_)) | None => Err(self.bad(column)),
        }
    }

    /// A narrower whole number.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where there is none that fits.
    pub fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, StoreError> {
        T::try_from(self.int(column)?).map_err(|_| self.bad(column))
    }

    /// The text in a column.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where there is none.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        self.maybe_text(column)?.ok_or_else(|| self.bad(column))
    }

    /// The text in a column that may be empty.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where something else stands.
    pub fn maybe_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        match self.cells.get(column) {
            Some(Cell::Text(text)) => Ok(Some(text.clone())),
            Some(Cell::Null) => Ok(None),
            Some(Cell::Int(_) | Cell::Bytes(_)) | None => Err(self.bad(column)),
        }
    }

    /// Exactly so many bytes.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] where there are none or other ones.
    pub fn bytes<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        match self.cells.get(column) {
            Some(Cell::Bytes(bytes)) => bytes.as_slice().try_into().map_err(|_| self.bad(column)),
            Some(Cell::Int(_) | Cell::Text(_) | Cell::Null) | None => Err(self.bad(column)),
        }
    }

    /// Whether a column is empty.
    #[must_use]
    pub fn is_null(&self, column: usize) -> bool {
        self.cells.get(column).is_none_or(|cell| *cell == Cell::Null)
    }

    /// The bytes in a column that may be empty.
    #[must_use]
    pub fn maybe_bytes(&self, column: usize) -> Option<&[u8]> {
        match self.cells.get(column) {
            Some(Cell::Bytes(bytes)) => Some(bytes),
            Some(Cell::Int(_) | Cell::Text(_) | Cell::Null) | None => None,
        }
    }
}

/// A statement over many rows.
#[derive(Debug)]
pub struct Bulk {
    /// How errors and counts name it.
    pub name: &'static str,
    /// The columns of its rows.
    pub columns: &'static [(&'static str, Kind)],
    /// What it answers with; empty for writes.
    pub outputs: &'static [Kind],
    text: &'static str,
    postgres: OnceLock<String>,
    sqlite: OnceLock<String>,
}

impl Bulk {
    /// A statement whose text may name `{rows}` (a table `t` of the columns), `{lock}` (a row lock where the database
    /// has them) and `{1}`, `{2}` … (single values after the rows).
    #[must_use]
    pub const fn new(
        name: &'static str,
        columns: &'static [(&'static str, Kind)],
        outputs: &'static [Kind],
        text: &'static str,
    ) -> Self {
        Self { name, columns, outputs, text, postgres: OnceLock::new(), sqlite: OnceLock::new() }
    }

    pub(super) fn postgres(&'static self) -> &'static str {
        self.postgres.get_or_init(|| {
            let arrays: Vec<_> =
                (1..).zip(self.columns).map(|(i, (_, kind))| format!("${i}::{}[]", postgres_type(*kind))).collect();
            let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
            let rows = format!("UNNEST({}) AS t({})", arrays.join(", "), names.join(", "));
            self.fill(&rows, "FOR NO KEY UPDATE", |value| format!("${}", self.columns.len() + value))
        })
    }

    pub(super) fn sqlite(&'static self) -> &'static str {
        self.sqlite.get_or_init(|| {
            let columns: Vec<_> = self
                .columns
                .iter()
                .enumerate()
                .map(|(i, (name, kind))| match kind {
                    Kind::Int | Kind::Text => format!("value->>{i} AS {name}"),
                    Kind::Bytes => format!("unhex(value->>{i}) AS {name}"),
                })
                .collect();
            let rows = format!("(SELECT {} FROM jsonb_each(?1)) AS t", columns.join(", "));
            self.fill(&rows, "", |value| format!("?{}", 1 + value))
        })
    }

    fn fill(&self, rows: &str, lock: &str, single: impl Fn(usize) -> String) -> String {
        let text = self.text.replace("{rows}", rows).replace("{lock}", lock);
        (1..=4).fold(text, |text, value| text.replace(&format!("{{{value}}}"), &single(value)))
    }
}

fn postgres_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "bigint",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
    }
}

/// The rows as one JSON array of arrays; bytes in hexadecimal.
pub(super) fn json(rows: &[Vec<Cell>]) -> String {
    let mut out = String::with_capacity(rows.len() * 64 + 2);
    out.push('[');
    for (i, row) in rows.iter().enumerate() {
        out.push_str(if i == 0 { "[" } else { ",[" });
        for (j, cell) in row.iter().enumerate() {
            if j > 0 {
                out.push(',');
            }
            push_json(&mut out, cell);
        }
        out.push(']');
    }
    out.push(']');
    out
}

fn push_json(out: &mut String, cell: &Cell) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = match cell {
        Cell::Null => out.write_str("null"),
        Cell::Int(n) => write!(out, "{n}"),
        Cell::Text(text) => write!(out, "{}", serde_json::Value::String(text.clone())),
        Cell::Bytes(bytes) => {
            out.push('"');
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
            out.write_str("\"")
        }
    };
}
