//! The audit finds every breach that is planted in a clean ledger, names it, and reports nothing else.

mod explain;
mod ledger;
mod plants;

use crate::harness::{pg, skip};
use codewell::store::audit::{Report, audit};
use explain::a_decision_is_told_on_one_screen;
use ledger::Ledger;
use plants::{CHANGES, PLANTS, WINDOWS};

/// The checks that found something, and all their sentences.
fn found(report: &Report) -> (Vec<&'static str>, String) {
    let breached = report.checks.iter().filter(|check| !check.breaches.is_empty());
    let said: Vec<_> = breached.clone().flat_map(|check| &check.breaches).map(|breach| breach.what.as_str()).collect();
    (breached.map(|check| check.name).collect(), said.join("\n"))
}

async fn audited(ledger: &Ledger) -> Report {
    audit(ledger.db(), &mut |_| {}).await.expect("the audit reads everything")
}

async fn a_clean_ledger_is_clean(ledger: &Ledger) {
    ledger.fill().await;
    let report = audited(ledger).await;
    assert!(report.is_clean(), "{}", found(&report).1);
    let idle: Vec<_> = report.checks.iter().filter(|check| check.rows == 0).map(|check| check.name).collect();
    assert!(idle.is_empty(), "these checks looked at nothing: {idle:?}");
}

async fn every_plant_is_found_and_nothing_else(ledger: &Ledger) {
    ledger.loosen().await;
    let mut planted: Vec<&str> = Vec::new();
    for (check, named, script) in PLANTS {
        ledger.fill().await;
        ledger.run(script).await;
        let (checks, said) = found(&audited(ledger).await);
        assert_eq!(checks, [*check], "after {script}\nit said:\n{said}");
        assert!(said.contains(named), "{check} does not name {named}:\n{said}");
        planted.push(check);
    }
    let report = audited(ledger).await;
    let unplanted: Vec<_> =
        report.checks.iter().map(|check| check.name).filter(|name| !planted.contains(name)).collect();
    assert!(unplanted.is_empty(), "no plant for {unplanted:?}");
}

async fn every_window_is_judged_at_its_edge(ledger: &Ledger) {
    for (what, script, breaches) in WINDOWS {
        ledger.fill().await;
        ledger.run(script).await;
        let (checks, said) = found(&audited(ledger).await);
        assert_eq!(checks.contains(&"person_cap"), *breaches, "{what}\nit said:\n{said}");
        assert!(checks.iter().all(|check| *check == "person_cap"), "{what}\nit said:\n{said}");
    }
}

async fn what_people_change_is_no_breach(ledger: &Ledger) {
    for (what, script) in CHANGES {
        ledger.fill().await;
        ledger.run(script).await;
        let (_, said) = found(&audited(ledger).await);
        assert!(said.is_empty(), "{what}\nit said:\n{said}");
    }
}

async fn an_audit_sees_one_moment_while_others_write(ledger: &Ledger) {
    ledger.fill().await;
    let mut is_written = false;
    let mut progress = |doing: &str| {
        if doing == "issuances" {
            ledger.run_elsewhere("DELETE FROM issuance WHERE campaign_id = 1; UPDATE pool SET in_stock = 1");
            is_written = true;
        }
    };
    let report = audit(ledger.db(), &mut progress).await.expect("the audit reads everything");
    assert!(is_written && report.is_clean(), "{}", found(&report).1);
    assert!(!audited(ledger).await.is_clean(), "what was written meanwhile is seen afterwards");
}

macro_rules! on_both {
    ($($test:ident)*) => {$(
        mod $test {
            use super::*;

            #[tokio::test]
            async fn on_sqlite() {
                let folder = tempfile::tempdir().expect("a temporary directory");
                let url = format!("sqlite:{}", folder.path().join("audit.db").display());
                super::$test(&Ledger::make(url).await).await;
            }

            #[tokio::test]
            async fn on_postgresql() {
                let Some(cluster) = pg::Cluster::shared() else {
                    return skip("postgresql");
                };
                super::$test(&Ledger::make(cluster.create_database().await).await).await;
            }
        }
    )*};
}

on_both! {
    a_clean_ledger_is_clean
    every_plant_is_found_and_nothing_else
    every_window_is_judged_at_its_edge
    what_people_change_is_no_breach
    an_audit_sees_one_moment_while_others_write
    a_decision_is_told_on_one_screen
}
