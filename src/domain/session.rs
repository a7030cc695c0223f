//! What is open between a person and a number of ours: a question of ours, and how often she said the same.

use crate::domain::campaign::{Attribution, Channel};
use crate::domain::ids::{CampaignId, CreatorId, PlacementId, SenderId, Subject, millis};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

/// The same words so often within [`SAME_WITHIN`] are those of a machine.
const SAME_TIMES: usize = 3;
/// See [`SAME_TIMES`].
const SAME_WITHIN: Duration = Duration::minutes(10);
/// A machine is not answered for so long; its keywords, STOP and HELP are.
const MUTED: Duration = Duration::hours(24);
/// A question is put so often, then what is no answer is an unknown word.
const MOST_ASKED: u8 = 2;

/// A campaign that a question of ours offers, in her words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The campaign.
    pub campaign: CampaignId,
    /// The keyword it counts under, as the question names it.
    pub keyword: String,
    /// Where that keyword stands.
    pub placement: PlacementId,
    /// The creator whose word it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<CreatorId>,
}

impl Choice {
    /// Whose merit a code is that this choice leads to.
    #[must_use]
    pub fn from(&self, sender: SenderId) -> Attribution {
        Attribution {
            sender: Some(sender),
            keyword: Some(self.keyword.clone()),
            placement: self.placement,
            creator: self.creator,
            ..Attribution::by(Channel::Sms)
        }
    }
}

/// "Did you mean 1 PIZZA or 2 PLAZA?"
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What may be chosen, in the order of the numbers.
    pub choices: Vec<Choice>,
    /// How often it was put.
    pub asked: u8,
    /// It was answered; a second answer is the same one.
    pub answered: bool,
}

impl Question {
    /// A question, put for the first time.
    #[must_use]
    pub fn new(choices: Vec<Choice>) -> Self {
        Self { choices, asked: 1, answered: false }
    }

    /// The question put once more, unless it was put often enough.
    #[must_use]
    pub fn again(&self) -> Option<Self> {
        let again = !self.answered && self.asked < MOST_ASKED;
        again.then(|| Self { asked: self.asked + 1, ..self.clone() })
    }
}

/// How often a person said the same unknown words lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// The begin of the words' fingerprint.
    pub words: [u8; 8],
    /// When, milliseconds since 1970 UTC.
    pub at: Vec<i64>,
    /// Until then unknown words are not answered, milliseconds since 1970 UTC.
    pub muted_until: Option<i64>,
}

impl Repeats {
    /// Counts words said at `now`; whether they may be answered.
    pub fn count(&mut self, words: [u8; 8], now: DateTime<Utc>) -> Heed {
        if self.muted_until.is_some_and(|until| millis(now) < until) {
            return Heed::Muted;
        }
        if self.words != words {
            *self = Self { words, ..Self::default() };
        }
        self.muted_until = None;
        self.at.retain(|at| *at > millis(now - SAME_WITHIN));
        self.at.push(millis(now));
        if self.at.len() < SAME_TIMES {
            return Heed::Heard;
        }
        self.muted_until = Some(millis(now + MUTED));
        Heed::Muted
    }

    /// From then on it says nothing more.
    #[must_use]
    pub fn ends_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.muted_until.map_or(now + SAME_WITHIN, crate::domain::ids::from_millis)
    }
}

/// Whether words are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heed {
    /// They may be.
    Heard,
    /// They are a machine's.
    Muted,
}

/// One row of what is open: whose, with which number, and of which kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey {
    /// The person.
    pub subject: Subject,
    /// Our number.
    pub sender: SenderId,
    /// Which kind.
    pub kind: SessionKind,
}

/// The kinds of what is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionKind {
    /// A [`Question`].
    Question,
    /// [`Repeats`].
    Repeats,
}

impl SessionKind {
    /// The word that tables use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Repeats => "repeats",
        }
    }
}

/// What is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// A question of ours.
    Question(Question),
    /// How often she said the same.
    Repeats(Repeats),
}

/// What is open, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What.
    pub open: Open,
    /// Ends then, without a word.
    pub expires_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::from_millis;

    #[test]
    fn the_same_words_three_times_in_ten_minutes_mute_for_a_day() {
        let minute = |n: i64| from_millis(n * 60_000);
        let mut repeats = Repeats::default();
        let mut said = |words: u8, at| repeats.count([words; 8], minute(at));
        assert_eq!(said(1, 0), Heed::Heard);
        assert_eq!(said(1, 5), Heed::Heard);
        assert_eq!(said(1, 10), Heed::Heard, "the first is ten minutes old");
        assert_eq!(said(2, 11), Heed::Heard, "other words begin anew");
        assert_eq!(said(1, 12), Heed::Heard);
        assert_eq!(said(1, 13), Heed::Heard);
        assert_eq!(said(1, 14), Heed::Muted);
        assert_eq!(said(2, 15), Heed::Muted, "whatever the machine says");
        assert_eq!(said(1, 14 + 24 * 60 - 1), Heed::Muted);
        assert_eq!(said(1, 14 + 24 * 60), Heed::Heard);
    }

    #[test]
    fn a_question_is_put_twice_and_never_after_its_answer() {
        let question = Question::new(Vec::new());
        let again = question.again();
        assert_eq!(again.as_ref().map(|question| question.asked), Some(2));
        assert_eq!(again.and_then(|question| question.again()), None);
        assert_eq!(Question { answered: true, ..question }.again(), None);
    }
}
