//! One attempt to hand over one message, from its words to the carrier's answer.

use super::lanes::News;
use super::write::{LONGEST_WAIT, end_of_life, warn};
use crate::config::{Allowance, SenderConfig};
use crate::domain::act::{MessageStatus, MessageStep};
use crate::domain::decision::changes::NewMessage;
use crate::domain::phone::SenderAddress;
use crate::domain::sending::{Charge, SPEND_CAP, SpendKey, SpendWindow};
use crate::engine::{ComposeError, Composed, Due, EarlyReports, Engine, IN_DOUBT, MaySend, Moment, step};
use crate::sms::{Accepted, Hooks, Outgoing, Pace, Registry, SendError, SmsProvider};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// Everything an attempt needs; shared by all of them.
#[derive(Debug)]
pub(super) struct Hands {
    pub(super) engine: Engine,
    pub(super) config: SenderConfig,
    pub(super) carriers: Registry,
    pub(super) early: EarlyReports,
}

/// A message with its words, ready to leave.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) due: Due,
    pub(super) carrier: Arc<dyn SmsProvider>,
    pub(super) composed: Composed,
    /// Of her number, where anything depends on it.
    country: Option<String>,
    /// What its hand-over was counted with.
    pub(super) charged: Vec<Charge>,
}

/// An attempt has come to its end: the message is in its final state, waits for a later time, or is somebody else's.
#[derive(Debug)]
pub(super) struct Over {
    /// When the table is to be looked at again for it.
    pub(super) look_at: Option<DateTime<Utc>>,
    /// What it showed of the account.
    pub(super) news: News,
}

impl Over {
    pub(super) fn done() -> Self {
        Self { look_at: None, news: News::Nothing }
    }

    pub(super) fn again(at: DateTime<Utc>) -> Self {
        Self { look_at: Some(at), news: News::Nothing }
    }

    pub(super) fn with(self, news: News) -> Self {
        Self { news, ..self }
    }
}

impl Hands {
    pub(super) fn new(engine: Engine, carriers: Registry, early: EarlyReports, config: SenderConfig) -> Self {
        Self { engine, config, carriers, early }
    }

    pub(super) fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.config.lease).unwrap_or(TimeDelta::MAX)
    }

    /// Writes a message's words, after the carrier was asked about it where it may have it already.
    pub(super) async fn prepare(&self, due: Due) -> Result<Prepared, Over> {
        still_ours(self, &due)?;
        if !due.in_doubt && self.is_late(&due) {
            return Err(self.refuse(&due, MessageStatus::Expired, "too late").await);
        }
        let carrier = self.carrier(&due).await?;
        let composed = self.compose(&due).await?;
        let asks = !self.config.prices.is_empty() || !self.countries(&due.message).is_empty();
        let country = if asks { composed.to.country() } else { None };
        let prepared = Prepared { due, carrier, composed, country, charged: Vec::new() };
        if prepared.due.in_doubt { self.ask_carrier(prepared).await } else { Ok(prepared) }
    }

    /// Hands it over. What forbids it is looked at right before: STOP, the country, what it costs, its time. With
    /// `is_suspect` an answer is told to whoever was told that the account is broken.
    pub(super) async fn hand_over(&self, mut prepared: Prepared, is_suspect: bool) -> Over {
        let over = match self.call(&mut prepared).await {
            Ok(Ok(accepted)) => {
                tracing::debug!(
                    sender.id = prepared.due.message.sender.0,
                    outcome = "submitted",
                    segments = accepted.segments,
                    wait_ms = (self.engine.now() - prepared.due.message.created_at).num_milliseconds(),
                    "a carrier took a message"
                );
                self.submitted(&prepared.due, &prepared.composed, accepted).await
            }
            Ok(Err(error)) => self.refused(&prepared, &error).await,
            Err(over) => over,
        };
        if is_suspect && over.news == News::Works {
            self.say_works(&prepared.composed.from).await;
        }
        over
    }

    /// Every gate, the mark, the gate of the person once more, the call.
    async fn call(&self, prepared: &mut Prepared) -> Result<Result<Accepted, SendError>, Over> {
        still_ours(self, &prepared.due)?;
        if !self.is_allowed(prepared) {
            return Err(self.refuse(&prepared.due, MessageStatus::Suppressed, "country").await);
        }
        if self.is_late(&prepared.due) {
            return Err(self.refuse(&prepared.due, MessageStatus::Expired, "too late").await);
        }
        let before = self.engine.now();
        let charges = self.charges(prepared, before);
        if !charges.is_empty() {
            // What the person does not want costs nothing.
            self.gate(&prepared.due, Moment::Waiting).await?;
        }
        let was_lost = prepared.due.status == MessageStatus::Submitting;
        let mark = MessageStep {
            note: was_lost.then(|| IN_DOUBT.to_owned()),
            charges: charges.clone(),
            ..step(prepared.due.message.id, MessageStatus::Submitting)
        };
        self.write(&prepared.due, mark).await?;
        // The mark begins a new lease; it counts from before, to be on the safe side.
        prepared.due.lease_until = before + self.lease();
        prepared.charged = charges;
        self.gate(&prepared.due, Moment::Marked).await?;
        Ok(self.send(prepared).await)
    }

    /// Looks at the message and at its person's STOP.
    async fn gate(&self, due: &Due, moment: Moment) -> Result<(), Over> {
        match self.engine.may_send(&due.message, moment).await {
            Ok(MaySend::Yes) => Ok(()),
            Ok(MaySend::OptedOut) => Err(self.finish(due, MessageStatus::Suppressed, "opted_out").await),
            Ok(MaySend::Over) => Err(Over::done()),
            Ok(MaySend::HeldBack(until)) if until > end_of_life(due) => {
                Err(self.finish(due, MessageStatus::Expired, SPEND_CAP).await)
            }
            Ok(MaySend::HeldBack(until)) => Err(Over::again(until)),
            // Nothing left the house, so this is no attempt in doubt; unless even that cannot be written down.
            Err(error) => Err(self.later(due, LONGEST_WAIT, &error.to_string(), Vec::new()).await),
        }
    }

    async fn carrier(&self, due: &Due) -> Result<Arc<dyn SmsProvider>, Over> {
        let catalog = self.engine.catalog();
        let sender = catalog.senders.get(&due.message.sender);
        let carrier = sender.and_then(|sender| self.carriers.get(&sender.carrier));
        match carrier {
            Some(carrier) => Ok(Arc::clone(carrier)),
            // Another process may have it; within the message's life it is worth asking again.
            None => Err(self.wait_for_lease(due, "no carrier here").await),
        }
    }

    async fn compose(&self, due: &Due) -> Result<Composed, Over> {
        let mut told = self.engine.compose(&due.message).await;
        if matches!(told, Err(ComposeError::NoText)) && self.engine.fresh_catalog().await.is_ok() {
            // Another process may have written it for a campaign that this one has not heard of.
            told = self.engine.compose(&due.message).await;
        }
        match told {
            Ok(composed) => Ok(composed),
            Err(error @ (ComposeError::NoPhone | ComposeError::NoText)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a message cannot be written");
                Err(self.finish(due, MessageStatus::Failed, &error.to_string()).await)
            }
            Err(ComposeError::Store(error)) => {
                warn(&error);
                Err(Over::again(due.lease_until + TimeDelta::milliseconds(1)))
            }
        }
    }

    async fn send(&self, prepared: &Prepared) -> Result<Accepted, SendError> {
        let Prepared { due, carrier, composed, .. } = prepared;
        let out = self.outgoing(due, composed, self.engine.now())?;
        // The answer must be written down while the message is still ours.
        let patience = self.config.lease / 2;
        tokio::time::timeout(patience, carrier.send(&out))
            .await
            .unwrap_or_else(|_| Err(SendError::Ambiguous { detail: "no answer in time".to_owned() }))
    }

    /// A message as carriers get it.
    pub(super) fn outgoing(&self, due: &Due, composed: &Composed, at: DateTime<Utc>) -> Result<Outgoing, SendError> {
        let from = SenderAddress::parse(&composed.from)
            .map_err(|error| SendError::Config { code: "sender".to_owned(), detail: error.to_string() })?;
        let hooks = Hooks::of(&self.engine.parts().public_url, from.as_str());
        Ok(Outgoing {
            message_id: due.message.id,
            attempt: due.attempts,
            from,
            to: composed.to.clone(),
            body: composed.body.clone(),
            segments: composed.segments,
            reference: due.message.request.to_string(),
            status_url: hooks.status,
            at,
        })
    }

    /// Segments a second of its number and of its account, all processes together.
    pub(super) fn rates(&self, prepared: &Prepared) -> [Option<u32>; 2] {
        match prepared.carrier.pace() {
            Pace::Unlimited => [None, None],
            Pace::PerSender => {
                let of_account = self.config.accounts.get(prepared.carrier.name()).and_then(|row| row.rate);
                [Some(self.config.rate_of(&prepared.composed.from)), of_account]
            }
        }
    }

    /// The countries that a message may go to; empty: all.
    fn countries(&self, message: &NewMessage) -> Vec<String> {
        if message.reply.is_compliance() {
            return Vec::new();
        }
        if !self.config.countries.is_empty() {
            return self.config.countries.clone();
        }
        let campaign = message.spot.map(|spot| spot.campaign).or(message.campaign);
        let catalog = self.engine.catalog();
        let campaign = campaign.and_then(|id| catalog.campaigns.get(&id));
        campaign.map_or_else(Vec::new, |campaign| campaign.countries.clone())
    }

    fn is_allowed(&self, prepared: &Prepared) -> bool {
        let countries = self.countries(&prepared.due.message);
        countries.is_empty() || prepared.country.as_ref().is_some_and(|country| countries.contains(country))
    }

    /// What its hand-over adds to the counts that have a cap.
    fn charges(&self, prepared: &Prepared, at: DateTime<Utc>) -> Vec<Charge> {
        let (address, account) = (prepared.composed.from.as_str(), prepared.carrier.name());
        let price = self.config.price_to(prepared.country.as_deref());
        let cost = price * i64::from(prepared.composed.segments);
        let scopes = [
            (format!("sender {address}"), self.config.senders.get(address)),
            (format!("account {account}"), self.config.accounts.get(account)),
        ];
        let mut charges = Vec::new();
        for (scope, allowance) in scopes {
            let Allowance { spend_hour, spend_day, rate: _ } = allowance.copied().unwrap_or_default();
            for (window, cap) in [(SpendWindow::Hour, spend_hour), (SpendWindow::Day, spend_day)] {
                let key = SpendKey { scope: scope.clone(), window, start: window.start(at) };
                charges.extend(cap.map(|cap| Charge { key, cost, cap }));
            }
        }
        charges
    }
}

/// Lets a message go whose lease leaves no time for a carrier's answer.
fn still_ours(hands: &Hands, due: &Due) -> Result<(), Over> {
    if hands.engine.now() + hands.lease() / 4 < due.lease_until {
        Ok(())
    } else {
        Err(Over::again(due.lease_until + TimeDelta::milliseconds(1)))
    }
}
