//! One received text: opt-out, help, a keyword, and whether it is answered.

use super::{Trace, Work, repeat_text};
use crate::domain::act::{Act, MessageStatus, MessageStep, Text, Who};
use crate::domain::campaign::{Attribution, Campaign, Channel};
use crate::domain::cap::Scope;
use crate::domain::catalog::{Heard, SenderRow};
use crate::domain::decision::changes::{Consent, DeskLink, NewMessage, Noted, OptOut, Params};
use crate::domain::decision::outcome::{Outcome, Refusal, Told};
use crate::domain::desk::DESK_LINK_LIVES;
use crate::domain::ids::{CampaignId, CreatorId, Spot, millis};
use crate::domain::keyword::Matched;
use crate::domain::language::Language;
use crate::domain::reply::ReplyId;
use crate::domain::session::Heed;
use crate::domain::window::Window;
use crate::domain::world::{Answered, HeldState, Message};
use chrono::{DateTime, Duration, Utc};

/// How many of her codes the MYCODES text can name.
const LISTED: usize = 3;
/// A STOP after a STOP is confirmed again after this.
const CONFIRMED: Duration = Duration::minutes(5);
/// Confirmations of STOP in 24 hours.
const CONFIRMATIONS: usize = 5;

/// The answer to a text.
struct Answer {
    outcome: Outcome,
    reply: ReplyId,
    campaign: Option<CampaignId>,
    params: Params,
}

/// What she said of her consent.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub(super) kind: &'static str,
    pub(super) matched: &'a str,
    /// Of the word or sentence; keywords have none.
    pub(super) language: Option<Language>,
}

impl Work<'_> {
    /// Decides a text: dedupe was before, so what follows is new.
    pub(super) fn text(&mut self, act: &Act, text: &Text, trace: &mut Trace) -> Outcome {
        trace.kind = "ignored";
        trace.from = Some(Attribution { sender: Some(text.sender), ..Attribution::by(Channel::Sms) });
        let (Some(who), Some(sender)) = (&act.who, self.catalog.senders.get(&text.sender)) else {
            return Outcome::Told(Told::Ignored);
        };
        if text.from_machine {
            return Outcome::Told(Told::Ignored);
        }
        let heard = self.hear(who, text);
        if heard == Heard::Unknown
            && let Some(creator) = self.at_desk(who, &text.text)
        {
            return self.open_desk(act, (who, text), creator, trace);
        }
        let heed = match &heard {
            Heard::Unknown | Heard::Ambiguous(_) => self.heed(act, who, text),
            Heard::OptOut(..)
            | Heard::OptIn(_)
            | Heard::Help(_)
            | Heard::MyCodes
            | Heard::Keyword { .. }
            | Heard::Nothing => Heed::Heard,
        };
        let Some(answer) = self.answer(act, (who, text), sender, &heard, trace) else {
            return Outcome::Told(Told::Ignored);
        };
        trace.campaign = answer.campaign;
        let ours = !is_compliance(&heard) || sender.opt_out_handled_by.is_ours(text.carrier_said);
        let is_new_promise = matches!(answer.outcome, Outcome::Held(id) if id.0 == act.id);
        let heeded = ours && heed == Heed::Heard;
        trace.replied = is_new_promise || (heeded && self.may_reply(who, trace, &answer.outcome));
        if trace.replied {
            if let Heard::Ambiguous(choices) = &heard {
                self.ask(who, text, choices);
            }
            self.reply(act, who, text, &answer, trace);
        }
        answer.outcome
    }

    /// A creator asks for the link to her desk.
    fn open_desk(&mut self, act: &Act, (who, text): (&Who, &Text), creator: CreatorId, trace: &mut Trace) -> Outcome {
        trace.kind = "desk";
        let outcome = Outcome::Told(Told::Desk);
        trace.replied = self.may_reply(who, trace, &outcome);
        if trace.replied {
            // The message's name is the link's: its token is made of it by whoever has the keyring.
            let at = self.world.now;
            self.changes.desk_links.push(DeskLink { id: act.id, creator, at, expires_at: at + DESK_LINK_LIVES });
            let params = Params::default();
            let answer = Answer { outcome: outcome.clone(), reply: ReplyId::T24Desk, campaign: None, params };
            self.reply(act, who, text, &answer, trace);
        }
        outcome
    }

    fn answer(
        &mut self,
        act: &Act,
        (who, text): (&Who, &Text),
        sender: &SenderRow,
        heard: &Heard,
        trace: &mut Trace,
    ) -> Option<Answer> {
        let told_in = |outcome, reply, language| {
            let params = Params { language, ..Params::default() };
            Some(Answer { outcome: Outcome::Told(outcome), reply, campaign: None, params })
        };
        let told = |outcome, reply| told_in(outcome, reply, Language::English);
        match heard {
            Heard::OptOut(matched, language) => {
                trace.kind = "stop";
                self.opt_out(act, who, sender, (*matched, *language));
                told_in(Told::OptedOut, ReplyId::T13Stop, *language)
            }
            Heard::OptIn(language) => {
                trace.kind = "start";
                self.opt_in(act, who, sender, *language);
                told_in(Told::OptedIn, ReplyId::T15Start, *language)
            }
            Heard::Help(language) => {
                trace.kind = "help";
                self.consent(act, who, sender, Evidence { kind: "help", matched: "exact", language: Some(*language) });
                told_in(Told::Helped, ReplyId::T14Help, *language)
            }
            Heard::MyCodes => {
                trace.kind = "my_codes";
                Some(self.my_codes(who))
            }
            Heard::Unknown => {
                trace.kind = "unknown";
                told(Told::Unknown, ReplyId::T10Unknown)
            }
            Heard::Ambiguous(choices) => {
                trace.kind = "asked";
                let choices = choices.iter().map(|choice| choice.keyword.clone()).collect();
                let params = Params { choices, ..Params::default() };
                let outcome = Outcome::Told(Told::Asked);
                Some(Answer { outcome, reply: ReplyId::T12Choice, campaign: None, params })
            }
            Heard::Nothing => None,
            Heard::Keyword { campaign, from, read } => {
                let campaign = self.campaign(*campaign)?;
                trace.kind = "keyword";
                trace.word.clone_from(&from.keyword);
                trace.from = Some(from.clone());
                self.range = text.range.map(|range| (text.sender, range));
                let outcome = self.issue(act, &campaign, who, from);
                self.count_burst(act, sender, &outcome);
                let matched = from.keyword.as_deref().unwrap_or_default();
                self.consent(act, who, sender, Evidence { kind: "request", matched, language: None });
                Some(self.keyword_answer(&campaign, who, from, read.as_deref(), outcome))
            }
        }
    }

    fn keyword_answer(
        &self,
        campaign: &Campaign,
        who: &Who,
        from: &Attribution,
        read: Option<&str>,
        outcome: Outcome,
    ) -> Answer {
        let mut params = Params { word: from.keyword.clone(), read: read.map(str::to_owned), ..Params::default() };
        let reply = match &outcome {
            Outcome::Issued(_) if read.is_some() => ReplyId::T11Typo,
            Outcome::Issued(_) => ReplyId::T01FirstIssue,
            Outcome::Held(_) => ReplyId::T16Held,
            Outcome::Repeat(spot, state) => {
                let held = self.world.persons.get(&who.subject).and_then(|p| p.held.iter().find(|h| h.spot == *spot));
                params.at = held.and_then(|held| held.open_redemption()).map(|event| millis(event.at));
                repeat_text(*state)
            }
            Outcome::Refused(why, _) => {
                params.at = self.when(campaign, why);
                params.cap = match why {
                    Refusal::CapReached(cap) => Some((cap.cap_id.0, cap.cap)),
                    Refusal::NotStarted(_)
                    | Refusal::Ended
                    | Refusal::Paused
                    | Refusal::PoolEmpty
                    | Refusal::CountryNotAllowed
                    | Refusal::NumberBurst
                    | Refusal::CustomerHasCode
                    | Refusal::NotEligible
                    | Refusal::LeaseExpired
                    | Refusal::CountDiffers(_)
                    | Refusal::ProofsReached(_)
                    | Refusal::WrongDigits(_)
                    | Refusal::ProofOver => None,
                };
                self.refusal_text(campaign, why)
            }
            Outcome::Redeemed(..)
            | Outcome::RolledBack(..)
            | Outcome::Refunded(..)
            | Outcome::Voided(_)
            | Outcome::Recorded(..)
            | Outcome::Declined(..)
            | Outcome::Told(_)
            | Outcome::Allocated(..)
            | Outcome::Leased(..)
            | Outcome::Looked(..)
            | Outcome::Noted => ReplyId::T10Unknown,
        };
        Answer { outcome, reply, campaign: Some(campaign.id), params }
    }

    fn refusal_text(&self, campaign: &Campaign, why: &Refusal) -> ReplyId {
        match why {
            Refusal::NotStarted(_) => ReplyId::T08NotStarted,
            Refusal::Ended => ReplyId::T09Ended,
            Refusal::Paused => ReplyId::Paused,
            Refusal::CountryNotAllowed | Refusal::CustomerHasCode | Refusal::NotEligible => ReplyId::T21NotEligible,
            Refusal::PoolEmpty
            | Refusal::LeaseExpired
            | Refusal::CountDiffers(_)
            | Refusal::ProofsReached(_)
            | Refusal::WrongDigits(_)
            | Refusal::ProofOver => ReplyId::T05SoldOut,
            Refusal::NumberBurst => ReplyId::Busy,
            Refusal::CapReached(reached) => {
                let cap = campaign.caps.iter().chain(&self.catalog.caps_across).find(|cap| cap.id == reached.cap_id);
                match cap {
                    Some(cap) if cap.scope == Scope::Person => ReplyId::T07Capped,
                    Some(cap) if cap.window != Window::Lifetime => ReplyId::Busy,
                    Some(_) | None => ReplyId::T05SoldOut,
                }
            }
        }
    }

    fn when(&self, campaign: &Campaign, why: &Refusal) -> Option<i64> {
        let at = match why {
            Refusal::NotStarted(at) => Some(*at),
            Refusal::CapReached(cap) => cap.resets_at,
            Refusal::Ended => campaign.ends_at.filter(|end| *end <= self.world.now),
            Refusal::NumberBurst => Some(self.world.now + self.catalog.limits.burst_window),
            Refusal::Paused
            | Refusal::PoolEmpty
            | Refusal::CountryNotAllowed
            | Refusal::CustomerHasCode
            | Refusal::NotEligible
            | Refusal::LeaseExpired
            | Refusal::CountDiffers(_)
            | Refusal::ProofsReached(_)
            | Refusal::WrongDigits(_)
            | Refusal::ProofOver => None,
        };
        at.map(millis)
    }

    fn my_codes(&mut self, who: &Who) -> Answer {
        let now = self.world.now;
        let person = self.person(who.subject);
        let epoch = person.epoch;
        let mut held: Vec<_> = person.held.iter().filter(|held| held.epoch == epoch).collect();
        held.sort_by_key(|held| std::cmp::Reverse((held.state(now) == HeldState::Unused, held.issued_at)));
        let codes = held
            .iter()
            .take(LISTED)
            .map(|held| {
                let used = held.open_redemption().map(|event| millis(event.at));
                let Spot { campaign, pool, position } = held.spot;
                (campaign.0, pool, position, held.state(now).word().to_owned(), used)
            })
            .collect();
        let params = Params { codes, ..Params::default() };
        Answer { outcome: Outcome::Told(Told::Listed), reply: ReplyId::T22MyCodes, campaign: None, params }
    }

    fn opt_out(&mut self, act: &Act, who: &Who, sender: &SenderRow, said: (Matched, Language)) {
        let now = self.world.now;
        self.changes.opt_outs.insert((sender.brand.clone(), who.subject), OptOut::Out(now));
        let (matched, language) = (said.0.word(), Some(said.1));
        self.consent(act, who, sender, Evidence { kind: "opt_out", matched, language });
        self.mute_holds(who, &sender.brand);
        let senders = &self.catalog.senders;
        let is_of_brand = |message: &Message| {
            let row = senders.get(&message.sender);
            row.is_some_and(|row| row.brand == sender.brand)
        };
        let waiting: Vec<_> = self
            .world
            .messages
            .iter_mut()
            .filter(|(_, message)| message.subject == who.subject && !message.is_compliance)
            .filter(|(_, message)| is_of_brand(message))
            .filter(|(_, message)| message.status == MessageStatus::Queued)
            .map(|(id, message)| {
                message.status = MessageStatus::Suppressed;
                *id
            })
            .collect();
        for message in waiting {
            let step = MessageStep::to(message, MessageStatus::Suppressed);
            self.changes.steps.push(Noted { step, at: now });
        }
    }

    fn opt_in(&mut self, act: &Act, who: &Who, sender: &SenderRow, language: Language) {
        self.changes.opt_outs.insert((sender.brand.clone(), who.subject), OptOut::In);
        self.consent(act, who, sender, Evidence { kind: "opt_in", matched: "exact", language: Some(language) });
    }

    pub(super) fn consent(&mut self, act: &Act, who: &Who, sender: &SenderRow, said: Evidence<'_>) {
        self.changes.consents.push(Consent {
            request: act.request.clone(),
            brand: sender.brand.clone(),
            subject: who.subject,
            kind: said.kind,
            matched: said.matched.to_owned(),
            language: said.language,
            at: self.world.now,
        });
    }

    /// The loop guard: asked for is answered, but no two machines can keep each other busy.
    fn may_reply(&mut self, who: &Who, trace: &Trace, outcome: &Outcome) -> bool {
        let now = self.world.now;
        let limits = self.catalog.limits;
        if outcome.is_first_issuance() {
            return true;
        }
        let answered = &self.person(who.subject).answered;
        let same = |one: &&Answered| one.kind == trace.kind && one.word == trace.word;
        let since = |age: Duration| move |one: &&Answered| one.at > now - age;
        let hour = since(Duration::hours(1));
        let same_answer =
            answered.iter().filter(same).filter(since(limits.same_answer)).any(|one| one.outcome == *outcome);
        if trace.kind == "stop" && !may_confirm(answered, now) {
            return false;
        }
        let in_hour = answered.iter().filter(same).filter(hour).count();
        let most = if trace.kind == "unknown" { 1 } else { limits.asks_per_hour };
        let exempt = |kind: &str| matches!(kind, "stop" | "help" | "start" | "prove");
        let in_day = answered.iter().filter(|one| !exempt(&one.kind) && !one.outcome.is_first_issuance()).count();
        !same_answer && in_hour < most && (exempt(trace.kind) || in_day < limits.replies_per_day)
    }

    fn reply(&mut self, act: &Act, who: &Who, text: &Text, answer: &Answer, trace: &Trace) {
        let now = self.world.now;
        self.person(who.subject).answered.push(Answered {
            at: now,
            kind: trace.kind.to_owned(),
            word: trace.word.clone(),
            outcome: answer.outcome.clone(),
        });
        self.send(NewMessage {
            id: act.id,
            subject: who.subject,
            sender: text.sender,
            reply: answer.reply,
            campaign: answer.campaign,
            spot: answer.outcome.spot(),
            params: answer.params.clone(),
            request: act.request.clone(),
            created_at: now,
        });
    }

    /// Queues a message.
    pub(super) fn send(&mut self, new: NewMessage) {
        // A STOP in this very batch finds it waiting.
        let message = Message {
            subject: new.subject,
            sender: new.sender,
            status: MessageStatus::Queued,
            is_compliance: new.reply.is_compliance(),
            spot: new.spot,
        };
        self.world.messages.insert(new.id, message);
        self.changes.messages.push(new);
    }
}

/// Whether it is for the house or its carrier to answer, as [`OptOutBy`](crate::domain::catalog::OptOutBy) says.
fn is_compliance(heard: &Heard) -> bool {
    match heard {
        Heard::OptOut(..) | Heard::OptIn(_) | Heard::Help(_) => true,
        Heard::MyCodes | Heard::Keyword { .. } | Heard::Ambiguous(_) | Heard::Unknown | Heard::Nothing => false,
    }
}

/// One confirmation of a STOP, never two: another one may follow in five minutes, five a day, unless she came back in
/// between (47 CFR 64.1200(a)(12)).
fn may_confirm(answered: &[Answered], now: DateTime<Utc>) -> bool {
    let of = |kind: &'static str| answered.iter().filter(move |one| one.kind == kind);
    // Times alone decide: two requests of one batch have the same, and no order that the tables would keep.
    let back = of("start").map(|one| one.at).max();
    let lately = of("stop").any(|one| one.at > now - CONFIRMED && back.is_none_or(|back| one.at > back));
    !lately && of("stop").count() < CONFIRMATIONS
}
