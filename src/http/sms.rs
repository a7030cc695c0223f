//! `/sms/{sender}/inbound` and `/sms/{sender}/status`: what carriers tell us, by POST or, as some do, by GET.
//!
//! A webhook is believed by its signature over the bytes as received, read, settled or put on disk, and only then
//! answered with an empty 2xx: what was answered with anything else comes again, and is settled once.

use super::problem::Problem;
use crate::domain::act::{MessageStatus, Refused};
use crate::domain::catalog::SenderRow;
use crate::domain::phone::SenderAddress;
use crate::engine::{EarlyReports, Engine, EngineError, Received, Reported};
use crate::sms::{
    Acknowledgement, Event, Hooks, Inbound, Method, Registry, Report, ReportStatus, SmsProvider, Webhook,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, FromRef, FromRequest, Path, Request, State};
use axum::http::{self, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The longest name a carrier may give a message, bytes; theirs have 34 to 64.
const MAX_ID_BYTES: usize = 200;

/// What the doors of carriers need; cheap to clone.
#[derive(Debug, Clone)]
pub struct SmsDoor {
    /// Who settles.
    pub engine: Engine,
    /// The carriers of this process.
    pub carriers: Registry,
    /// Shared with the sender.
    pub early: EarlyReports,
}

/// Which of its two addresses a webhook was sent to. Both read whatever stands in it; the address itself is signed by
/// some carriers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    /// Texts.
    Inbound,
    /// Reports.
    Status,
}

/// A webhook as it came in.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) method: Method,
    /// As received, without its `?`.
    pub(super) query: Option<String>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Who connected.
    pub(super) remote: Option<IpAddr>,
}

/// The routes of carriers.
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    SmsDoor: FromRef<S>,
{
    Router::new()
        .route("/sms/{sender}/inbound", get(receive_texts).post(receive_texts))
        .route("/sms/{sender}/status", get(receive_reports).post(receive_reports))
}

async fn receive_texts(
    State(door): State<SmsDoor>,
    Path(address): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let delivery = Delivery::read(request).await?;
    Ok(acknowledged(door.take(Hook::Inbound, &address, &delivery).await?))
}

async fn receive_reports(
    State(door): State<SmsDoor>,
    Path(address): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let delivery = Delivery::read(request).await?;
    Ok(acknowledged(door.take(Hook::Status, &address, &delivery).await?))
}

impl Delivery {
    /// A POST without a query, as most carriers send.
    pub(super) fn post(headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { method: Method::Post, query: None, headers, body, remote: None }
    }

    async fn read(request: Request) -> Result<Self, Problem> {
        let method = if request.method() == http::Method::POST { Method::Post } else { Method::Get };
        let query = request.uri().query().map(str::to_owned);
        let remote = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        // A value that is no text is no part of a signature either.
        let named = request.headers().iter().filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        });
        let headers = named.collect();
        let refused =
            |rejection: BytesRejection| Problem::new(rejection.status(), "invalid_request", rejection.body_text());
        let body = Bytes::from_request(request, &()).await.map_err(refused)?;
        Ok(Self { method, query, headers, body: body.to_vec(), remote })
    }
}

fn acknowledged(done: Acknowledgement) -> Response {
    let status = StatusCode::from_u16(done.status).unwrap_or(StatusCode::NO_CONTENT);
    let mut response = (status, done.body).into_response();
    match done.content_type {
        Some(kind) => {
            let kind = HeaderValue::from_static(kind);
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        None => {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
    }
    response
}

impl SmsDoor {
    /// Takes one webhook; the simulator's come in here too.
    ///
    /// # Errors
    /// 401 when it is forged, 404 for a number that is not ours, 400 when nothing can be read, 503 when something in
    /// it could neither be settled nor put on disk: all of it may then be sent again.
    pub(super) async fn take(
        &self,
        hook: Hook,
        address: &str,
        delivery: &Delivery,
    ) -> Result<Acknowledgement, Problem> {
        let (sender, carrier) = self.sender(address).await?;
        let url = url(&self.engine.parts().public_url, &sender.address, hook, delivery.query.as_deref());
        let Delivery { method, query: _, headers, body, remote } = delivery;
        let webhook = Webhook { method: *method, url: &url, headers, body, remote: *remote };
        let proof = carrier.authenticate(&webhook, self.engine.now()).map_err(|forged| {
            let error = &forged as &dyn std::error::Error;
            tracing::warn!(error, sender.id = sender.id.0, "a webhook was refused");
            let detail = "the webhook's signature does not hold";
            Problem::new(StatusCode::UNAUTHORIZED, "invalid_signature", detail)
        })?;
        let events = carrier.parse(proof).map_err(|unreadable| {
            let error = &unreadable as &dyn std::error::Error;
            tracing::error!(
                error,
                sender.id = sender.id.0,
                "a webhook cannot be read: the adapter and the carrier disagree"
            );
            Problem::invalid(&[unreadable.to_string()])
        })?;
        self.settle(&sender, events).await?;
        Ok(carrier.acknowledge())
    }

    /// Settles every event, whatever became of the others; one that failed makes the carrier send all of them again,
    /// and those already settled are answered from their rows.
    async fn settle(&self, sender: &SenderRow, events: Vec<Event>) -> Result<(), Problem> {
        let mut failed = None;
        let mut later = false;
        for event in events {
            let settled = match event {
                Event::Inbound(inbound) => self.text(sender, inbound).await,
                Event::Report(report) => self.report(sender, report).await,
                Event::Ignored(why) => {
                    tracing::debug!(sender.id = sender.id.0, "a part of a webhook asks for nothing: {why}");
                    Ok(())
                }
                Event::Later(awaited) => {
                    tracing::debug!(
                        sender.id = sender.id.0,
                        "a part of a webhook is to come again: it waits for {awaited}"
                    );
                    later = true;
                    Ok(())
                }
                Event::Unreadable(unreadable) => {
                    let error = &unreadable as &dyn std::error::Error;
                    tracing::error!(error, sender.id = sender.id.0, "a part of a webhook is lost");
                    Ok(())
                }
            };
            match settled {
                // No partner texts, so nobody is barred.
                Ok(()) | Err(EngineError::Barred(_)) => {}
                Err(EngineError::KeyReused) => {
                    tracing::warn!(sender.id = sender.id.0, "a carrier gave two texts one name; the first stands");
                }
                Err(
                    error @ (EngineError::Busy | EngineError::Stopped | EngineError::Store(_) | EngineError::Peer(_)),
                ) => {
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) => {
                self.engine.refused_webhook(sender.id);
                Err(error.into())
            }
            // Any answer but a 2xx makes the carrier send it again.
            None if later => Err(Problem::busy()),
            None => Ok(()),
        }
    }

    async fn text(&self, sender: &SenderRow, inbound: Inbound) -> Result<(), EngineError> {
        let Inbound { message_id, from, to, text, opt_out, media: _, segments: _, sent_at: _ } = inbound;
        // The address of the webhook is what its signature vouches for.
        let is_ours = SenderAddress::parse(&to).is_ok_and(|to| to.as_str() == sender.address);
        if !is_ours || message_id.len() > MAX_ID_BYTES {
            tracing::error!(
                sender.id = sender.id.0,
                "a text is lost: it was sent to the webhook of another number, or its name is too long"
            );
            return Ok(());
        }
        let received = Received { message_id, from, text, carrier_said: opt_out };
        self.engine.receive_or_spool(sender.id, received).await.map(drop)
    }

    async fn report(&self, sender: &SenderRow, report: Report) -> Result<(), EngineError> {
        let Report { provider_id, reference, status, class, note } = report;
        let names = [&provider_id, &reference];
        if names.into_iter().flatten().any(|name| name.len() > MAX_ID_BYTES) {
            tracing::error!(sender.id = sender.id.0, "a report is lost: its name of the message is too long");
            return Ok(());
        }
        let status = match status {
            ReportStatus::Sent => MessageStatus::Sent,
            ReportStatus::Delivered => MessageStatus::Delivered,
            ReportStatus::Failed if class == Some(Refused::Expired) => MessageStatus::Expired,
            ReportStatus::Failed => MessageStatus::Undelivered,
        };
        let reported = Reported { provider_id, reference, status, refused: class, note };
        self.engine.report_or_spool(&self.early, sender.id, reported).await
    }

    async fn sender(&self, address: &str) -> Result<(SenderRow, Arc<dyn SmsProvider>), Problem> {
        let unknown = || Problem::not_found("sender");
        let address = SenderAddress::parse(address).map_err(|_| unknown())?;
        let known = self.engine.catalog().sender_at(address.as_str()).cloned();
        let row = if let Some(row) = known {
            row
        } else {
            // Another process may have added it a moment ago.
            let fresh = self.engine.fresh_catalog().await;
            let fresh = fresh.map_err(EngineError::from)?;
            let added = fresh.sender_at(address.as_str()).cloned();
            added.ok_or_else(unknown)?
        };
        let carrier = self.carriers.get(&row.carrier).ok_or_else(unknown)?;
        Ok((row, Arc::clone(carrier)))
    }
}

/// The address that carriers are told, whatever a request claims, and the query as received.
fn url(public_url: &str, address: &str, hook: Hook, query: Option<&str>) -> String {
    let Hooks { inbound, status } = Hooks::of(public_url, address);
    let url = match hook {
        Hook::Inbound => inbound,
        Hook::Status => status,
    };
    query.map_or(url.clone(), |query| format!("{url}?{query}"))
}
