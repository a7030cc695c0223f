//! Draws the codes of a generated pool.

use super::chance::draw;
use crate::domain::ids::CampaignId;
use crate::domain::pattern::Pattern;
use crate::store::codes::NormedCode;
use crate::store::{Store, StoreError, codes};

/// Draws for one chunk before something must be wrong: the pattern has 10^7 codes for each of the pool's, so a second
/// draw is rare and a third one never happens.
const DRAWS: u32 = 20;

/// Makes sure that every position of `from..to` has a code; those that an interrupted run wrote stay.
/// `done` hears how many positions have theirs.
///
/// # Errors
/// [`StoreError::Miscounted`] when codes cannot be found; what the database says.
pub(super) async fn fill(
    store: &Store,
    (campaign, pool_no): (CampaignId, u16),
    pattern: &Pattern,
    (from, to): (u64, u64),
    done: impl Fn(u64),
) -> Result<(), StoreError> {
    let mut first = from;
    while first < to {
        let last = to.min(first + codes::CHUNK as u64) - 1;
        fill_chunk(store, (campaign, pool_no), pattern, first, last).await?;
        first = last + 1;
        done(first - from);
    }
    Ok(())
}

async fn fill_chunk(
    store: &Store,
    (campaign, pool_no): (CampaignId, u16),
    pattern: &Pattern,
    first: u64,
    last: u64,
) -> Result<(), StoreError> {
    let mut missing = codes::missing(store, campaign, pool_no, first, last).await?;
    for _ in 0..DRAWS {
        if missing.is_empty() {
            return Ok(());
        }
        let drawn: Vec<NormedCode> = missing.iter().map(|_| draw_code(pattern)).collect();
        let placed: Vec<_> = missing.iter().copied().zip(&drawn).collect();
        let added = codes::add(store, campaign, pool_no, &placed).await?;
        if added == drawn.len() as u64 {
            return Ok(());
        }
        missing = codes::missing(store, campaign, pool_no, first, last).await?;
    }
    let (written, expected) = (last + 1 - first - missing.len() as u64, last + 1 - first);
    Err(StoreError::Miscounted { statement: "code: draw", written, expected })
}

/// One code out of the whole space, each as likely, but for those that read badly.
fn draw_code(pattern: &Pattern) -> NormedCode {
    loop {
        let code = pattern.random_index(draw()).and_then(|index| pattern.format(index));
        let normed = code.map(|code| {
            let norm = code.norm();
            (code, norm)
        });
        if let Some(normed) = normed.filter(|(_, norm)| pattern.reads_clean(norm)) {
            return normed;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn drawn_codes_have_the_pattern_and_read_cleanly() {
        let pattern = Pattern::parse("PZA-????-????*").unwrap();
        let codes: Vec<NormedCode> = (0..500).map(|_| draw_code(&pattern)).collect();
        let fine = |norm| pattern.check_ok(norm) && pattern.reads_clean(norm);
        assert!(codes.iter().all(|(_, norm)| fine(norm)));
        let distinct: HashSet<_> = codes.iter().map(|(_, norm)| norm).collect();
        assert_eq!(distinct.len(), 500);
    }
}
