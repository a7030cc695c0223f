//! Received texts: what came in becomes an act.

use super::chance::draw;
use super::{Engine, EngineError, Settled};
use crate::domain::act::{Act, Ask, CarrierSaid, Text, Who};
use crate::domain::ids::{RequestId, SenderId};
use crate::domain::phone::PhoneNumber;
use aws_lc_rs::digest::{SHA256, digest};

/// A received text, as its carrier gives it.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// The carrier's name of it.
    pub message_id: String,
    /// Who wrote, as the carrier writes it.
    pub from: String,
    /// The words.
    pub text: String,
    /// What the carrier took it for and has answered.
    pub carrier_said: Option<CarrierSaid>,
}

impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Received(…)")
    }
}

impl Engine {
    /// Settles a plain text; see [`Engine::receive_text`].
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn receive(
        &self,
        sender: SenderId,
        message_id: &str,
        from: &str,
        text: String,
    ) -> Result<Settled, EngineError> {
        let (message_id, from) = (message_id.to_owned(), from.to_owned());
        self.receive_text(sender, Received { message_id, from, text, carrier_said: None }).await
    }

    /// Settles a received text: same carrier, same message id, same answer.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn receive_text(&self, sender: SenderId, received: Received) -> Result<Settled, EngineError> {
        self.settle(self.text_act(sender, received)).await
    }

    /// The act that a received text asks for. What the carrier took it for is no part of its fingerprint: a list of
    /// old texts, read after an outage, does not say it any more.
    pub(super) fn text_act(&self, sender: SenderId, received: Received) -> Act {
        let Received { message_id, from, text, carrier_said } = received;
        let catalog = self.catalog();
        let address = catalog.senders.get(&sender).map_or_else(String::new, |row| row.address.clone());
        let phone = PhoneNumber::from_e164(&from).ok();
        let ours = |phone: &PhoneNumber| catalog.senders.values().any(|row| row.address == phone.expose());
        let limits = catalog.limits;
        let strange = |phone: &PhoneNumber| ours(phone) || (phone.is_toll_free() && !limits.serve_toll_free);
        let from_machine = phone.as_ref().is_none_or(strange);
        // Phones of the simulator are invented one after the other.
        let is_real = catalog.senders.get(&sender).is_some_and(|row| row.carrier != "simulator");
        let range = phone.as_ref().filter(|_| is_real && limits.burst_per_range > 0).and_then(PhoneNumber::range);
        let request = RequestId::of_text(&address, &message_id);
        let fingerprint = fingerprint(&[from.as_bytes(), text.as_bytes()]);
        let who = phone.filter(|_| !from_machine).map(|phone| self.who(&phone));
        let ask = Ask::Text(Text { sender, text, from_machine, range, carrier_said });
        Act::new(draw(), request, fingerprint, who, ask)
    }

    /// The person behind a number: her keyed hash, and her number sealed.
    #[must_use]
    pub fn who(&self, phone: &PhoneNumber) -> Who {
        let keys = &self.parts().keys;
        let subject = keys.phone_subject(phone);
        let catalog = self.catalog();
        let some_country = catalog.campaigns.values().any(|campaign| !campaign.countries.is_empty());
        Who {
            subject,
            sealed_phone: Some(keys.seal_phone(&subject, phone, draw())),
            // The numbering plan of other countries is slow to open; only who restricts countries pays for it.
            country: if some_country { phone.country() } else { None },
        }
    }
}

/// SHA-256 over parts, each with its length, so that no two lists of parts are the same.
#[must_use]
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, &all).as_ref());
    out
}
