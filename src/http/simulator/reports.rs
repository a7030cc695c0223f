//! The simulator's delivery reports on their way to our door.

use super::super::sms::{Delivery, Hook};
use super::SimulatorDoor;
use crate::sms::Notice;
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Reports on their way at once: they share commits.
const AT_ONCE: usize = 64;
/// A door that is busy is knocked at so often, with longer waits; then the report is lost, as carriers lose some.
const TRIES: u32 = 6;
/// The first of these waits; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Delivers every report as a signed webhook until `stop` resolves, then finishes what is under way.
pub async fn deliver_reports(
    door: SimulatorDoor,
    mut notices: mpsc::UnboundedReceiver<Notice>,
    stop: impl Future<Output = ()>,
) {
    tokio::pin!(stop);
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(_) = under_way.join_next() => {}
            notice = notices.recv(), if under_way.len() < AT_ONCE => {
                let Some(notice) = notice else { break };
                let door = door.clone();
                under_way.spawn(async move { deliver(&door, &notice).await });
            }
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn deliver(door: &SimulatorDoor, notice: &Notice) {
    let mut wait = FIRST_WAIT;
    for left in (0..TRIES).rev() {
        let headers = door.outside.headers(&notice.body, door.sms.engine.now());
        let address = notice.sender.as_str();
        let delivery = Delivery::post(headers, notice.body.clone());
        let taken = door.sms.take(Hook::Status, address, &delivery).await;
        if taken.is_ok() {
            return;
        }
        if left > 0 {
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }
    tracing::warn!("a report of the simulator was not taken and is lost");
}
