//! What a person and a number of ours are talking about: a question put back, and words nobody knows.

use super::Work;
use crate::domain::act::{Act, Text, Who};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::catalog::{Heard, SenderRow};
use crate::domain::decision::outcome::{Outcome, Refusal};
use crate::domain::keyword::unknown;
use crate::domain::session::{Choice, Heed, Open, Question, Repeats, Session, SessionKey, SessionKind};

impl Work<'_> {
    /// What a text asks for, in the light of a question of ours that is open.
    ///
    /// Opt-out and help outrank it, an exact keyword interrupts it, "1" and "2" answer it.
    pub(super) fn hear(&mut self, who: &Who, text: &Text) -> Heard {
        let key = question_key(who, text);
        let question = self.question(key);
        let answer = if text.carrier_said.is_none() { self.catalog.answer(text.sender, &text.text) } else { None };
        if let (Some(question), Some(at)) = (&question, answer) {
            if question.answered {
                // The first answer was taken; its code is on the way.
                return Heard::Nothing;
            }
            if let Some(choice) = question.choices.get(at) {
                let Choice { campaign, .. } = *choice;
                let heard = Heard::Keyword { campaign, from: choice.from(text.sender), read: None };
                let answered = Question { answered: true, ..question.clone() };
                let until = self.world.sessions.get(&key).map_or(self.world.now, |session| session.expires_at);
                self.open(key, Session { open: Open::Question(answered), expires_at: until });
                return heard;
            }
        }
        let heard = self.catalog.hear_text(text);
        match (&heard, question) {
            (Heard::OptOut(..) | Heard::Keyword { .. }, _) => self.close(key),
            (Heard::Unknown, Some(question)) if !question.answered => {
                // The question is put once more; whether it goes out is the loop guard's matter.
                return question.again().map_or(heard, |again| Heard::Ambiguous(again.choices));
            }
            (
                Heard::OptIn(_)
                | Heard::Help(_)
                | Heard::MyCodes
                | Heard::Ambiguous(_)
                | Heard::Unknown
                | Heard::Nothing,
                _,
            ) => {}
        }
        heard
    }

    /// Opens a question, now that it is certain that it goes out.
    pub(super) fn ask(&mut self, who: &Who, text: &Text, choices: &[Choice]) {
        let key = question_key(who, text);
        let again = self.question(key).filter(|open| open.choices == choices).and_then(|open| open.again());
        let question = again.unwrap_or_else(|| Question::new(choices.to_vec()));
        let expires_at = self.world.now + self.catalog.limits.question_timeout;
        self.open(key, Session { open: Open::Question(question), expires_at });
    }

    /// Counts words that nobody knows, for the report and against machines that repeat themselves.
    pub(super) fn heed(&mut self, act: &Act, who: &Who, text: &Text) -> Heed {
        *self.changes.unknown.entry((text.sender, unknown(&text.text))).or_default() += 1;
        let now = self.world.now;
        let key = SessionKey { kind: SessionKind::Repeats, ..question_key(who, text) };
        let known = self.world.sessions.get(&key).map(|session| &session.open);
        let mut repeats = match known {
            Some(Open::Repeats(repeats)) => repeats.clone(),
            Some(Open::Question(_)) | None => Repeats::default(),
        };
        let words = act.fingerprint.first_chunk().copied().unwrap_or_default();
        let heed = repeats.count(words, now);
        let expires_at = repeats.ends_at(now);
        self.open(key, Session { open: Open::Repeats(repeats), expires_at });
        heed
    }

    /// Counts a first code against its range of numbers, and tells somebody when a range is full.
    pub(super) fn count_burst(&mut self, act: &Act, sender: &SenderRow, outcome: &Outcome) {
        let Some(range) = self.range else { return };
        match outcome {
            Outcome::Issued(_) => *self.world.bursts.entry(range).or_default() += 1,
            Outcome::Held(id) if id.0 == act.id => *self.world.bursts.entry(range).or_default() += 1,
            Outcome::Refused(Refusal::NumberBurst, _) => {
                let limits = self.catalog.limits;
                let detail = format!(
                    "more than {} new phones whose numbers begin with +{} asked within {} minutes; the rest are put off",
                    limits.burst_per_range,
                    // Country and area: enough to know where, not who.
                    range.1.0 / 1_000,
                    limits.burst_window.num_minutes()
                );
                let about = format!("sender {}", sender.address);
                self.changes.raise(Alert { kind: AlertKind::NumberBurst, about, detail }, self.world.now);
            }
            Outcome::Repeat(..)
            | Outcome::Held(_)
            | Outcome::Refused(..)
            | Outcome::Redeemed(..)
            | Outcome::RolledBack(..)
            | Outcome::Refunded(..)
            | Outcome::Voided(_)
            | Outcome::Recorded(..)
            | Outcome::Declined(..)
            | Outcome::Told(_)
            | Outcome::Allocated(..)
            | Outcome::Leased(..)
            | Outcome::Looked(..)
            | Outcome::Noted => {}
        }
    }

    /// The question that is open; one whose time is over is none, and its row goes.
    fn question(&mut self, key: SessionKey) -> Option<Question> {
        let session = self.world.sessions.get(&key)?;
        if session.expires_at <= self.world.now {
            self.close(key);
            return None;
        }
        match &session.open {
            Open::Question(question) => Some(question.clone()),
            Open::Repeats(_) => None,
        }
    }

    fn open(&mut self, key: SessionKey, session: Session) {
        if self.world.sessions.get(&key) != Some(&session) {
            self.changes.sessions.insert(key, Some(session.clone()));
            self.world.sessions.insert(key, session);
        }
    }

    /// Ends what is open, without a word.
    pub(super) fn close(&mut self, key: SessionKey) {
        if self.world.sessions.remove(&key).is_some() {
            self.changes.sessions.insert(key, None);
        }
    }
}

fn question_key(who: &Who, text: &Text) -> SessionKey {
    SessionKey { subject: who.subject, sender: text.sender, kind: SessionKind::Question }
}
