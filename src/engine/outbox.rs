//! Messages on their way out: who may hand them over, and what became of them.

use super::partners::PARTNER_DOORS;
use super::{Engine, EngineError, chance, fingerprint};
use crate::domain::act::{Act, Ask, CarrierSaid, MessageStatus, MessageStep, Refused, Text, Who};
use crate::domain::alert::AlertKind;
use crate::domain::decision::changes::NewMessage;
use crate::domain::ids::{RequestId, SenderId, Subject};
use crate::domain::sending::Priority;
use chrono::{DateTime, Duration, Utc};
use moka::sync::Cache;

pub use crate::store::outbox::{Due, IN_DOUBT, STILL_IN_DOUBT, THROTTLED};
use crate::store::outbox::{FoundMessage, MessageName};

/// Early reports kept: a report overtakes our own note of the hand-over by milliseconds, or it never comes.
const EARLY_REPORTS: u64 = 10_000;
/// How long an early report is kept.
const EARLY: std::time::Duration = std::time::Duration::from_mins(10);
/// The longest note kept of a carrier's words.
const MAX_NOTE_CHARS: usize = 200;
/// So many digits in a row could be somebody's number.
const NUMBER_DIGITS: usize = 7;

/// Whether a message may be handed over now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaySend {
    /// It may.
    Yes,
    /// The person said STOP after it was made.
    OptedOut,
    /// It is not, or no longer, on its way: somebody else ended it.
    Over,
    /// It was not marked: a spend cap holds it back until then.
    HeldBack(DateTime<Utc>),
}

/// When the tables are asked about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// While it waits.
    Waiting,
    /// After it was marked for its call.
    Marked,
}

/// What a carrier says of a message it took; one of its names at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The carrier's name of it.
    pub provider_id: Option<String>,
    /// Our name of it in 32 hexadecimal digits, or the id of the decision it answers.
    pub reference: Option<String>,
    /// `Sent`, `Delivered`, `Undelivered` or `Expired`.
    pub status: MessageStatus,
    /// Why it failed.
    pub refused: Option<Refused>,
    /// The carrier's code.
    pub note: Option<String>,
}

impl Reported {
    /// A report by the carrier's name of a message.
    #[must_use]
    pub fn of(provider_id: &str, status: MessageStatus) -> Self {
        Self { provider_id: Some(provider_id.to_owned()), reference: None, status, refused: None, note: None }
    }

    /// The step it is.
    #[must_use]
    pub fn step(&self, message: [u8; 16]) -> MessageStep {
        let words = [self.note.as_deref(), self.refused.map(Refused::word)];
        let words: Vec<_> = words.into_iter().flatten().collect();
        let note = (!words.is_empty()).then(|| words.join(" "));
        MessageStep { provider_id: self.provider_id.clone(), note, ..step(message, self.status) }
    }
}

/// Reports that came before we had written down the carrier's name of their message; clones share them. A report that
/// names the message as we do needs no such wait.
///
/// They live in memory: a report that reaches another process than the one that sends is lost, and the message stays
/// `submitted`.
#[derive(Debug, Clone)]
pub struct EarlyReports(Cache<(SenderId, String), Reported>);

impl Default for EarlyReports {
    fn default() -> Self {
        let cache = Cache::builder().max_capacity(EARLY_REPORTS).time_to_live(EARLY);
        Self(cache.build())
    }
}

impl EarlyReports {
    /// Takes the report that came before the message's name was written.
    #[must_use]
    pub fn take(&self, sender: SenderId, provider_id: &str) -> Option<Reported> {
        self.0.remove(&(sender, provider_id.to_owned()))
    }

    /// Keeps what only the carrier's name can tell whose it is. That it is on its way is told by its end, too.
    fn keep(&self, sender: SenderId, report: &Reported) {
        if let (Some(id), false) = (&report.provider_id, report.status == MessageStatus::Sent) {
            self.0.insert((sender, id.clone()), report.clone());
        }
    }
}

/// A step to that state, with nothing else to say.
#[must_use]
pub fn step(message: [u8; 16], status: MessageStatus) -> MessageStep {
    MessageStep::to(message, status)
}

impl Engine {
    /// Takes messages of one number whose time has come and that belong to no process, for `lease`; the most urgent
    /// first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn claim_due(&self, sender: SenderId, lease: Duration, limit: u32) -> Result<Vec<Due>, EngineError> {
        let parts = self.parts();
        let now = parts.clock.now();
        Ok(parts.store.claim_due(sender, now, now + lease, limit).await?)
    }

    /// Looks at a message and at its person's STOP, just before the call.
    ///
    /// What was made before her STOP is dropped, answers to STOP, HELP and START apart; what she asked for after it
    /// goes out. What a partner asked for her is dropped while her STOP stands.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn may_send(&self, message: &NewMessage, moment: Moment) -> Result<MaySend, EngineError> {
        let catalog = self.catalog();
        let brand = catalog.senders.get(&message.sender).map_or("", |row| row.brand.as_str());
        let gate = self.parts().store.gate(message.id, brand).await?;
        let Some(gate) = gate.filter(|gate| gate.status.is_open()) else {
            return Ok(MaySend::Over);
        };
        let is_hers = !message.request.door.starts_with(PARTNER_DOORS);
        let stopped = gate.opted_out_at.is_some_and(|at| !is_hers || message.created_at < at);
        if stopped && !message.reply.is_compliance() {
            return Ok(MaySend::OptedOut);
        }
        let is_held_back = moment == Moment::Marked && gate.status == MessageStatus::Queued;
        Ok(if is_held_back { MaySend::HeldBack(gate.due_at) } else { MaySend::Yes })
    }

    /// Writes a step of a message down, under its person's lock.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn note(&self, subject: Subject, mut step: MessageStep) -> Result<(), EngineError> {
        step.note = step.note.as_deref().map(clean_note);
        let id: [u8; 16] = chance::draw();
        // Steps write no request row and are told apart by their draw.
        let request = RequestId { door: "outbox".to_owned(), key: format!("{:032x}", u128::from_be_bytes(id)) };
        let who = Who { subject, sealed_phone: None, country: None };
        // Whose merit the code in it is: who hears of it is locked with the rest.
        let partner = match step.status {
            MessageStatus::Delivered => self.parts().store.credited(step.message).await?,
            MessageStatus::Queued
            | MessageStatus::Submitting
            | MessageStatus::Submitted
            | MessageStatus::Sent
            | MessageStatus::Undelivered
            | MessageStatus::Failed
            | MessageStatus::Expired
            | MessageStatus::Suppressed => None,
        };
        self.settle(Act { partner, ..Act::new(id, request, [0; 32], Some(who), Ask::Message(step)) }).await?;
        Ok(())
    }

    /// Tells people of a refusal for good that should not have happened: a filter took a message for spam, or an answer
    /// to STOP, HELP or START was not carried. Numbers that take no texts, and phones that said STOP to the carrier, are
    /// no such thing.
    pub async fn tell_refusal(&self, sender: SenderId, priority: Priority, class: Refused, code: &str) {
        let is_owed = priority == Priority::Compliance && class == Refused::Other;
        if class != Refused::Filtered && !is_owed {
            return;
        }
        let catalog = self.catalog();
        let address = catalog.senders.get(&sender).map_or("", |row| row.address.as_str());
        let what = if is_owed { "an answer to STOP, HELP or START" } else { "a message, as spam" };
        let detail = format!("the carrier refused {what}: {}", clean_note(code));
        self.raise(AlertKind::MessageRefused, &format!("sender {address}"), detail).await;
    }

    /// Says that a process sends for another while, and counts the processes that do, this one too.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn beat(&self, process: [u8; 16], life: Duration) -> Result<u32, EngineError> {
        let now = self.now();
        Ok(self.parts().store.beat(process, now, now + life).await?)
    }

    /// Says that a process sends no more.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn leave(&self, process: [u8; 16]) -> Result<(), EngineError> {
        Ok(self.parts().store.leave(process).await?)
    }

    /// Writes a carrier's report down, or keeps it until the sender has written down which message it means.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn report(&self, early: &EarlyReports, sender: SenderId, report: Reported) -> Result<(), EngineError> {
        if self.report_known(sender, &report).await? {
            return Ok(());
        }
        early.keep(sender, &report);
        // The sender writes first and looks here then; we keep first and look there again: one of us sees the other.
        if self.report_known(sender, &report).await?
            && let Some(id) = &report.provider_id
        {
            let _ = early.take(sender, id);
        }
        Ok(())
    }

    async fn report_known(&self, sender: SenderId, report: &Reported) -> Result<bool, EngineError> {
        let Some(found) = self.find_reported(sender, report).await? else {
            return Ok(false);
        };
        // Doubled and late reports need no lock: what a message is past, it stays past.
        if found.status.may_become(report.status) {
            self.note(found.subject, report.step(found.id)).await?;
        }
        if let (Some(class), true) = (report.refused, found.status.may_become(report.status)) {
            let code = report.note.as_deref().unwrap_or_default();
            self.tell_refusal(sender, Priority::Reply, class, code).await;
        }
        if report.refused == Some(Refused::OptedOut) {
            self.opted_out_at_carrier(sender, found.subject, found.id, found.created_at).await?;
        }
        Ok(true)
    }

    /// Our name outranks the carrier's: a carrier may give the parts of one message names of their own.
    async fn find_reported(&self, sender: SenderId, report: &Reported) -> Result<Option<FoundMessage>, EngineError> {
        let store = &self.parts().store;
        let request = report.reference.as_deref().and_then(RequestId::parse);
        let ours = report.reference.as_deref().and_then(message_id).map(MessageName::Ours);
        let answer = request.as_ref().map(MessageName::Answer);
        let carriers = report.provider_id.as_deref().map(MessageName::Carrier);
        for name in [ours, answer, carriers].into_iter().flatten() {
            if let Some(found) = store.find_message(sender, &name).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The carrier refused a message because its person said STOP there: that is a STOP to us, written down once a
    /// message and not answered. A START after the message was made outranks it.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn opted_out_at_carrier(
        &self,
        sender: SenderId,
        subject: Subject,
        message: [u8; 16],
        made_at: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let catalog = self.catalog();
        let Some(row) = catalog.senders.get(&sender) else {
            return Ok(());
        };
        if self.parts().store.opted_in_since(subject, &row.brand, made_at).await? {
            return Ok(());
        }
        let key = format!("refused-{:032x}", u128::from_be_bytes(message));
        let carrier_said = Some(CarrierSaid::Stop);
        let who = Who { subject, sealed_phone: None, country: None };
        let ask = Ask::Text(Text { sender, text: String::new(), from_machine: false, range: None, carrier_said });
        let request = RequestId::of_text(&row.address, &key);
        let act = Act::new(chance::draw(), request, fingerprint(&[key.as_bytes()]), Some(who), ask);
        self.settle(act).await.map(drop)
    }

    /// Now, as the engine tells it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.parts().clock.now()
    }
}

/// Our own name of a message, read back.
fn message_id(text: &str) -> Option<[u8; 16]> {
    let is_ours = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}

/// One line without what could be a phone number; a history is kept for years.
fn clean_note(note: &str) -> String {
    let mut clean = String::new();
    let mut digits = String::new();
    for c in note.chars().take(MAX_NOTE_CHARS).chain(['\n']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if digits.len() >= NUMBER_DIGITS {
            clean.push('…');
        } else {
            clean.push_str(&digits);
        }
        digits.clear();
        clean.push(if c.is_control() { ' ' } else { c });
    }
    let clean = clean.trim();
    if clean.is_empty() { "-" } else { clean }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_one_line_and_names_nobody() {
        assert_eq!(clean_note("30003 phone +12025550123\nis off\r\n"), "30003 phone +… is off");
        assert_eq!(clean_note(" \n"), "-");
        assert_eq!(clean_note(&"x".repeat(500)).len(), MAX_NOTE_CHARS);
    }

    #[test]
    fn an_early_report_is_taken_once_and_by_its_own_number_only() {
        let early = EarlyReports::default();
        let report = Reported::of("p1", MessageStatus::Delivered);
        early.keep(SenderId(1), &report);
        assert_eq!(early.take(SenderId(2), "p1"), None);
        assert_eq!(early.take(SenderId(1), "p1"), Some(report));
        assert_eq!(early.take(SenderId(1), "p1"), None);
    }
}
