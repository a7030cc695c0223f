//! Who may be texted: STOP, START, the evidence of both, and who holds a number.

use super::write::sorted;
use crate::domain::decision::changes::{Changes, Holder, OptOut};
use crate::domain::ids::{Subject, millis};
use crate::domain::language::Language;
use crate::store::bulk::Kind::{Bytes, Int, Text};
use crate::store::bulk::{Bulk, Cell};
use crate::store::{StoreError, Tx, subject_bytes};

static WRITE_HOLDERS: Bulk = Bulk::new(
    "recipient: holder",
    &[("subject", Bytes), ("epoch", Int), ("epoch_at", Int)],
    &[],
    "UPDATE recipient AS p SET epoch = t.epoch, epoch_at = t.epoch_at FROM {rows} WHERE p.subject = t.subject",
);

static WRITE_OPT_OUTS: Bulk = Bulk::new(
    "opt_out: write",
    &[("brand", Text), ("subject", Bytes), ("opted_out_at", Int)],
    &[],
    "INSERT INTO opt_out (brand, subject, opted_out_at)
     SELECT brand, subject, opted_out_at FROM {rows} WHERE true
     ON CONFLICT (brand, subject) DO UPDATE SET opted_out_at = excluded.opted_out_at",
);

static DELETE_OPT_OUTS: Bulk = Bulk::new(
    "opt_out: delete",
    &[("brand", Text), ("subject", Bytes)],
    &[],
    "DELETE FROM opt_out WHERE (brand, subject) IN (SELECT t.brand, t.subject FROM {rows})",
);

static WRITE_CONSENTS: Bulk = Bulk::new(
    "consent_event: write",
    &[
        ("door", Text),
        ("request_key", Text),
        ("brand", Text),
        ("subject", Bytes),
        ("kind", Text),
        ("matched", Text),
        ("occurred_at", Int),
        ("language", Text),
    ],
    &[],
    "INSERT INTO consent_event (door, request_key, brand, subject, kind, matched, occurred_at, language)
     SELECT door, request_key, brand, subject, kind, matched, occurred_at, language FROM {rows} WHERE true",
);

/// Writes STOP, START and their evidence, and numbers that changed hands.
pub(super) async fn write(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    let (mut out, mut back) = (Vec::new(), Vec::new());
    for ((brand, subject), word) in &changes.opt_outs {
        let mut row: Vec<Cell> = vec![brand.clone().into(), subject_bytes(*subject).into()];
        match word {
            OptOut::Out(at) => {
                row.push(millis(*at).into());
                out.push(row);
            }
            OptOut::In => back.push(row),
        }
    }
    tx.write(&WRITE_OPT_OUTS, &out).await?;
    tx.run(&DELETE_OPT_OUTS, &back, &[]).await?;
    let consents = changes.consents.iter().map(|consent| {
        vec![
            consent.request.door.clone().into(),
            consent.request.key.clone().into(),
            consent.brand.clone().into(),
            subject_bytes(consent.subject).into(),
            consent.kind.into(),
            consent.matched.clone().into(),
            millis(consent.at).into(),
            consent.language.map(Language::code).into(),
        ]
    });
    tx.write(&WRITE_CONSENTS, &sorted(consents)).await?;
    let holder = |(subject, holder): (&Subject, &Holder)| -> Vec<Cell> {
        vec![subject_bytes(*subject).into(), holder.epoch.into(), millis(holder.since).into()]
    };
    tx.write(&WRITE_HOLDERS, &changes.holders.iter().map(holder).collect::<Vec<_>>()).await
}

static WRITE_DESK_LINKS: Bulk = Bulk::new(
    "creator_link: write",
    &[("link_id", Bytes), ("creator_id", Int), ("created_at", Int), ("expires_at", Int)],
    &[],
    "INSERT INTO creator_link (link_id, creator_id, created_at, expires_at)
     SELECT link_id, creator_id, created_at, expires_at FROM {rows} WHERE true",
);

/// Links that creators asked for.
pub(super) async fn write_desk_links(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    let links = changes.desk_links.iter().map(|link| -> Vec<Cell> {
        let [at, expires_at] = [millis(link.at).into(), millis(link.expires_at).into()];
        vec![link.id.as_slice().into(), link.creator.0.into(), at, expires_at]
    });
    tx.write(&WRITE_DESK_LINKS, &sorted(links)).await
}
