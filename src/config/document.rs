//! A TOML document as a flat list of settings, each with its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Origin};
use super::layers::{Setting, Value, shown};

/// Every setting of `text`, in the order of its lines; `file` names it in messages.
///
/// Keys are dotted (`server.listen`), rows are numbered from 0 (`senders[0].rate`).
///
/// # Errors
/// [`ConfigError::Syntax`] when the text is not TOML.
pub(super) fn parse(text: &str, file: &str) -> Result<Vec<Setting>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        file: file.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().replace('\n', ", "),
    })?;
    let mut walk = Walk { text, file, found: Vec::new() };
    walk.table("", table.get_ref());
    walk.found.sort_by_key(|(line, _)| *line);
    Ok(walk.found.into_iter().map(|(_, setting)| setting).collect())
}

/// The line, from 1, of the byte at `offset`.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// One pass over a document.
struct Walk<'a> {
    text: &'a str,
    file: &'a str,
    found: Vec<(usize, Setting)>,
}

impl Walk<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let name_text = name.get_ref();
            let key = if prefix.is_empty() { name_text.clone().into_owned() } else { format!("{prefix}.{name_text}") };
            self.entry(&key, name.span().start, value);
        }
    }

    fn entry(&mut self, key: &str, at: usize, value: &Spanned<DeValue<'_>>) {
        if let Some(table) = value.get_ref().as_table() {
            if table.is_empty() {
                self.push(key, at, Value::Table, value);
            }
            self.table(key, table);
            return;
        }
        let rows = value
            .get_ref()
            .as_array()
            .filter(|items| !items.is_empty() && items.iter().all(|item| item.get_ref().is_table()));
        let Some(rows) = rows else {
            return self.push(key, at, plain(value.get_ref()), value);
        };
        for (number, row) in rows.iter().enumerate() {
            let key = format!("{key}[{number}]");
            self.push(&key, row.span().start, Value::Table, row);
            if let Some(table) = row.get_ref().as_table() {
                self.table(&key, table);
            }
        }
    }

    fn push(&mut self, key: &str, at: usize, value: Value, source: &Spanned<DeValue<'_>>) {
        let line = line_of(self.text, at);
        let origin = Origin::File { file: self.file.to_owned(), line };
        let written = self.text.get(source.span()).unwrap_or_default();
        let setting = Setting { key: key.to_owned(), value, shown: shown(key, written), origin };
        self.found.push((line, setting));
    }
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Other, Value::Integer)
        }
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Array(items) => Value::List(items.iter().map(|item| plain(item.get_ref())).collect()),
        DeValue::Table(_) => Value::Table,
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Other,
    }
}
