//! The audit: every rule of value, told again from the ledger alone.
//!
//! It shares no code with the decisions it judges: windows, caps and states are derived here a second time, by other
//! means, from the rows as they stand. An issuance is judged by the version of its campaign it was issued under. All
//! of it is read from one snapshot, so a server may issue meanwhile, and in pages, so memory does not grow with it.

mod book;
mod conversations;
mod document;
mod events;
mod holds;
mod issuances;
mod people;
mod pulls;
mod quotas;
mod reports;
mod requests;
mod snapshot;
mod stock;
mod windows;

use crate::store::StoreError;
use sea_orm::DatabaseConnection;
use serde::Serialize;
use snapshot::Snapshot;

/// Breaches named of one check; what is beyond it is only said to be there.
const MOST: usize = 100;

/// Milliseconds by which issuances of one person may stand in another order than they were decided in: a batch takes
/// its time before it waits for her lock, and one that waited for over a second begins again; clocks of two servers
/// may differ by as much.
const DISORDER_MS: i64 = 2_000;

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Every check, in the order in which they ran.
    pub checks: Vec<Check>,
}

/// One rule, and where it does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, `snake_case`; never changes meaning.
    pub name: &'static str,
    /// How many rows it looked at.
    pub rows: u64,
    /// Where it does not hold; at most a hundred.
    pub breaches: Vec<Breach>,
    /// There are more breaches than are named.
    pub more: bool,
}

/// One place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// A sentence with the ids of the rows.
    pub what: String,
}

impl Report {
    /// Whether every rule holds.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.breaches.is_empty())
    }
}

impl Check {
    fn new(name: &'static str, rows: u64) -> Self {
        Self { name, rows, breaches: Vec::new(), more: false }
    }

    /// Adds what another query of the same check found.
    fn join(&mut self, other: Self) {
        other.breaches.into_iter().for_each(|breach| self.breach(breach.what));
        self.more |= other.more;
    }

    fn breach(&mut self, what: String) {
        if self.breaches.len() < MOST {
            self.breaches.push(Breach { what });
        } else {
            self.more = true;
        }
    }
}

/// Checks every rule of value against the ledger; `progress` is told what is being looked at.
///
/// It only reads, in one snapshot, and needs one connection of `db`.
///
/// # Errors
/// [`StoreError`] when the database fails or a row cannot be read. A breach is no error.
pub async fn audit(db: &DatabaseConnection, progress: &mut (dyn FnMut(&str) + Send)) -> Result<Report, StoreError> {
    let snapshot = Snapshot::take(db).await?;
    progress("configuration");
    let book = book::Book::read(&snapshot).await?;
    let mut checks = book.check(&snapshot).await?;
    progress("persons");
    checks.extend(people::check(&snapshot, &book, progress).await?);
    progress("issuances");
    checks.extend(issuances::check(&snapshot, &book, progress).await?);
    progress("stock and codes");
    checks.extend(stock::check(&snapshot).await?);
    progress("promises");
    checks.extend(holds::check(&snapshot).await?);
    progress("partners");
    checks.extend(pulls::check(&snapshot).await?);
    progress("events");
    checks.extend(events::check(&snapshot).await?);
    progress("requests and messages");
    checks.extend(requests::check(&snapshot).await?);
    progress("conversations");
    checks.extend(conversations::check(&snapshot).await?);
    progress("reports");
    checks.extend(reports::check(&snapshot).await?);
    snapshot.close().await?;
    Ok(Report { checks })
}
