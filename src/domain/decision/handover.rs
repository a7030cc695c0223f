//! A number changed hands: from then on it is somebody else's.

use super::{Trace, Work};
use crate::domain::act::{Act, HandOver, MessageStatus, MessageStep};
use crate::domain::campaign::{Attribution, Channel};
use crate::domain::decision::changes::{Consent, Holder, Noted};
use crate::domain::decision::outcome::{Outcome, Told};
use crate::domain::ids::Subject;
use crate::domain::session::SessionKey;

/// Consent of every brand ended.
const EVERY_BRAND: &str = "";

impl Work<'_> {
    /// Gives the number to its next holder, unless the present one came after that.
    ///
    /// What waits for the old holder is not sent any more, and her codes stay hers. Her STOP stands: it is about the
    /// number, and nobody has taken it back.
    pub(super) fn hand_over(&mut self, act: &Act, over: &HandOver, trace: &mut Trace) -> Outcome {
        trace.kind = "hand_over";
        trace.from = Some(Attribution::by(Channel::Api));
        let Some(who) = &act.who else {
            return Outcome::Told(Told::Ignored);
        };
        let person = self.person(who.subject);
        if person.since >= over.at {
            return Outcome::Told(Told::Kept);
        }
        person.epoch += 1;
        person.since = over.at;
        let holder = Holder { epoch: person.epoch, since: over.at };
        self.changes.holders.insert(who.subject, holder);
        self.changes.consents.push(Consent {
            request: act.request.clone(),
            brand: EVERY_BRAND.to_owned(),
            subject: who.subject,
            kind: "reassigned",
            matched: over.event.word().to_owned(),
            language: None,
            at: self.world.now,
        });
        self.forget(who.subject);
        Outcome::Told(Told::HandedOver)
    }

    /// Ends what was open with the old holder, and what waits for her.
    fn forget(&mut self, subject: Subject) {
        let open: Vec<SessionKey> = self.world.sessions.keys().filter(|key| key.subject == subject).copied().collect();
        for key in open {
            self.close(key);
        }
        let now = self.world.now;
        for (id, message) in &mut self.world.messages {
            if message.subject != subject || message.status != MessageStatus::Queued {
                continue;
            }
            message.status = MessageStatus::Suppressed;
            let step = MessageStep::to(*id, MessageStatus::Suppressed);
            self.changes.steps.push(Noted { step, at: now });
        }
    }
}
