//! Drains what waits on disk as soon as the database is back. Trying to is also how its return is noticed.

use crate::domain::alert::AlertKind;
use crate::engine::{Away, SpoolDrain, Step};
use std::future::Future;
use std::time::Duration;

/// What its alerts are about.
const ABOUT: &str = "spool";
/// Records settled together: a batch of the committer.
const TOGETHER: usize = 256;
/// First and longest wait before the database is tried again; the longest is part of how soon texts are answered after
/// an outage.
const WAIT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Drains until `stop` resolves; what is left then is drained by the next process.
pub async fn drain(mut drain: SpoolDrain, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    if !drain.is_needed() {
        // A process that ended between the last record and this word left the alert standing.
        drain.engine().clear(AlertKind::SpoolInUse, ABOUT).await;
    }
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = drain.used() => {}
        }
        tokio::select! {
            () = &mut stop => return,
            () = until_empty(&mut drain) => {}
        }
    }
}

/// Settles all that waits, however long the database stays away.
async fn until_empty(drain: &mut SpoolDrain) {
    tracing::warn!(bytes = drain.bytes(), "webhooks wait on disk: they cannot be committed now");
    let (mut total, mut wait, mut together) = (0_usize, WAIT.0, 1);
    loop {
        match drain.step(together).await {
            Step::Settled { count, longest_s, put_aside } => {
                if total == 0 && count > 0 {
                    let detail = format!("webhooks waited on disk, the first for {longest_s} s; they are settled now");
                    drain.engine().raise(AlertKind::SpoolInUse, ABOUT, detail).await;
                }
                if let Some(why) = put_aside {
                    drain.engine().raise(AlertKind::SpoolQuarantine, ABOUT, why).await;
                }
                total += count;
                if count == 0 {
                    // Something is refused; the same moment would only refuse it again.
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(WAIT.1);
                } else {
                    (wait, together) = (WAIT.0, TOGETHER);
                }
            }
            Step::Away(why) => {
                match &why {
                    Away::Engine(error) => {
                        tracing::debug!(error = error as &dyn std::error::Error, "what waits on disk waits on");
                    }
                    Away::Spool(error) => {
                        tracing::error!(error = error as &dyn std::error::Error, "what waits on disk cannot be read");
                    }
                }
                tokio::time::sleep(wait).await;
                // One record tries whether the database is back; a batch would only be done in vain.
                (wait, together) = ((wait * 2).min(WAIT.1), 1);
            }
            Step::Empty => break,
        }
    }
    if total > 0 {
        tracing::info!(settled = total, "what waited on disk is settled");
        drain.engine().clear(AlertKind::SpoolInUse, ABOUT).await;
    }
}
