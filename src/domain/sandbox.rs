//! The sandbox of a partner: codes that nobody has, and pulls of them that keep the rules of real ones.

use crate::domain::act::LeaseStep;
use crate::domain::decision::outcome::{Outcome, Refusal};
use crate::domain::ids::AllocationId;
use crate::domain::permutation::Permutation;
use chrono::{DateTime, Utc};

/// 31 signs that are not mistaken for one another.
const SIGNS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// What every code begins with.
const HEAD: &str = "TEST";
/// Signs of a code behind its beginning, and between two hyphens.
const LENGTH: u32 = 8;
const GROUP: usize = 4;
/// How many codes there are.
pub const SPACE: u64 = (SIGNS.len() as u64).pow(LENGTH);

/// The code of that number: `TEST-7KMQ-4XTD`.
#[must_use]
pub fn code_text(number: u64) -> String {
    let mut text = HEAD.to_owned();
    let mut rest = number;
    for sign in 0..LENGTH as usize {
        if sign % GROUP == 0 {
            text.push('-');
        }
        let at = usize::try_from(rest % SIGNS.len() as u64).unwrap_or_default();
        text.push(char::from(SIGNS.get(at).copied().unwrap_or(b'2')));
        rest /= SIGNS.len() as u64;
    }
    text
}

/// Reads [`code_text`] back; spaces, hyphens and small letters are no matter, as at a till.
#[must_use]
pub fn code_number(text: &str) -> Option<u64> {
    let plain: String = text.chars().filter(|sign| !matches!(sign, ' ' | '-')).collect();
    let signs = plain.to_ascii_uppercase();
    let signs = signs.strip_prefix(HEAD).filter(|signs| signs.len() == LENGTH as usize)?;
    signs.bytes().rev().try_fold(0, |number, sign| {
        let at = SIGNS.iter().position(|known| *known == sign)?;
        Some(number * SIGNS.len() as u64 + at as u64)
    })
}

/// The codes of one pull, computed from a key that is the pull's alone: no two of them are the same.
#[derive(Debug)]
pub struct PullCodes(Permutation);

impl PullCodes {
    /// The codes that `key` chooses.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Permutation::new(key, u128::from(SPACE)))
    }

    /// The code with that number in the pull, from 0.
    #[must_use]
    pub fn text(&self, no: u64) -> String {
        code_text(self.0.forward(u128::from(no)).and_then(|number| u64::try_from(number).ok()).unwrap_or_default())
    }

    /// The number of a code in the pull; any code has one, however few codes the pull has.
    #[must_use]
    pub fn number(&self, text: &str) -> Option<u64> {
        let number = self.0.inverse(u128::from(code_number(text)?))?;
        u64::try_from(number).ok()
    }
}

/// What of a pull changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestPull {
    /// Its name.
    pub id: AllocationId,
    /// How many codes it has.
    pub count: u64,
    /// How many were streamed.
    pub exposed: u64,
    /// How many were given back, never streamed.
    pub restocked: u64,
    /// A bit for each code that was given back after it was streamed.
    pub withdrawn: Vec<u8>,
    /// Until when it may be streamed and acknowledged.
    pub lease_until: DateTime<Utc>,
    /// When the partner said that it has its codes.
    pub acked_at: Option<DateTime<Utc>>,
}

impl TestPull {
    /// Takes a step as a real pull would; `takes_back` where its campaign takes streamed codes back.
    pub fn step(&mut self, step: &LeaseStep, takes_back: bool, now: DateTime<Utc>) -> Outcome {
        if self.acked_at.is_none() && now >= self.lease_until {
            return Outcome::Refused(Refusal::LeaseExpired, None);
        }
        match step {
            LeaseStep::Acknowledged(count) if *count != self.exposed => {
                Outcome::Refused(Refusal::CountDiffers(self.exposed), None)
            }
            LeaseStep::Acknowledged(_) => {
                self.give_rest_back();
                self.acked_at = self.acked_at.or(Some(now));
                Outcome::Leased(self.id, self.exposed)
            }
            LeaseStep::Returned | LeaseStep::Expired => Outcome::Leased(self.id, self.give_rest_back()),
            LeaseStep::Withdrawn(..) if !takes_back => Outcome::Refused(Refusal::NotEligible, None),
            LeaseStep::Withdrawn(numbers, _) => {
                let new = numbers.iter().filter(|number| self.withdraw(**number)).count();
                Outcome::Leased(self.id, new as u64)
            }
        }
    }

    fn give_rest_back(&mut self) -> u64 {
        let rest = self.count.saturating_sub(self.exposed + self.restocked);
        self.restocked += rest;
        rest
    }

    /// Whether it was not given back before.
    fn withdraw(&mut self, number: u64) -> bool {
        let (Ok(byte), true) = (usize::try_from(number / 8), number < self.exposed) else {
            return false;
        };
        if self.withdrawn.len() <= byte {
            self.withdrawn.resize(byte + 1, 0);
        }
        let bit = 1 << (number % 8);
        let Some(cell) = self.withdrawn.get_mut(byte).filter(|cell| **cell & bit == 0) else {
            return false;
        };
        *cell |= bit;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;
    use std::collections::BTreeSet;

    fn pull() -> TestPull {
        let lease_until = DateTime::UNIX_EPOCH + Duration::hours(1);
        let id = AllocationId([1; 16]);
        TestPull { id, count: 100, exposed: 60, restocked: 0, withdrawn: Vec::new(), lease_until, acked_at: None }
    }

    #[test]
    fn a_code_is_read_back_as_people_write_it() {
        for number in [0, 1, 31, 852_891_037_440, SPACE - 1] {
            let text = code_text(number);
            assert_eq!(code_number(&text), Some(number), "{text}");
            assert_eq!(code_number(&text.to_lowercase().replace('-', " ")), Some(number), "{text}");
        }
        for strange in ["", "TEST", "TEST-2222-222", "TEST-2222-2220", "REAL-2222-2222", "TEST-2222-22222"] {
            assert_eq!(code_number(strange), None, "{strange}");
        }
    }

    #[test]
    fn the_largest_pull_has_no_code_twice_and_each_knows_its_number() {
        let codes = PullCodes::new(&[3; 32]);
        let texts: BTreeSet<_> = (0..100_000).map(|no| codes.text(no)).collect();
        assert_eq!(texts.len(), 100_000);
        assert_eq!(codes.number(&codes.text(99_999)), Some(99_999));
        assert_ne!(codes.text(0), PullCodes::new(&[4; 32]).text(0));
    }

    #[test]
    fn an_acknowledgement_counts_what_was_streamed_and_gives_the_rest_back() {
        let (mut pull, now) = (pull(), DateTime::UNIX_EPOCH);
        let step = LeaseStep::Acknowledged;
        assert_eq!(pull.step(&step(59), true, now), Outcome::Refused(Refusal::CountDiffers(60), None));
        assert_eq!((pull.restocked, pull.acked_at), (0, None));
        assert_eq!(pull.step(&step(60), true, now), Outcome::Leased(pull.id, 60));
        assert_eq!((pull.restocked, pull.acked_at), (40, Some(now)));
        // Acknowledged, it never ends.
        assert_eq!(pull.step(&step(60), true, pull.lease_until), Outcome::Leased(pull.id, 60));
        assert_eq!(pull.acked_at, Some(now));
    }

    #[test]
    fn a_code_is_given_back_once_and_only_if_it_was_streamed() {
        let (mut pull, now) = (pull(), DateTime::UNIX_EPOCH);
        let step = |numbers: &[u64]| LeaseStep::Withdrawn(numbers.to_vec(), "shredded".to_owned());
        assert_eq!(pull.step(&step(&[0, 59, 60, 59]), true, now), Outcome::Leased(pull.id, 2));
        assert_eq!(pull.step(&step(&[59, 7]), true, now), Outcome::Leased(pull.id, 1));
        assert_eq!(pull.step(&step(&[8]), false, now), Outcome::Refused(Refusal::NotEligible, None));
        assert_eq!(pull.step(&LeaseStep::Returned, false, now), Outcome::Leased(pull.id, 40));
        assert_eq!(pull.step(&LeaseStep::Returned, false, now), Outcome::Leased(pull.id, 0));
    }

    #[test]
    fn nothing_is_taken_after_the_lease() {
        let (mut pull, late) = (pull(), pull().lease_until);
        for step in [LeaseStep::Acknowledged(60), LeaseStep::Returned, LeaseStep::Withdrawn(vec![1], String::new())] {
            assert_eq!(pull.step(&step, true, late), Outcome::Refused(Refusal::LeaseExpired, None), "{step:?}");
        }
    }
}
