//! Pulls of partners: made and ended as acts, streamed a chunk at a time beside the batches.

use super::{Engine, EngineError, Settled, draw, fingerprint};
use crate::domain::act::{Act, Ask, Lease, LeaseStep, Pull};
use crate::domain::campaign::{Attribution, Channel, Partnership};
use crate::domain::decision::outcome::Bar;
use crate::domain::ids::{AllocationId, CampaignId, PartnerId, RequestId};
use crate::domain::keyring::hex;
use crate::domain::partner::{PartnerScope, PartnerStatus};
use crate::domain::world::Range;
use crate::store::allocations::Exposed;
use aws_lc_rs::digest::{Context, SHA256};
use std::time::Instant;

pub use crate::store::allocations::Allocation;

/// Codes that are made known in one transaction, and no more in one piece of a stream: few, for whoever texts waits for
/// no more than one such transaction.
const CHUNK: u64 = 50;
/// Stored codes read in one statement.
const READ_AT_ONCE: u64 = 1_000;
/// Streamed codes taken back in one transaction.
const VOIDED_AT_ONCE: u32 = 1_000;
/// Pulls ended in one go.
const ENDED_AT_ONCE: u32 = 100;

/// The next piece of a pull's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These codes, in the order of the pull; the partner has them from now on.
    Codes(Vec<String>),
    /// There are no more.
    End,
    /// The time of the pull is over.
    Over,
}

impl Engine {
    /// Pulls codes for a partner.
    ///
    /// # Errors
    /// As [`Engine::settle`]; [`EngineError::Barred`].
    pub async fn allocate(
        &self,
        request: RequestId,
        fingerprint: [u8; 32],
        campaign: CampaignId,
        pull: Pull,
    ) -> Result<Settled, EngineError> {
        let partner = pull.from.partner.map(|by| by.id);
        let act = Act::new(draw(), request, fingerprint, None, Ask::Allocate(campaign, pull));
        self.settle_in_bulk(Act { partner, ..act }).await
    }

    /// A pull of a partner's own.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn allocation(&self, partner: PartnerId, id: AllocationId) -> Result<Option<Allocation>, EngineError> {
        Ok(self.parts().store.allocation(partner, id).await?)
    }

    /// Takes a step of a pull: acknowledges it, or gives something back.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn step_allocation(
        &self,
        request: RequestId,
        fingerprint: [u8; 32],
        pull: &Allocation,
        step: LeaseStep,
    ) -> Result<Settled, EngineError> {
        let ask = Ask::Lease(lease(pull), step);
        let act = Act::new(draw(), request, fingerprint, None, ask);
        self.settle(Act { partner: Some(pull.partner), allocation: Some(pull.id), ..act }).await
    }

    /// The next codes of a pull after the first `after`: those that were streamed before come again, then new ones are
    /// made known, each committed before it is in the answer.
    ///
    /// # Errors
    /// [`EngineError::Barred`] where the partner may not have new codes any more; [`EngineError::Store`]; the same call
    /// may be made again.
    pub async fn pull_piece(&self, pull: &Allocation, after: u64) -> Result<Piece, EngineError> {
        let store = &self.parts().store;
        let runs = loop {
            let again = slice(&store.streamed(pull.id).await?, after, CHUNK);
            if !again.is_empty() {
                break again;
            }
            if pull.acked_at.is_some() {
                // It has no more, and its lease is no matter any longer.
                return Ok(Piece::End);
            }
            let version = self.may_pull(pull).await?;
            let began = Instant::now();
            match store.expose(pull.id, (pull.partner, version), (after, CHUNK), self.now()).await? {
                Exposed::Some(positions) => {
                    // A stream has at most half of the database's time; people have the rest.
                    tokio::time::sleep(began.elapsed()).await;
                    break runs(&positions);
                }
                // Another stream of the same pull was first: its codes are the next ones here too.
                Exposed::Moved | Exposed::Changed => {}
                Exposed::Nothing => return Ok(Piece::End),
                Exposed::Over => return Ok(Piece::Over),
            }
        };
        let mut codes = Vec::new();
        for run in runs {
            codes.extend(self.texts_of((pull.campaign, pull.pool_no), run).await?);
        }
        Ok(Piece::Codes(codes))
    }

    /// The version of a pull's partner, as long as it may have codes of it.
    pub(super) async fn may_pull(&self, pull: &Allocation) -> Result<u32, EngineError> {
        let bar = match self.partner_terms(pull.partner).await? {
            Some(terms) if terms.status == PartnerStatus::Suspended => Bar::Suspended,
            Some(terms) if !terms.allows(PartnerScope::Bulk) => Bar::Scope(PartnerScope::Bulk),
            Some(terms) if terms.grants.contains_key(&pull.campaign) => return Ok(terms.version),
            Some(_) | None => Bar::NotGranted,
        };
        Err(EngineError::Barred(bar))
    }

    /// SHA-256 in hexadecimal over each code of a fully streamed pull and a line feed, in order; `None` before.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn pull_digest(&self, pull: &Allocation) -> Result<Option<String>, EngineError> {
        if pull.digest.is_some() || pull.exposed + pull.restocked < pull.count {
            return Ok(pull.digest.clone());
        }
        let store = &self.parts().store;
        let mut context = Context::new(&SHA256);
        for run in store.streamed(pull.id).await? {
            for part in parts(run, READ_AT_ONCE) {
                for code in self.texts_of((pull.campaign, pull.pool_no), part).await? {
                    context.update(code.as_bytes());
                    context.update(b"\n");
                }
            }
        }
        let digest = hex(context.finish().as_ref());
        store.keep_digest(pull.id, &digest).await?;
        Ok(Some(digest))
    }

    /// Ends pulls whose time is over, and takes back what was streamed of them; answers with how many pulls it moved on.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn end_leases(&self) -> Result<u64, EngineError> {
        let store = &self.parts().store;
        let over = store.allocations_over(self.now(), ENDED_AT_ONCE).await?;
        let moved = over.len() as u64;
        for pull in over {
            if pull.ended_at.is_none() {
                let request = RequestId { door: "lease".to_owned(), key: pull.id.text() };
                let print = fingerprint(&[request.key.as_bytes()]);
                self.step_allocation(request, print, &pull, LeaseStep::Expired).await?;
            }
            while store.void_pull(pull.id, VOIDED_AT_ONCE, self.now()).await? > 0 {}
        }
        Ok(moved)
    }

    /// The texts of a run of codes, in order.
    async fn texts_of(&self, pool: (CampaignId, u16), run: Range) -> Result<Vec<String>, EngineError> {
        let catalog = self.catalog();
        let derived = catalog.code_pool(pool.0, pool.1).and_then(|pool| pool.derived.clone());
        match derived {
            Some(derived) => {
                let codes = (run.first..=run.last).filter_map(|position| derived.code_at(position));
                Ok(codes.map(|code| code.expose().to_owned()).collect())
            }
            None => Ok(self.parts().store.code_texts(pool, run).await?),
        }
    }
}

fn lease(pull: &Allocation) -> Lease {
    let by = Partnership { id: pull.partner, version: pull.partner_version };
    Lease {
        id: pull.id,
        campaign: pull.campaign,
        pool_no: pull.pool_no,
        from: Attribution { partner: Some(by), sub_id: pull.sub_id.clone(), ..Attribution::by(Channel::Api) },
        allocated_at: pull.allocated_at,
    }
}

/// Positions `after..after + most` of a list of runs, as runs.
fn slice(list: &[Range], after: u64, most: u64) -> Vec<Range> {
    let (mut skip, mut room, mut found) = (after, most, Vec::new());
    for run in list {
        let len = run.last - run.first + 1;
        if skip >= len {
            skip -= len;
            continue;
        }
        let first = run.first + skip;
        let end = run.last.min(first + room - 1);
        skip = 0;
        room -= end - first + 1;
        found.push(Range { first, last: end });
        if room == 0 {
            break;
        }
    }
    found
}

/// Neighbouring positions together.
fn runs(positions: &[u64]) -> Vec<Range> {
    let mut runs: Vec<Range> = Vec::new();
    for position in positions {
        match runs.last_mut().filter(|run| run.last + 1 == *position) {
            Some(run) => run.last = *position,
            None => runs.push(Range { first: *position, last: *position }),
        }
    }
    runs
}

/// A run in pieces of at most `most`.
fn parts(run: Range, most: u64) -> impl Iterator<Item = Range> {
    let step = usize::try_from(most).unwrap_or(usize::MAX);
    (run.first..=run.last).step_by(step).map(move |first| Range { first, last: run.last.min(first + most - 1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: [Range; 3] = [Range { first: 3, last: 5 }, Range { first: 9, last: 9 }, Range { first: 20, last: 29 }];

    #[test]
    fn a_stream_goes_on_where_it_was_cut() {
        let positions = |runs: Vec<Range>| runs.into_iter().flat_map(|run| run.first..=run.last).collect::<Vec<_>>();
        let all: Vec<u64> = LIST.into_iter().flat_map(|run| run.first..=run.last).collect();
        for after in 0..=all.len() {
            let rest: Vec<u64> = all.iter().skip(after).take(5).copied().collect();
            assert_eq!(positions(slice(&LIST, after as u64, 5)), rest, "after {after}");
        }
        assert_eq!(runs(&all), LIST);
    }

    #[test]
    fn a_long_run_is_read_in_pieces() {
        let pieces: Vec<_> = parts(Range { first: 10, last: 34 }, 10).collect();
        let expected = [(10, 19), (20, 29), (30, 34)].map(|(first, last)| Range { first, last });
        assert_eq!(pieces, expected);
    }
}
