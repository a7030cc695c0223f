//! Phones that exist in memory only: what they sent and what they got, newest 200 messages each.

use crate::domain::phone::PhoneNumber;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Messages kept of one phone.
pub const MAX_BUBBLES: usize = 200;
/// Phones kept; the one that was silent longest goes.
pub const MAX_PHONES: usize = 1000;
/// Changes a slow reader may lag behind before it must read everything again.
const MAX_LAG: usize = 1024;

/// Who wrote a message, in the words of carriers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the phone to us.
    Mo,
    /// From us to the phone.
    Mt,
}

impl Direction {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Mo => "mo",
            Self::Mt => "mt",
        }
    }
}

/// How a message stands, seen from the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BubbleStatus {
    /// Hers, not yet answered by our door.
    Submitted,
    /// Hers, taken by our door.
    Received,
    /// Hers, not taken: the door was busy.
    Failed,
    /// Ours, on this phone.
    Delivered,
}

impl BubbleStatus {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Received => "received",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
        }
    }
}

/// A message on a phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Bubble {
    /// The carrier's name of it.
    pub id: String,
    /// Who wrote it.
    pub direction: Direction,
    /// The words.
    pub text: String,
    /// When the phone sent or got it.
    pub at: DateTime<Utc>,
    /// How many segments it takes.
    pub segments: u16,
    /// How it stands.
    pub status: BubbleStatus,
    /// The decision behind it: what it asked, or what it answers.
    pub decision: Option<String>,
}

/// Personal words are inside: only the name and the state are shown.
impl std::fmt::Debug for Bubble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bubble({} {} {})", self.id, self.direction.word(), self.status.word())
    }
}

/// A place where phones are: a memory here, a rack of real ones elsewhere.
pub trait Handset: std::fmt::Debug + Send + Sync {
    /// Puts a message on a phone; one of the same id is replaced where it stands.
    fn show(&self, phone: &PhoneNumber, bubble: Bubble);

    /// Changes the state of a message; unknown ids are forgotten ones.
    fn mark(&self, phone: &PhoneNumber, id: &str, status: BubbleStatus);
}

/// A change on a phone.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which phone.
    pub phone: PhoneNumber,
    /// The message as it is now.
    pub bubble: Bubble,
}

/// Phones in memory; clones share them.
#[derive(Debug, Clone)]
pub struct Phones {
    shelf: Arc<Mutex<Shelf>>,
    changes: broadcast::Sender<Change>,
}

#[derive(Debug, Default)]
struct Shelf {
    phones: HashMap<PhoneNumber, Phone>,
    /// Counts uses, to know which phone was silent longest.
    clock: u64,
}

#[derive(Debug, Default)]
struct Phone {
    bubbles: VecDeque<Bubble>,
    used: u64,
}

impl Default for Phones {
    fn default() -> Self {
        Self::new()
    }
}

impl Phones {
    /// No phones yet.
    #[must_use]
    pub fn new() -> Self {
        Self { shelf: Arc::default(), changes: broadcast::Sender::new(MAX_LAG) }
    }

    /// The messages of a phone, oldest first.
    #[must_use]
    pub fn messages(&self, phone: &PhoneNumber) -> Vec<Bubble> {
        let all = self.lock();
        let found = all.phones.get(phone);
        found.map_or_else(Vec::new, |phone| phone.bubbles.iter().cloned().collect())
    }

    /// Every change from now on, of all phones; a reader that lags too far is told so.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // Every change below is whole before the lock is left.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, phone: &PhoneNumber, bubble: Bubble) {
        let phone = phone.clone();
        // Nobody watching is fine.
        let _ = self.changes.send(Change { phone, bubble });
    }
}

impl Handset for Phones {
    fn show(&self, phone: &PhoneNumber, bubble: Bubble) {
        let mut all = self.lock();
        all.make_room_for(phone);
        all.clock += 1;
        let used = all.clock;
        let entry = all.phones.entry(phone.clone()).or_default();
        entry.used = used;
        match entry.bubbles.iter_mut().find(|old| old.id == bubble.id) {
            Some(old) => old.clone_from(&bubble),
            None => entry.bubbles.push_back(bubble.clone()),
        }
        if entry.bubbles.len() > MAX_BUBBLES {
            entry.bubbles.pop_front();
        }
        // Told under the lock, so that watchers see changes in the order in which they happened.
        self.tell(phone, bubble);
    }

    fn mark(&self, phone: &PhoneNumber, id: &str, status: BubbleStatus) {
        let mut all = self.lock();
        let found = all.phones.get_mut(phone);
        let Some(bubble) = found.and_then(|phone| phone.bubbles.iter_mut().find(|bubble| bubble.id == id)) else {
            return;
        };
        bubble.status = status;
        let bubble = bubble.clone();
        self.tell(phone, bubble);
    }
}

impl Shelf {
    fn make_room_for(&mut self, phone: &PhoneNumber) {
        if self.phones.len() < MAX_PHONES || self.phones.contains_key(phone) {
            return;
        }
        let silent = self.phones.iter().min_by_key(|(_, phone)| phone.used);
        if let Some(number) = silent.map(|(number, _)| number.clone()) {
            self.phones.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn phone(n: usize) -> PhoneNumber {
        PhoneNumber::from_e164(&format!("+1202555{n:04}")).unwrap()
    }

    fn bubble(id: usize, status: BubbleStatus) -> Bubble {
        Bubble {
            id: format!("m{id}"),
            direction: Direction::Mt,
            text: "hello".to_owned(),
            at: DateTime::UNIX_EPOCH,
            segments: 1,
            status,
            decision: None,
        }
    }

    fn ids(phones: &Phones, number: &PhoneNumber) -> Vec<String> {
        let messages = phones.messages(number);
        messages.into_iter().map(|bubble| bubble.id).collect()
    }

    #[test]
    fn a_phone_keeps_its_newest_messages_oldest_first() {
        let phones = Phones::new();
        for n in 0..MAX_BUBBLES + 3 {
            phones.show(&phone(1), bubble(n, BubbleStatus::Delivered));
        }
        let kept = ids(&phones, &phone(1));
        assert_eq!(
            (kept.len(), kept.first().unwrap().as_str(), kept.last().unwrap().as_str()),
            (MAX_BUBBLES, "m3", "m202")
        );
    }

    #[test]
    fn the_phone_that_was_silent_longest_makes_room() {
        let phones = Phones::new();
        for n in 0..MAX_PHONES {
            phones.show(&phone(n), bubble(n, BubbleStatus::Delivered));
        }
        phones.show(&phone(0), bubble(7, BubbleStatus::Delivered));
        phones.show(&phone(MAX_PHONES), bubble(8, BubbleStatus::Delivered));
        assert_eq!(
            (ids(&phones, &phone(0)).len(), ids(&phones, &phone(1)).len(), ids(&phones, &phone(MAX_PHONES)).len()),
            (2, 0, 1)
        );
    }

    #[tokio::test]
    async fn watchers_hear_of_a_message_and_of_its_new_state_in_order() {
        let phones = Phones::new();
        let mut changes = phones.watch();
        phones.show(&phone(1), bubble(1, BubbleStatus::Submitted));
        phones.mark(&phone(1), "m1", BubbleStatus::Received);
        phones.mark(&phone(1), "gone", BubbleStatus::Received);
        phones.mark(&phone(2), "m1", BubbleStatus::Received);
        phones.show(&phone(2), bubble(2, BubbleStatus::Delivered));
        let mut heard = Vec::new();
        for _ in 0..3 {
            let change = changes.recv().await.unwrap();
            heard.push((change.bubble.id, change.bubble.status));
        }
        assert_eq!(
            heard,
            [
                ("m1".to_owned(), BubbleStatus::Submitted),
                ("m1".to_owned(), BubbleStatus::Received),
                ("m2".to_owned(), BubbleStatus::Delivered)
            ]
        );
        assert!(changes.try_recv().is_err());
    }

    #[test]
    fn a_message_shown_again_is_replaced_where_it_stands() {
        let phones = Phones::new();
        phones.show(&phone(1), bubble(1, BubbleStatus::Submitted));
        phones.show(&phone(1), bubble(2, BubbleStatus::Delivered));
        phones.show(&phone(1), bubble(1, BubbleStatus::Received));
        assert_eq!(ids(&phones, &phone(1)), ["m1", "m2"]);
    }

    #[test]
    fn debug_shows_no_words_of_a_message() {
        let shown = format!("{:?}", bubble(1, BubbleStatus::Delivered));
        assert_eq!(shown, "Bubble(m1 mt delivered)");
    }
}
