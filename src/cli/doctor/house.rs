//! Configuration, data directory, keyring, spool.

use super::{Report, database};
use crate::app::{FirstRun, House, OldTables, OpenError};
use crate::config::{Config, Environment, PublicUrl, Simulator};
use crate::store::spool;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

pub(super) fn configuration(config: &Config, report: &mut Report) {
    let area = "configuration";
    let environment = match config.environment {
        Environment::Development => "development",
        Environment::Production => "production",
    };
    report.ok(area, format!("it is sound, for {environment}"));
    let url = config.server.public_url_at(config.server.listen);
    match config.server.public_url.as_ref().map(PublicUrl::is_https) {
        Some(true) if config.http.trusted_proxies.is_empty() => report.warn(
            area,
            format!("the outside calls us {url}, and of no proxy we believe who called: all callers count as one"),
            "Name the addresses of the proxy before it in http.trusted_proxies.",
        ),
        Some(true) => report.ok(area, format!("the outside calls us {url}")),
        Some(false) => report.warn(
            area,
            format!("the outside calls us {url}, unencrypted"),
            "Put a proxy with TLS before it and set server.public_url to its https address.",
        ),
        None => report.warn(
            area,
            format!(
                "no server.public_url: coupon links and webhooks point at {url}, which only this machine can reach"
            ),
            "Set server.public_url before a carrier is told its webhooks.",
        ),
    }
    if config.simulator == Simulator::On {
        report.ok(area, "the simulator is on: phones in the browser can text");
    }
}

/// Opens the house, if there is one; `None` when the rest has nothing to stand on.
pub(super) async fn open(config: Config, report: &mut Report) -> Option<House> {
    let dir = config.server.data_dir.clone();
    if dir.is_dir() {
        directory(&dir, report);
    }
    if !database::look(&config, report).await {
        return None;
    }
    match House::open(config, FirstRun::Refuse, OldTables::Refuse).await {
        Ok(house) => {
            report.ok("keyring", format!("{} belongs to this database", house.keys.id()));
            Some(house)
        }
        Err(error) => {
            let area = match &error {
                OpenError::Keyring(_) | OpenError::OtherKeyring(_) => "keyring",
                OpenError::Directory { .. } | OpenError::Nothing(_) => "data directory",
                OpenError::OldTables(_) | OpenError::Store(_) => "database",
                OpenError::Peers(_) => "peers",
            };
            report.failed(area, &error.into());
            None
        }
    }
}

/// Who else could look into the data directory.
fn directory(dir: &Path, report: &mut Report) {
    let area = "data directory";
    let shown = dir.display();
    match std::fs::metadata(dir) {
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            let mode = found.permissions().mode() & 0o777;
            report.warn(
                area,
                format!("{shown} is open to others (mode {mode:04o})"),
                format!("Run chmod 700 {shown}: the keyring in it names the people behind the database's rows."),
            );
        }
        Ok(_) => report.ok(area, format!("{shown} is its owner's alone")),
        Err(error) => report.fail(area, format!("{shown} cannot be read: {error}"), "Check who owns it."),
    }
}

/// What waits on disk.
pub(super) fn spool(config: &Config, report: &mut Report) {
    let area = "spool";
    if config.spool.max_bytes == 0 {
        report.warn(
            area,
            "it is off: while the database is away carriers are told to send again",
            "Set spool.max_bytes to keep their texts on disk meanwhile.",
        );
        return;
    }
    let dir = config.server.data_dir.join("spool");
    match spool::look(&dir) {
        Ok(found) => {
            if found.waiting_bytes > 0 {
                report.warn(
                    area,
                    format!("{} bytes of webhooks wait to be settled", found.waiting_bytes),
                    "A running server settles them as soon as the database is there: start one.",
                );
            } else {
                report.ok(area, "nothing waits on disk");
            }
            if found.put_aside > 0 {
                report.warn(
                    area,
                    format!(
                        "{} files could not be settled whole and lie in {}/quarantine",
                        found.put_aside,
                        dir.display()
                    ),
                    "Compare with the carrier's log of that time; docs/operating.md says how to settle them again.",
                );
            }
        }
        Err(error) => report.fail(area, format!("{} cannot be read: {error}", dir.display()), "Check who owns it."),
    }
}
