//! Looks now and then at what nobody asks about: campaigns that run out of codes, pulls whose time is over, rows that
//! are only in the way.

use crate::config::AlertsConfig;
use crate::engine::Engine;
use std::future::Future;
use std::time::{Duration, Instant};

/// Between two looks: a campaign that sells a thousand codes a second is seen in time at 10 % of a million.
const EVERY: Duration = Duration::from_secs(15);

/// Between two looks at what may be forgotten: it is old by days.
const FORGETS_EVERY: Duration = Duration::from_mins(5);

/// Sweeps until `stop` resolves.
pub async fn run(engine: Engine, config: AlertsConfig, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut forgot: Option<Instant> = None;
    loop {
        let swept = engine.watch_stock(config.low_stock_percent, config.low_stock_codes).await;
        if let Err(error) = swept {
            tracing::warn!(error = &error as &dyn std::error::Error, "the stock of campaigns cannot be looked at");
        }
        if let Err(error) = engine.end_leases().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "pulls whose time is over cannot be ended");
        }
        if forgot.is_none_or(|at| at.elapsed() >= FORGETS_EVERY) {
            forgot = Some(Instant::now());
            let forgotten = tokio::select! {
                () = &mut stop => return,
                forgotten = engine.forget() => forgotten,
            };
            if let Err(error) = forgotten {
                tracing::warn!(error = &error as &dyn std::error::Error, "old rows cannot be dropped");
            }
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
