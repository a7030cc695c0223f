//! What a look does to runs of stock: split, cut out, join. Pure.

use super::{Buffer, Looked, Wanted};
use crate::domain::ids::millis;
use crate::domain::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// A run of positions that were looked at together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) looked_at: Option<i64>,
}

/// The positions whose verdict counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) alive: BTreeSet<u64>,
    pub(super) dead: BTreeSet<u64>,
    pub(super) undecided: BTreeSet<u64>,
}

impl Settled {
    pub(super) fn looked(&self) -> Looked {
        let len = |set: &BTreeSet<u64>| set.len() as u64;
        Looked { alive: len(&self.alive), dead: len(&self.dead), undecided: len(&self.undecided) }
    }
}

/// The runs of stock after a look, and what counted: positions in stock or put aside before. In this order a position
/// that was given out meanwhile is in neither.
pub(super) fn settle(
    runs: &[Run],
    aside: &BTreeSet<u64>,
    verdicts: &BTreeMap<u64, Verdict>,
    now_ms: i64,
) -> (Vec<Run>, Settled) {
    let mut after: Vec<Run> = Vec::new();
    let mut settled = Settled::default();
    let mut keep = |run: Run| match after.last_mut() {
        Some(last) if last.last + 1 == run.first && last.looked_at == run.looked_at => last.last = run.last,
        Some(_) | None => after.push(run),
    };
    for run in runs {
        let mut at = run.first;
        for (position, verdict) in verdicts.range(run.first..=run.last) {
            if *position > at {
                keep(Run { first: at, last: position - 1, ..*run });
            }
            at = position + 1;
            match verdict {
                Verdict::Alive => {
                    keep(Run { first: *position, last: *position, looked_at: Some(now_ms) });
                    settled.alive.insert(*position);
                }
                Verdict::Dead(_) => drop(settled.dead.insert(*position)),
                Verdict::Undecided(_) => drop(settled.undecided.insert(*position)),
            }
        }
        if at <= run.last {
            keep(Run { first: at, ..*run });
        }
    }
    for (position, verdict) in verdicts.iter().filter(|(position, _)| aside.contains(position)) {
        match verdict {
            Verdict::Alive => {
                after.push(Run { first: *position, last: *position, looked_at: Some(now_ms) });
                settled.alive.insert(*position);
            }
            Verdict::Dead(_) => drop(settled.dead.insert(*position)),
            Verdict::Undecided(_) => drop(settled.undecided.insert(*position)),
        }
    }
    (after, settled)
}

pub(super) fn buffer(runs: &[Run], wanted: &Wanted) -> Buffer {
    let (fresh_after, renew_before) = (millis(wanted.fresh_after), millis(wanted.renew_before));
    let fresh = runs.iter().filter(|run| run.looked_at.is_some_and(|at| at > fresh_after));
    let fresh: u64 = fresh.map(|run| run.last - run.first + 1).sum();
    let is_old = |run: &&Run| run.looked_at.is_some_and(|at| at <= renew_before);
    let is_new = |run: &&Run| run.looked_at.is_none();
    let old = runs.iter().filter(is_old).flat_map(|run| run.first..=run.last);
    let missing = usize::try_from(wanted.fresh.saturating_sub(fresh)).unwrap_or(usize::MAX);
    let new = runs.iter().filter(is_new).flat_map(|run| run.first..=run.last).take(missing);
    Buffer { fresh, next: old.chain(new).take(wanted.at_once).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, last: u64, looked_at: Option<i64>) -> Run {
        Run { first, last, looked_at }
    }

    fn verdicts<const N: usize>(all: [(u64, Verdict); N]) -> BTreeMap<u64, Verdict> {
        all.into()
    }

    #[test]
    fn a_look_splits_ranges_cuts_the_dead_out_and_joins_what_was_seen_together() {
        let dead = || Verdict::Dead("expired".to_owned());
        let seen = verdicts([(0, Verdict::Alive), (1, Verdict::Alive), (2, dead()), (3, Verdict::Alive), (8, dead())]);
        let (after, settled) = settle(&[run(0, 5, None)], &BTreeSet::new(), &seen, 7);
        assert_eq!(after, [run(0, 1, Some(7)), run(3, 3, Some(7)), run(4, 5, None)]);
        assert_eq!((settled.alive.len(), settled.dead), (3, [2].into()), "8 was given out meanwhile");
    }

    #[test]
    fn what_was_put_aside_comes_back_when_it_is_alive_after_all() {
        let seen = verdicts([(4, Verdict::Alive), (6, Verdict::Dead("unknown_code".to_owned()))]);
        let (after, settled) = settle(&[run(5, 5, Some(1))], &[4, 6].into(), &seen, 7);
        assert_eq!(after, [run(5, 5, Some(1)), run(4, 4, Some(7))]);
        assert_eq!((settled.alive, settled.dead), ([4].into(), [6].into()));
    }

    #[test]
    fn the_lowest_are_looked_at_until_the_buffer_is_full_and_old_looks_are_renewed_first() {
        let at = |ms| crate::domain::ids::from_millis(ms);
        let wanted = Wanted { fresh_after: at(10), renew_before: at(20), fresh: 6, at_once: 4 };
        let runs = [run(0, 1, Some(30)), run(2, 2, Some(15)), run(3, 3, Some(5)), run(4, 99, None)];
        assert_eq!(buffer(&runs, &wanted), Buffer { fresh: 3, next: vec![2, 3, 4, 5] });
        let full = Wanted { fresh: 3, ..wanted };
        assert_eq!(buffer(&runs, &full), Buffer { fresh: 3, next: vec![2, 3] });
    }
}
