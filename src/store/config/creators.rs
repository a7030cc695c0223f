//! Rows of creators, of the links that lead to campaigns, and of the words of both.

use super::write::insert_placement;
use super::{CreatorWrite, begin, finish, ints, run, run_one};
use crate::domain::catalog::Rows;
use crate::domain::document::{CampaignDoc, PlacementDoc};
use crate::domain::ids::{CampaignId, CreatorId, PlacementId, Subject, millis};
use crate::store::catalog::version_in;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, Value};

/// A creator that shall be.
#[derive(Debug, Clone)]
pub struct NewCreator {
    /// Her name in links and keywords.
    pub handle: String,
    /// Her name for people.
    pub name: String,
    /// Herself, by her number, and the number sealed.
    pub phone: Option<(Subject, Vec<u8>)>,
    /// What her audience is told of her interest.
    pub disclosure: String,
}

/// What is different of a creator.
#[derive(Debug, Clone)]
pub enum CreatorEdit {
    /// Her name for people.
    Name(String),
    /// Herself, by her number, and the number sealed; `None`: no number of hers is known any more.
    Phone(Option<(Subject, Vec<u8>)>),
    /// What her audience is told of her interest.
    Disclosure(String),
}

/// A place by its name.
pub(super) type Places = Vec<(String, PlacementId)>;

/// Makes a creator. She has no part in any campaign yet.
///
/// # Errors
/// [`StoreError::Stale`] when the catalog has changed since `planned_on`; otherwise as [`super::commit`].
pub async fn add_creator(
    store: &Store,
    new: &NewCreator,
    planned_on: i64,
    now: DateTime<Utc>,
) -> Result<CreatorId, StoreError> {
    let tx = begin(store, planned_on).await?;
    let sql = "SELECT CAST(COALESCE(MAX(creator_id), 0) + 1 AS BIGINT) AS n FROM creator";
    let next = ints(&tx, sql, vec![]).await?.and_then(|next| u32::try_from(next).ok());
    let id =
        next.map(CreatorId).ok_or(StoreError::Miscounted { statement: "creator: number", written: 0, expected: 1 })?;
    let sql =
        "INSERT INTO creator (creator_id, handle, name, status, subject, phone_ciphertext, disclosure, created_at)
        VALUES ($1, $2, $3, 'active', $4, $5, $6, $7)";
    let [subject, sealed] = phone_values(new.phone.as_ref());
    let values = vec![
        id.0.into(),
        new.handle.as_str().into(),
        new.name.as_str().into(),
        subject,
        sealed,
        new.disclosure.as_str().into(),
        millis(now).into(),
    ];
    run_one(&tx, sql, values).await?;
    if let Some((subject, _)) = &new.phone {
        give_number(&tx, id, *subject, now).await?;
    }
    finish(tx).await?;
    Ok(id)
}

/// Writes anew what is different of a creator. `false`, and nothing is written, where a number asked for codes by her word
/// before it was hers: they were counted as her merit.
///
/// # Errors
/// As [`add_creator`].
pub async fn change_creator(
    store: &Store,
    id: CreatorId,
    edits: &[CreatorEdit],
    planned_on: i64,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let tx = begin(store, planned_on).await?;
    for edit in edits {
        let (sql, values) = match edit {
            CreatorEdit::Name(name) => {
                ("UPDATE creator SET name = $2 WHERE creator_id = $1", vec![name.as_str().into()])
            }
            CreatorEdit::Disclosure(text) => {
                ("UPDATE creator SET disclosure = $2 WHERE creator_id = $1", vec![text.as_str().into()])
            }
            CreatorEdit::Phone(phone) => {
                if let Some((subject, _)) = phone
                    && !give_number(&tx, id, *subject, now).await?
                {
                    return Ok(false);
                }
                let sql = "UPDATE creator SET subject = $2, phone_ciphertext = $3 WHERE creator_id = $1";
                (sql, phone_values(phone.as_ref()).to_vec())
            }
        };
        run_one(&tx, sql, std::iter::once(id.0.into()).chain(values).collect()).await?;
    }
    finish(tx).await?;
    Ok(true)
}

/// Makes a number hers, as it stays for ever; `false` where it asked by her word before.
async fn give_number(
    tx: &DatabaseTransaction,
    id: CreatorId,
    subject: Subject,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let subject = || Value::from(subject.as_bytes().to_vec());
    let known = "SELECT CAST(1 AS BIGINT) AS n FROM creator_phone WHERE subject = $1 AND creator_id = $2";
    if ints(tx, known, vec![subject(), id.0.into()]).await?.is_some() {
        return Ok(true);
    }
    let asked = "SELECT CAST(1 AS BIGINT) AS n FROM request WHERE subject = $1 AND creator_id = $2 LIMIT 1";
    if ints(tx, asked, vec![subject(), id.0.into()]).await?.is_some() {
        return Ok(false);
    }
    let sql = "INSERT INTO creator_phone (subject, creator_id, given_at) VALUES ($1, $2, $3)";
    run_one(tx, sql, vec![subject(), id.0.into(), millis(now).into()]).await?;
    Ok(true)
}

fn phone_values(phone: Option<&(Subject, Vec<u8>)>) -> [Value; 2] {
    let (subject, sealed) = phone.cloned().unzip();
    [Value::from(subject.map(|subject| subject.as_bytes().to_vec())), Value::from(sealed)]
}

/// Stops a creator or lets her speak again; `false` when she was so already. After it, nothing commits under what was so
/// before, in any process.
///
/// # Errors
/// As [`add_creator`].
pub async fn switch_creator(
    store: &Store,
    id: CreatorId,
    is_active: bool,
    planned_on: i64,
) -> Result<bool, StoreError> {
    let tx = begin(store, planned_on).await?;
    let status = if is_active { "active" } else { "suspended" };
    let sql = "UPDATE creator SET status = $2 WHERE creator_id = $1 AND status <> $2";
    if run(&tx, sql, vec![id.0.into(), status.into()]).await? == 0 {
        return Ok(false);
    }
    debug_assert_eq!(version_in(&tx).await?, planned_on, "looked at when the change began");
    finish(tx).await?;
    Ok(true)
}

/// Places of creators' posts, by `handle/post`, and of the house's links.
pub(super) async fn placements(
    tx: &DatabaseTransaction,
    (rows, id): (&Rows, CampaignId),
    doc: &CampaignDoc,
    places: &mut Places,
) -> Result<(), StoreError> {
    for (_, handle, post) in doc.creator_words() {
        let creator = rows.creators.iter().find(|row| row.handle == handle);
        if let (Some(post), Some(creator)) = (post, creator) {
            insert_placement(tx, id, (&format!("{handle}/{post}"), 0), Some(creator.id), places).await?;
        }
    }
    let decimals = doc.offer.currency.decimals();
    for place in doc.links.values() {
        let cost = place.cost().and_then(|cost| cost.minor(decimals)).unwrap_or(0);
        insert_placement(tx, id, (place.name(), cost), None, places).await?;
    }
    Ok(())
}

fn place(places: &Places, name: &str) -> PlacementId {
    places.iter().find(|(known, _)| known == name).map_or(PlacementId::NONE, |(_, id)| *id)
}

/// The campaign's links, all anew. A link of an ended campaign goes to the new one.
pub(super) async fn write_links(
    tx: &DatabaseTransaction,
    id: CampaignId,
    doc: &CampaignDoc,
    creators: &[CreatorWrite],
    places: &Places,
) -> Result<(), StoreError> {
    run(tx, "DELETE FROM link WHERE campaign_id = $1", vec![id.0.into()]).await?;
    let house = doc.links.iter().map(|(slug, spot)| (slug.as_str(), 0, place(places, PlacementDoc::name(spot))));
    let own = creators.iter().filter_map(|creator| {
        let part = doc.creators.get(&creator.handle)?;
        Some((part.slug(&creator.handle), creator.id.0, PlacementId::NONE))
    });
    for (slug, creator, placement) in house.chain(own) {
        let sql = "DELETE FROM link WHERE slug = $1
            AND campaign_id IN (SELECT campaign_id FROM campaign WHERE status = 'ended')";
        run(tx, sql, vec![slug.into()]).await?;
        let sql = "INSERT INTO link (slug, campaign_id, creator_id, placement_id) VALUES ($1, $2, $3, $4)";
        run_one(tx, sql, vec![slug.into(), id.0.into(), creator.into(), placement.0.into()]).await?;
    }
    Ok(())
}

/// Words of creators: the word, where it stands and whose it is.
pub(super) fn words(doc: &CampaignDoc, creators: &[CreatorWrite], places: &Places) -> Vec<(String, PlacementId, u32)> {
    let words = doc.creator_words().into_iter().filter_map(|(word, handle, post)| {
        let creator = creators.iter().find(|creator| creator.handle == handle)?;
        let at = post.map_or(PlacementId::NONE, |post| place(places, &format!("{handle}/{post}")));
        Some((word.as_str().to_owned(), at, creator.id.0))
    });
    words.collect()
}
