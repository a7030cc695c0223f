//! The doctor beside a PostgreSQL that is well, unsafe, or gone.

use crate::crash::{Place, blocking};
use crate::harness::{pg::Cluster, pg::Fsync, skip};

/// Exit code and findings.
fn examined(place: &Place) -> (Option<i32>, String) {
    let done = place.command("doctor").output().expect("the binary runs");
    (done.status.code(), String::from_utf8(done.stdout).expect("UTF-8"))
}

async fn place_on(cluster: &Cluster) -> Place {
    Place::at(tempfile::tempdir().expect("a directory can be made"), cluster.create_database().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_postgresql_is_found_well_and_one_that_is_gone_is_named() {
    let Some(cluster) = Cluster::start(Fsync::On) else { return skip("postgresql") };
    let place = place_on(&cluster).await;
    let (code, said) = examined(&place);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("✓ database: PostgreSQL "), "{said}");
    let kept = "what it acknowledged is on disk: fsync is on, full_page_writes is on, synchronous_commit is on";
    assert!(said.contains(kept) && said.contains("✓ database: its clock agrees with ours"), "{said}");
    let _cluster = blocking(cluster, Cluster::stop_immediate).await;
    let (code, said) = examined(&place);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("✗ database: ") && said.contains("Check that the database runs"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_forgets_what_it_acknowledged_is_a_fault() {
    let Some(cluster) = Cluster::shared() else { return skip("postgresql") };
    let place = place_on(cluster).await;
    let (code, said) = examined(&place);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("✗ database: fsync is off") && said.contains("Set fsync to on"), "{said}");
}
