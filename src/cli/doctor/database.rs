//! The database: is it there, is it ours, does it keep what it acknowledged.

use super::Report;
use crate::app::{lock, options};
use crate::config::Config;
use crate::domain::ids::millis;
use crate::engine::{Clock as _, SystemClock};
use crate::store::health::Setting;
use crate::store::{Store, StoreError, Tables};

const AREA: &str = "database";
/// Clocks that differ by more charge windows of a day in the wrong one, ms.
const SKEW_FAIL_MS: i64 = 5000;
/// By more than this something is wrong with one of them, ms.
const SKEW_WARN_MS: i64 = 1000;

/// Looks at it; whether there is a house to look into.
pub(super) async fn look(config: &Config, report: &mut Report) -> bool {
    if lock::database_file(&config.database.url).is_some_and(|file| !file.exists()) {
        nothing(config, report);
        return false;
    }
    let looked = async {
        let store = Store::connect(&options(config)).await?;
        let tables = store.tables().await?;
        health(&store, report).await?;
        store.close().await?;
        Ok::<Tables, StoreError>(tables)
    };
    match looked.await {
        Ok(Tables::Current) => {
            report.ok(AREA, "its tables are of this release");
            true
        }
        Ok(Tables::Older(changes)) => {
            report.fail(
                AREA,
                format!("its tables are of an older release: {changes} changes are still to come"),
                "Back it up, then run `codewell migrate` with the same --dir or --config.",
            );
            false
        }
        Ok(Tables::None) => {
            nothing(config, report);
            false
        }
        Err(error) => {
            report.failed(AREA, &error.into());
            false
        }
    }
}

fn nothing(config: &Config, report: &mut Report) {
    report.warn(
        AREA,
        format!("there is nothing in {} yet", config.server.data_dir.display()),
        "Start with `codewell demo`, `codewell serve` or `codewell apply FILE`, or name another place with --dir or --config.",
    );
}

async fn health(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    let before = SystemClock.now();
    let health = store.health().await?;
    let after = SystemClock.now();
    report.ok(AREA, format!("{} answers in {} ms", health.version, (after - before).num_milliseconds()));
    let (kept, broken): (Vec<_>, Vec<_>) = health.settings.iter().partition(|setting| setting.value == setting.wanted);
    for Setting { name, value, wanted } in broken {
        report.fail(
            AREA,
            format!("{name} is {value}: after a crash codes that people have may be given out again"),
            format!("Set {name} to {wanted} in the database's configuration."),
        );
    }
    if !kept.is_empty() {
        let kept: Vec<_> = kept.iter().map(|setting| format!("{} is {}", setting.name, setting.value)).collect();
        report.ok(AREA, format!("what it acknowledged is on disk: {}", kept.join(", ")));
    }
    let Some(theirs) = health.now_ms else { return Ok(()) };
    // Between our two looks its clock may say anything.
    let skew = (theirs - millis(after)).max(0) + (millis(before) - theirs).max(0);
    let next = "Let both machines follow a time server.";
    if skew > SKEW_FAIL_MS {
        report.fail(AREA, format!("its clock and ours are {skew} ms apart"), next);
    } else if skew > SKEW_WARN_MS {
        report.warn(AREA, format!("its clock and ours are {skew} ms apart"), next);
    } else {
        report.ok(AREA, "its clock agrees with ours");
    }
    Ok(())
}
