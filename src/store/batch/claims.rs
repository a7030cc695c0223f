//! Phones that are proved on pages, how often those are opened, who tries codes in vain.

use super::read::{Needs, spot, subjects};
use super::write::sorted;
use crate::domain::act::ProofId;
use crate::domain::alert::AlertKind;
use crate::domain::decision::changes::Changes;
use crate::domain::ids::{Spot, Subject, from_millis, millis};
use crate::domain::world::{Proof, World};
use crate::store::bulk::Kind::{Bytes, Int, Text};
use crate::store::bulk::{Bulk, Cell, Kind};
use crate::store::{StoreError, Tx, subject_bytes};
use chrono::Duration;

/// How far back proofs are read: those of an hour are counted, and none counts longer.
const PROOFS: Duration = Duration::hours(1);

static READ_PROOFS: Bulk = Bulk::new(
    "proof: read",
    &[("subject", Bytes)],
    &[Bytes, Bytes, Text, Text, Int, Int, Int, Int],
    "SELECT p.proof_id, p.subject, p.slug, p.sub_id, p.created_at, p.expires_at, p.tries, p.proved_at
     FROM {rows} JOIN proof p ON p.subject = t.subject AND p.created_at > {1}
     ORDER BY p.created_at, p.proof_id",
);

static WRITE_PROOFS: Bulk = Bulk::new(
    "proof: write",
    &[
        ("proof_id", Bytes),
        ("subject", Bytes),
        ("slug", Text),
        ("sub_id", Text),
        ("created_at", Int),
        ("expires_at", Int),
        ("tries", Int),
        ("proved_at", Int),
    ],
    &[],
    "INSERT INTO proof (proof_id, subject, slug, sub_id, created_at, expires_at, tries, proved_at)
     SELECT proof_id, subject, slug, sub_id, created_at, expires_at, tries, proved_at FROM {rows} WHERE true
     ON CONFLICT (proof_id)
     DO UPDATE SET expires_at = excluded.expires_at, tries = excluded.tries, proved_at = excluded.proved_at",
);

static COUNT_OPENINGS: Bulk = Bulk::new(
    "rollup_link: count",
    &[("slug", Text), ("sub_id", Text), ("quarter", Int), ("n", Int)],
    &[],
    "INSERT INTO rollup_link AS r (slug, sub_id, quarter, n)
     SELECT slug, sub_id, quarter, n FROM {rows} WHERE true
     ON CONFLICT (slug, sub_id, quarter) DO UPDATE SET n = r.n + excluded.n",
);

const SPOT: &[(&str, Kind)] = &[("campaign_id", Int), ("pool_no", Int), ("position", Int)];

static READ_ATTEMPTS: Bulk = Bulk::new(
    "code_attempt: read",
    SPOT,
    &[Int, Int, Int, Text],
    "SELECT a.campaign_id, a.pool_no, a.position, a.who
     FROM {rows} JOIN code_attempt a
       ON a.campaign_id = t.campaign_id AND a.pool_no = t.pool_no AND a.position = t.position",
);

static WRITE_ATTEMPTS: Bulk = Bulk::new(
    "code_attempt: write",
    &[("campaign_id", Int), ("pool_no", Int), ("position", Int), ("who", Text), ("tried_at", Int)],
    &[],
    "INSERT INTO code_attempt (campaign_id, pool_no, position, who, tried_at)
     SELECT campaign_id, pool_no, position, who, tried_at FROM {rows} WHERE true",
);

static READ_STANDING: Bulk = Bulk::new(
    "alert: standing",
    &[("kind", Text), ("about", Text)],
    &[Text, Text],
    "SELECT a.kind, a.about FROM {rows} JOIN alert a
       ON a.kind = t.kind AND a.about = t.about AND a.cleared_at IS NULL",
);

/// Reads what is proved, who tried what, and which alerts stand.
pub(super) async fn read(tx: &mut Tx<'_>, needs: &Needs, world: &mut World) -> Result<(), StoreError> {
    let since = millis(world.now - PROOFS).into();
    for row in tx.read(&READ_PROOFS, &subjects(needs.proving.iter()), &[since]).await? {
        let proof = Proof {
            id: ProofId(row.bytes(0)?),
            slug: row.text(2)?,
            sub_id: row.maybe_text(3)?,
            created_at: from_millis(row.int(4)?),
            expires_at: from_millis(row.int(5)?),
            tries: row.number(6)?,
            proved_at: row.maybe_int(7)?.map(from_millis),
        };
        world.persons.entry(Subject::from_bytes(row.bytes(1)?)).or_default().proofs.push(proof);
    }
    let tried: Vec<_> = needs.tried.iter().map(place).collect();
    for row in tx.read(&READ_ATTEMPTS, &tried, &[]).await? {
        world.attempts.entry(spot(&row, 0)?).or_default().push(row.text(3)?);
    }
    let standing = needs.standing.iter().map(|(kind, about)| vec![kind.word().into(), about.clone().into()]);
    for row in tx.read(&READ_STANDING, &standing.collect::<Vec<_>>(), &[]).await? {
        let kind = row.text(0)?;
        let kind = AlertKind::parse(&kind).ok_or(StoreError::BadRow { table: "alert", column: "kind", id: kind })?;
        world.standing.insert((kind, row.text(1)?));
    }
    Ok(())
}

/// Writes proofs, openings and attempts.
pub(super) async fn write(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    let proofs = changes.proofs.iter().map(|(id, (subject, proof))| -> Vec<Cell> {
        vec![
            id.0.as_slice().into(),
            subject_bytes(*subject).into(),
            proof.slug.clone().into(),
            proof.sub_id.clone().into(),
            millis(proof.created_at).into(),
            millis(proof.expires_at).into(),
            proof.tries.into(),
            proof.proved_at.map(millis).into(),
        ]
    });
    tx.write(&WRITE_PROOFS, &proofs.collect::<Vec<_>>()).await?;
    let attempts = changes.attempts.iter().map(|(spot, who, at)| {
        let mut row = place(spot);
        row.extend([who.clone().into(), millis(*at).into()]);
        row
    });
    tx.write(&WRITE_ATTEMPTS, &sorted(attempts)).await?;
    let openings = changes.openings.iter().map(|((slug, sub, quarter), n)| -> Vec<Cell> {
        vec![slug.clone().into(), sub.clone().into(), (*quarter).into(), (*n).into()]
    });
    tx.write(&COUNT_OPENINGS, &openings.collect::<Vec<_>>()).await
}

fn place(spot: &Spot) -> Vec<Cell> {
    vec![spot.campaign.0.into(), spot.pool.into(), spot.position.into()]
}
