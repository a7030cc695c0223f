//! Writes how often claim pages were opened, once a second: a page that goes around the world costs one row a second.

use crate::engine::Engine;
use std::future::Future;
use std::time::Duration;

/// Between two writes, and so what a crash loses.
const EVERY: Duration = Duration::from_secs(1);

/// Writes until `stop` resolves, and what is left then.
pub async fn run(engine: Engine, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        let is_last = tokio::select! {
            () = &mut stop => true,
            () = tokio::time::sleep(EVERY) => false,
        };
        if let Err(error) = engine.write_openings().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "openings of claim pages cannot be written yet");
        }
        if is_last {
            return;
        }
    }
}
