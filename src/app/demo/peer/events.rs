//! The peer's events on their way to us: signed, in order, each tried for some minutes; the feed has those that were
//! lost.

use crate::domain::secret::Secret;
use crate::engine::Clock;
use crate::net::{Call, Client, ClientError, Limits, Method, Url};
use aws_lc_rs::hmac;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Waits before each further try.
const STEPS_S: [u64; 4] = [1, 5, 30, 120];

/// Sends events.
pub(super) struct Messenger {
    key: hmac::Key,
    url: Url,
    client: Client,
    clock: Arc<dyn Clock>,
}

impl Messenger {
    pub(super) fn new(secret: &Secret<String>, url: Url, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        let seconds = Duration::from_secs;
        let client = Client::new(Limits { connect: seconds(1), total: seconds(5), answer_bytes: 64 * 1024 })?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()), url, client, clock })
    }

    pub(super) async fn run(self, mut waiting: mpsc::UnboundedReceiver<Value>) {
        while let Some(event) = waiting.recv().await {
            let body = event.to_string().into_bytes();
            let mut steps = STEPS_S.into_iter();
            while !self.send(&body).await {
                let Some(step) = steps.next() else {
                    tracing::warn!("an event of the demo's peer was not taken; its feed has it");
                    break;
                };
                tokio::time::sleep(Duration::from_secs(step)).await;
            }
        }
    }

    /// Whether it was taken.
    async fn send(&self, body: &[u8]) -> bool {
        let at = self.clock.now().timestamp();
        let mut signature = format!("t={at},v1=");
        let tag = hmac::sign(&self.key, &[at.to_string().as_bytes(), b".", body].concat());
        for byte in tag.as_ref() {
            // Writing to a String cannot fail.
            let _ = write!(signature, "{byte:02x}");
        }
        let headers =
            vec![("content-type".to_owned(), "application/json".to_owned()), ("x-signature".to_owned(), signature)];
        let call = Call { method: Method::POST, url: self.url.clone(), headers, body: body.to_vec(), within: None };
        self.client.call(call).await.is_ok_and(|answer| answer.is_success())
    }
}
