//! Words that people texted and that lead nowhere.

use crate::domain::ids::{SenderId, from_millis};
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{FromQueryResult, Statement};

/// An unknown word of one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// The number.
    pub sender: SenderId,
    /// Its normalised form; empty for all that is not kept word by word.
    pub word: String,
    /// How often it was texted.
    pub n: u64,
    /// When last.
    pub last_at: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct WordRow {
    sender_id: i64,
    word: String,
    n: i64,
    last_at: i64,
}

impl Store {
    /// Every unknown word that is kept, the most frequent first.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn unknown_words(&self) -> Result<Vec<UnknownWord>, StoreError> {
        let text = "SELECT sender_id, word, n, last_at FROM unknown_word ORDER BY sender_id, n DESC, word";
        let statement = Statement::from_string(self.read().get_database_backend(), text);
        let rows = WordRow::find_by_statement(statement).all(self.read()).await?;
        let parse = |row: WordRow| {
            let bad = |column| StoreError::BadRow { table: "unknown_word", column, id: row.sender_id.to_string() };
            Ok(UnknownWord {
                sender: SenderId(u32::try_from(row.sender_id).map_err(|_| bad("sender_id"))?),
                word: row.word,
                n: u64::try_from(row.n).map_err(|_| bad("n"))?,
                last_at: from_millis(row.last_at),
            })
        };
        rows.into_iter().map(parse).collect()
    }
}
