//! What messages have cost: locked after every other row of a batch, and written with the marks it counts.

use crate::domain::sending::{SpendKey, SpendWindow};
use crate::domain::world::World;
use crate::store::bulk::{Bulk, Cell, Kind};
use crate::store::{StoreError, Tx};
use std::collections::{BTreeMap, BTreeSet};

use Kind::{Int, Text};

const SPEND: &[(&str, Kind)] = &[("scope", Text), ("span", Text), ("window_start", Int)];

static ADD_SPEND: Bulk = Bulk::new(
    "spend: add",
    SPEND,
    &[],
    "INSERT INTO spend (scope, span, window_start, spent)
     SELECT scope, span, window_start, 0 FROM {rows} WHERE true ORDER BY scope, span, window_start
     ON CONFLICT (scope, span, window_start) DO NOTHING",
);

static LOCK_SPEND: Bulk = Bulk::new(
    "spend: lock",
    SPEND,
    &[Text, Text, Int, Int],
    "SELECT scope, span, window_start, spent FROM spend
     WHERE (scope, span, window_start) IN (SELECT t.scope, t.span, t.window_start FROM {rows})
     ORDER BY scope, span, window_start {lock}",
);

static WRITE_SPEND: Bulk = Bulk::new(
    "spend: write",
    &[("scope", Text), ("span", Text), ("window_start", Int), ("spent", Int)],
    &[],
    "UPDATE spend AS s SET spent = t.spent FROM {rows}
     WHERE s.scope = t.scope AND s.span = t.span AND s.window_start = t.window_start",
);

/// Locks the counts, missing ones added first, and reads them.
pub(super) async fn lock(tx: &mut Tx<'_>, keys: &BTreeSet<SpendKey>, world: &mut World) -> Result<(), StoreError> {
    let rows: Vec<_> = keys.iter().map(row).collect();
    tx.run(&ADD_SPEND, &rows, &[]).await?;
    for row in tx.read(&LOCK_SPEND, &rows, &[]).await? {
        let (scope, span) = (row.text(0)?, row.text(1)?);
        let bad = || StoreError::BadRow { table: "spend", column: "span", id: span.clone() };
        let window = SpendWindow::parse(&span).ok_or_else(bad)?;
        world.spend.insert(SpendKey { scope, window, start: row.int(2)? }, row.int(3)?);
    }
    Ok(())
}

/// Writes what they have come to.
pub(super) async fn write(tx: &mut Tx<'_>, spend: &BTreeMap<SpendKey, i64>) -> Result<(), StoreError> {
    let rows = spend.iter().map(|(key, spent)| {
        let mut row = row(key);
        row.push((*spent).into());
        row
    });
    tx.write(&WRITE_SPEND, &rows.collect::<Vec<_>>()).await
}

fn row(key: &SpendKey) -> Vec<Cell> {
    vec![key.scope.clone().into(), key.window.word().into(), key.start.into()]
}
