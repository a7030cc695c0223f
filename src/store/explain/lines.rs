//! An explanation as labelled lines for one screen.

use super::{Asked, CapReached, CodeLife, EventLine, Explanation, MessageLife};
use crate::domain::money::{Currency, Money};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Steps of a code that are shown; of more, the last ones.
const STEPS: usize = 8;

impl Explanation {
    /// Labels and values, times in `zone`; at most about twenty lines.
    #[must_use]
    pub fn lines(&self, zone: Tz) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some(asked) = &self.decision {
            asked.lines(zone, &mut lines);
        }
        if let Some(campaign) = &self.campaign {
            let name = campaign.name.clone().unwrap_or_else(|| campaign.campaign_id.to_string());
            let version = campaign.version.map(|version| format!(", version {version}")).unwrap_or_default();
            lines.push(("campaign", name + &version));
        }
        if let Some(code) = &self.code {
            code.lines(zone, &mut lines);
        }
        match (&self.message, &self.decision) {
            (Some(message), _) => lines.push(("reply", message.line())),
            (None, Some(asked))
                if asked.channel == "sms" && asked.sender.is_some() && !asked.door.starts_with("till") =>
            {
                lines.push(("reply", "none".to_owned()));
            }
            (None, _) => {}
        }
        lines
    }
}

impl Asked {
    fn lines(&self, zone: Tz, lines: &mut Vec<(&'static str, String)>) {
        lines.push(("decision", self.id.clone()));
        lines.push(("door", self.door.clone()));
        lines.push(("asked", time(self.received_at, zone)));
        if let Some(person) = &self.person {
            lines.push(("person", format!("{person}…")));
        }
        let rule = self.rule.as_ref().map(|rule| format!(": {rule}")).unwrap_or_default();
        lines.push(("outcome", format!("{} → {}{rule}", self.kind, self.outcome)));
        if let Some(cap) = &self.cap {
            lines.push(("rule", cap.rule()));
            lines.push(("limit", cap.amount(cap.limit)));
            lines.push(("used", cap.amount(cap.used)));
            lines.push(("window", cap.window()));
        }
        match (self.resets_at, &self.cap) {
            (Some(at), Some(_)) => lines.push(("room again", time(at, zone))),
            (Some(at), None) => lines.push(("opens", time(at, zone))),
            (None, Some(_)) => lines.push(("room again", "never".to_owned())),
            (None, None) => {}
        }
        let to = self.sender.as_ref().map(|sender| format!(" to {sender}")).unwrap_or_default();
        let word = self.keyword.as_ref().map(|word| format!(", keyword {word}")).unwrap_or_default();
        let placement = self.placement.as_ref().map(|name| format!(", placement {name}")).unwrap_or_default();
        lines.push(("came by", format!("{}{to}{word}{placement}", self.channel)));
        if let Some(reference) = &self.reference {
            lines.push(("redemption", reference.clone()));
        }
    }
}

impl CapReached {
    fn rule(&self) -> String {
        let of = if self.across { " across campaigns" } else { "" };
        let id = self.scope_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
        format!("cap {} per {}{id}{of}", self.cap_id, self.scope)
    }

    fn amount(&self, number: i64) -> String {
        let unit = match (self.unit.as_str(), number) {
            ("money", _) => "minor units",
            (_, 1) => "code",
            (_, _) => "codes",
        };
        format!("{number} {unit}")
    }

    fn window(&self) -> String {
        match (self.window.as_str(), self.window_ms) {
            ("rolling", Some(ms)) => format!("the last {} s", ms / 1_000),
            ("lifetime", _) => "for ever".to_owned(),
            ("minute", _) => "a minute".to_owned(),
            (window, _) => format!("a calendar {window} in {}", self.zone),
        }
    }
}

impl CodeLife {
    fn lines(&self, zone: Tz, lines: &mut Vec<(&'static str, String)>) {
        let masked = self.masked.as_ref().map(|code| format!("{code}, ")).unwrap_or_default();
        lines.push(("code", format!("{masked}position {} of pool {}", self.position, self.pool_no)));
        let Some(issued_at) = self.issued_at else {
            lines.push(("issued", "never".to_owned()));
            return;
        };
        let seq = self.seq.map(|seq| format!(", number {seq} of this person")).unwrap_or_default();
        lines.push(("issued", format!("{}{seq}", time(issued_at, zone))));
        if let Some(merit) = &self.merit {
            lines.push(("merit of", merit.clone()));
        }
        if let Some(pull) = &self.pull {
            lines.push(("lies in", pull.clone()));
        }
        lines.push(("good until", self.expires_at.map_or("always".to_owned(), |at| time(at, zone))));
        let hidden = self.events.len().saturating_sub(STEPS);
        if hidden > 0 {
            lines.push(("then", format!("{hidden} earlier steps")));
        }
        lines.extend(self.events.iter().skip(hidden).map(|event| ("then", event.line(zone))));
    }
}

impl EventLine {
    fn line(&self, zone: Tz) -> String {
        let store = self.store.as_ref().map(|store| format!(" at {store}")).unwrap_or_default();
        let order = self.order.as_ref().map(|order| format!(", order {order}")).unwrap_or_default();
        let amount = self.amount_minor.map(|amount| match self.currency.as_deref().map(Currency::parse) {
            Some(Ok(currency)) => format!(", {}", Money::new(amount, currency).words()),
            Some(Err(_)) | None => format!(", {amount} minor units"),
        });
        let amount = amount.unwrap_or_default();
        let reason = self.reason.as_ref().map(|reason| format!(", “{reason}”")).unwrap_or_default();
        format!("{} {}{store}{order}{amount}{reason} ({})", self.kind, time(self.at, zone), self.reference)
    }
}

impl MessageLife {
    fn line(&self) -> String {
        let segments = match self.segments {
            Some(1) => ", 1 segment".to_owned(),
            Some(n) => format!(", {n} segments"),
            None => String::new(),
        };
        let attempts = if self.attempts == 1 { "1 attempt".to_owned() } else { format!("{} attempts", self.attempts) };
        format!("{} {}{segments}, {attempts}", self.reply, self.status)
    }
}

fn time(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S %Z").to_string()
}
