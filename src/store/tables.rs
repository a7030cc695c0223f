//! Whether the tables are there and of this release.

use super::{Store, StoreError};
use codewell_migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Statement};

/// The state of a database's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// There are none: nobody has used this database yet.
    None,
    /// They were made by an older release; so many changes are still to come.
    Older(usize),
    /// They are of this release.
    Current,
}

impl Store {
    /// Looks at the tables without changing anything.
    ///
    /// # Errors
    /// [`StoreError`]; also when they were made by a newer release.
    pub async fn tables(&self) -> Result<Tables, StoreError> {
        let known = Migrator::migrations().len();
        let pending = Migrator::get_pending_migrations_read_only(self.read()).await?.len();
        Ok(match pending {
            0 => Tables::Current,
            all if all == known => Tables::None,
            some => Tables::Older(some),
        })
    }

    /// Closes every connection, of all clones too. The embedded database then is one file again, with nothing beside it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(&self) -> Result<(), StoreError> {
        self.read().close_by_ref().await?;
        Ok(self.write().close_by_ref().await?)
    }

    /// The sealed phone of some person: it says which keyring the database belongs to. `None` while there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn any_sealed_phone(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let text = "SELECT phone_ciphertext FROM recipient WHERE phone_ciphertext IS NOT NULL LIMIT 1";
        let connection = self.read();
        let statement = Statement::from_string(connection.get_database_backend(), text);
        let row = connection.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
    }
}
