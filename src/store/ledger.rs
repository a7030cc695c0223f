//! Reads of the ledger outside a batch: codes, what became of them, who holds them.

use crate::domain::campaign::{Attribution, Channel, Partnership};
use crate::domain::code::CodeNorm;
use crate::domain::ids::{
    AllocationId, CampaignId, CreatorId, PartnerId, PlacementId, SenderId, Spot, Subject, from_millis,
};
use crate::domain::world::{Event, EventKind, Held, Whose};
use crate::store::config::ints;
use crate::store::{Store, StoreError};
use codewell_entity::{code, code_event, issuance, recipient};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::HashSet;

/// A code that is out: who holds it, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued {
    /// Whose.
    pub holder: Whose,
    /// The code's life.
    pub held: Held,
}

impl Store {
    /// Where a stored code lies, by its text alone.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find_code(&self, norm: &CodeNorm) -> Result<Option<Spot>, StoreError> {
        let row = code::Entity::find().filter(code::Column::CodeNorm.eq(norm.expose())).one(self.read()).await?;
        row.map(|row| spot(row.campaign_id, row.pool_no, row.position)).transpose()
    }

    /// The text of a stored code.
    ///
    /// # Errors
    /// What the database says.
    pub async fn code_text(&self, spot: Spot) -> Result<Option<String>, StoreError> {
        let row = code::Entity::find_by_id(key(spot)).one(self.read()).await?;
        Ok(row.map(|row| row.code))
    }

    /// A code that is out, with its events; not the codes of a pull whose time was over before it was acknowledged.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn find_issued(&self, spot: Spot) -> Result<Option<Issued>, StoreError> {
        let Some(row) = issuance::Entity::find_by_id(key(spot)).one(self.read()).await? else {
            return Ok(None);
        };
        let (campaign, pool, position) = key(spot);
        let events = code_event::Entity::find()
            .filter(code_event::Column::CampaignId.eq(campaign))
            .filter(code_event::Column::PoolNo.eq(pool))
            .filter(code_event::Column::Position.eq(position))
            .order_by_asc(code_event::Column::Step)
            .all(self.read())
            .await?;
        let issued = issued(&row, &events)?;
        let lapsed = match issued.holder {
            Whose::Person(_) => false,
            // The rest of a pull whose time is over is taken back row by row; until then nobody may use it either.
            Whose::Pull(id) => issued.held.open_redemption().is_none() && self.is_over(id).await?,
        };
        Ok((!lapsed).then_some(issued))
    }

    /// Whether the time of a pull was over before its partner had confirmed it.
    async fn is_over(&self, id: AllocationId) -> Result<bool, StoreError> {
        let sql = "SELECT CAST(1 AS BIGINT) AS n FROM allocation WHERE allocation_id = $1 AND ended_at IS NOT NULL";
        Ok(ints(self.read(), sql, vec![id.0.to_vec().into()]).await?.is_some())
    }

    /// The code that a redemption used, its holder, and who of `providers` took it: `till`, or
    /// another system by its name.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn find_redemption(
        &self,
        providers: &[&str],
        redemption: &str,
    ) -> Result<Option<(Issued, String)>, StoreError> {
        let row = code_event::Entity::find()
            .filter(code_event::Column::Provider.is_in(providers.iter().copied()))
            .filter(code_event::Column::ProviderRef.eq(redemption))
            .filter(code_event::Column::Kind.eq(EventKind::Redeemed.word()))
            .one(self.read())
            .await?;
        match row {
            Some(row) => {
                let issued = self.find_issued(spot(row.campaign_id, row.pool_no, row.position)?).await?;
                Ok(issued.map(|issued| (issued, row.provider)))
            }
            None => Ok(None),
        }
    }

    /// Which of these persons are known.
    ///
    /// # Errors
    /// What the database says.
    pub async fn known_subjects(&self, subjects: &[Subject]) -> Result<HashSet<Subject>, StoreError> {
        let bytes = subjects.iter().map(|subject| subject.as_bytes().to_vec());
        let rows = recipient::Entity::find().filter(recipient::Column::Subject.is_in(bytes)).all(self.read()).await?;
        let subject = |row: recipient::Model| row.subject.as_slice().try_into().ok().map(Subject::from_bytes);
        Ok(rows.into_iter().filter_map(subject).collect())
    }

    /// A person's number, sealed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sealed_phone(&self, subject: Subject) -> Result<Option<Vec<u8>>, StoreError> {
        let row = recipient::Entity::find_by_id(subject.as_bytes().to_vec()).one(self.read()).await?;
        Ok(row.and_then(|row| row.phone_ciphertext))
    }
}

fn key(spot: Spot) -> (i64, i64, i64) {
    (spot.campaign.0.into(), spot.pool.into(), i64::try_from(spot.position).unwrap_or(i64::MAX))
}

fn spot(campaign: i64, pool: i64, position: i64) -> Result<Spot, StoreError> {
    let bad = || StoreError::BadRow { table: "code", column: "position", id: format!("{campaign}/{pool}/{position}") };
    Ok(Spot {
        campaign: CampaignId(u32::try_from(campaign).map_err(|_| bad())?),
        pool: u16::try_from(pool).map_err(|_| bad())?,
        position: u64::try_from(position).map_err(|_| bad())?,
    })
}

fn issued(row: &issuance::Model, events: &[code_event::Model]) -> Result<Issued, StoreError> {
    let id = || format!("{}/{}/{}", row.campaign_id, row.pool_no, row.position);
    let bad = |column| StoreError::BadRow { table: "issuance", column, id: id() };
    let number = |n: i64, column| u32::try_from(n).map_err(|_| bad(column));
    let person = row.subject.as_deref().and_then(|bytes| bytes.try_into().ok()).map(Subject::from_bytes);
    let pull = row.allocation_id.as_deref().and_then(|bytes| bytes.try_into().ok()).map(AllocationId);
    let holder = person.map(Whose::Person).or(pull.map(Whose::Pull)).ok_or_else(|| bad("subject"))?;
    let held = Held {
        spot: spot(row.campaign_id, row.pool_no, row.position)?,
        epoch: number(row.epoch, "epoch")?,
        seq: number(row.seq, "seq")?,
        offer_no: u16::try_from(row.offer_no).map_err(|_| bad("offer_no"))?,
        weight: row.weight_minor,
        from: Attribution {
            channel: Channel::parse(&row.channel).ok_or_else(|| bad("channel"))?,
            sender: row.sender_id.and_then(|id| u32::try_from(id).ok()).map(SenderId),
            keyword: row.keyword.clone(),
            placement: PlacementId(number(row.placement_id, "placement_id")?),
            partner: partnership(row),
            creator: u32::try_from(row.creator_id).ok().filter(|id| *id != 0).map(CreatorId),
            sub_id: row.sub_id.clone(),
            note: row.note.clone(),
        },
        issued_at: from_millis(row.issued_at),
        promised: row.charged_at.map(from_millis).zip(u32::try_from(row.campaign_version).ok()),
        expires_at: row.expires_at.map(from_millis),
        events: events.iter().map(event).collect::<Result<_, _>>()?,
    };
    Ok(Issued { holder, held })
}

fn partnership(row: &issuance::Model) -> Option<Partnership> {
    let id = u32::try_from(row.partner_id).ok().filter(|id| *id != 0)?;
    Some(Partnership { id: PartnerId(id), version: u32::try_from(row.partner_version).unwrap_or_default() })
}

fn event(row: &code_event::Model) -> Result<Event, StoreError> {
    let bad = |column| StoreError::BadRow { table: "code_event", column, id: row.provider_ref.clone() };
    Ok(Event {
        step: u32::try_from(row.step).map_err(|_| bad("step"))?,
        kind: EventKind::parse(&row.kind).ok_or_else(|| bad("kind"))?,
        at: from_millis(row.occurred_at),
        provider_ref: row.provider_ref.clone(),
        store: row.store.clone(),
        amount: row.amount_minor,
        commission: row.commission_minor,
        reverses: row.reverses.map(u32::try_from).transpose().map_err(|_| bad("reverses"))?,
    })
}
