//! Long texts come to us in parts, each in a webhook of its own.
//!
//! A part is not acknowledged before its whole is settled: Vonage sends it again for 24 hours, and then it brings the
//! whole once more, which is settled already. So nothing is lost with this memory; the next delivery fills it again.

use super::super::form::Fields;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// What comes again after so long while other parts have not come is settled without them: the keyword stands in the
/// first part, and some networks lose one.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);
/// Parts of one text leave the phone together. A later one with the same reference belongs to another text: a phone
/// counts to 255 and begins again.
const TOGETHER: TimeDelta = TimeDelta::minutes(10);
/// Long texts remembered; at some kB each, a few MB.
const MAX_TEXTS: usize = 2000;

/// Which text a part belongs to, and which part it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    from: String,
    to: String,
    reference: String,
    total: u16,
    number: u16,
}

impl Part {
    /// The part that a webhook says it is; `None` for a text of one piece, and for numbers that make no sense.
    pub(super) fn read(fields: &Fields, from: &str, to: &str) -> Option<Self> {
        let number_of = |name: &str| fields.filled(name)?.parse::<u16>().ok();
        let reference = fields.filled("concat-ref").filter(|_| fields.get("concat") == Some("true"))?.to_owned();
        let (total, number) = (number_of("concat-total")?, number_of("concat-part")?);
        let fits = total > 1 && (1..=total).contains(&number) && total <= 255;
        let [from, to] = [from, to].map(str::to_owned);
        fits.then_some(Self { from, to, reference, total, number })
    }
}

/// A text put together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// The carrier's name of its first part, the same whichever part came last.
    pub(super) id: String,
    pub(super) text: String,
    pub(super) segments: u16,
}

/// Texts of which a part has come.
#[derive(Default)]
pub(super) struct Parts(Mutex<VecDeque<Pieces>>);

/// Personal data is inside.
impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts(…)")
    }
}

struct Pieces {
    /// Any part of it; its number says nothing here.
    of: Part,
    /// When the carrier had its first part, or we.
    sent_at: DateTime<Utc>,
    /// When we first saw one.
    since: DateTime<Utc>,
    /// By their number: name and words.
    by_number: BTreeMap<u16, (String, String)>,
}

impl Pieces {
    fn takes(&self, part: &Part, id: &str, sent_at: DateTime<Utc>) -> bool {
        let Part { from, to, reference, total, number } = part;
        let same = (from, to, reference, total) == (&self.of.from, &self.of.to, &self.of.reference, &self.of.total);
        let apart = (self.sent_at - sent_at).abs();
        same && apart <= TOGETHER && self.by_number.get(number).is_none_or(|(known, _)| known == id)
    }

    fn whole(&self, now: DateTime<Utc>) -> Option<Whole> {
        let is_complete = self.by_number.len() == usize::from(self.of.total);
        if !is_complete && now - self.since < PATIENCE {
            return None;
        }
        let (id, _) = self.by_number.values().next()?;
        let text = self.by_number.values().map(|(_, text)| text.as_str()).collect();
        Some(Whole { id: id.clone(), text, segments: u16::try_from(self.by_number.len()).unwrap_or(u16::MAX) })
    }
}

impl Parts {
    /// Takes a part; the whole when it is there, or when it has been waited for long enough. A part that comes again
    /// brings its whole again.
    pub(super) fn take(
        &self,
        part: &Part,
        id: &str,
        text: &str,
        sent_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<Whole> {
        let sent_at = sent_at.unwrap_or(now);
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !texts.iter().any(|text| text.takes(part, id, sent_at)) {
            if texts.len() == MAX_TEXTS {
                texts.pop_front();
            }
            texts.push_back(Pieces { of: part.clone(), sent_at, since: now, by_number: BTreeMap::new() });
        }
        let pieces = texts.iter_mut().find(|text| text.takes(part, id, sent_at))?;
        pieces.by_number.entry(part.number).or_insert_with(|| (id.to_owned(), text.to_owned()));
        pieces.whole(now)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
    }

    fn part(reference: &str, number: u16) -> Part {
        let [from, to] = ["+12025550123", "55501"].map(str::to_owned);
        Part { from, to, reference: reference.to_owned(), total: 3, number }
    }

    /// Parts as `(number, name, seconds)` of one text, taken in that order; what each of them brings.
    fn take(parts: &Parts, given: &[(u16, &str, i64)]) -> Vec<Option<String>> {
        let mut told = Vec::new();
        for (number, id, seconds) in given {
            let whole = parts.take(&part("7", *number), id, &format!("<{id}>"), Some(at(*seconds)), at(*seconds));
            told.push(whole.map(|whole| format!("{}: {}", whole.id, whole.text)));
        }
        told
    }

    #[test]
    fn a_text_is_whole_with_its_last_part_in_whatever_order_they_come() {
        let whole = Some("a: <a><b><c>".to_owned());
        let orders = [[(1, "a"), (2, "b"), (3, "c")], [(3, "c"), (1, "a"), (2, "b")], [(2, "b"), (3, "c"), (1, "a")]];
        for order in orders {
            let given = order.map(|(number, id)| (number, id, 0));
            assert_eq!(take(&Parts::default(), &given), [None, None, whole.clone()]);
        }
    }

    #[test]
    fn a_part_that_comes_again_brings_the_same_whole_again_and_completes_nothing_twice() {
        let told = take(&Parts::default(), &[(1, "a", 0), (1, "a", 1), (2, "b", 2), (3, "c", 3), (1, "a", 30)]);
        let whole = Some("a: <a><b><c>".to_owned());
        assert_eq!(told, [None, None, None, whole.clone(), whole]);
    }

    #[test]
    fn what_comes_again_after_a_minute_is_settled_without_the_rest_and_the_rest_brings_the_whole() {
        let told = take(&Parts::default(), &[(1, "a", 0), (3, "c", 59), (1, "a", 60), (2, "b", 70)]);
        assert_eq!(told, [None, None, Some("a: <a><c>".to_owned()), Some("a: <a><b><c>".to_owned())]);
    }

    #[test]
    fn a_reference_that_is_used_again_begins_another_text() {
        let told = take(&Parts::default(), &[(1, "a", 0), (1, "d", 5), (2, "b", 6), (3, "c", 7)]);
        assert_eq!(told, [None, None, None, Some("a: <a><b><c>".to_owned())], "two at once: the first is filled first");
        let told = take(&Parts::default(), &[(1, "a", 0), (2, "b", 3600), (3, "c", 3601)]);
        assert_eq!(told, [None, None, None], "parts of another hour do not complete it");
    }

    #[test]
    fn parts_of_different_phones_and_references_never_meet() {
        let parts = Parts::default();
        for number in 1..=2 {
            assert_eq!(parts.take(&part("1", number), "x", "x", None, at(0)), None);
        }
        assert_eq!(parts.take(&part("2", 3), "y", "y", None, at(0)), None);
        let other = Part { from: "+12025550124".to_owned(), ..part("1", 3) };
        assert_eq!(parts.take(&other, "z", "z", None, at(0)), None);
    }

    #[test]
    fn the_oldest_texts_make_room_and_their_parts_begin_anew() {
        let parts = Parts::default();
        parts.take(&part("first", 1), "a", "a", None, at(0));
        for n in 0..MAX_TEXTS {
            parts.take(&part(&format!("r{n}"), 1), "b", "b", None, at(0));
        }
        assert_eq!(parts.0.lock().unwrap().len(), MAX_TEXTS);
        assert_eq!(parts.take(&part("first", 2), "c", "c", None, at(61)), None, "its first part comes again, too");
    }
}
