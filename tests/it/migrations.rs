//! Tables that several servers make at once.

use crate::harness::{pg, skip};
use codewell::store::{Options, Store, Tables};
use sea_orm::ConnectionTrait;
use std::time::Duration;

async fn server(url: &str) -> Store {
    // A server that waits while others make the tables may wait longer than for a row.
    let options = Options { readers: 1, acquire: Duration::from_secs(20), ..Options::new(url.to_owned()) };
    Store::connect(&options).await.expect("the database can be opened")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_make_the_tables_of_a_fresh_database_at_once_all_succeed() {
    let Some(cluster) = pg::Cluster::shared() else {
        return skip("postgresql");
    };
    let url = cluster.create_database().await;
    let (one, other) = (server(&url).await, server(&url).await);
    let (made, found) = tokio::join!(one.migrate(), other.migrate());
    made.expect("one makes them");
    found.expect("the other waits and finds them");
    assert_eq!(other.tables().await.expect("it can tell"), Tables::Current);
    // A server that comes later finds the lock free.
    other.migrate().await.expect("there is nothing to do");
}

#[tokio::test]
async fn the_limits_of_the_settings_hold_for_writers_and_not_for_reports() {
    let Some(cluster) = pg::Cluster::shared() else {
        return skip("postgresql");
    };
    let limits = Options::new(cluster.create_database().await);
    let limits = Options { statement: Duration::from_millis(4_321), lock: Duration::from_millis(1_234), ..limits };
    let store = Store::connect(&limits).await.expect("the database can be opened");
    for (connection, expected) in [(store.write(), ["4321ms", "1234ms", "10s"]), (store.read(), ["0", "0", "0"])] {
        for (name, value) in
            ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"].into_iter().zip(expected)
        {
            let show = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, format!("SHOW {name}"));
            let row = connection.query_one_raw(show).await.expect("it answers").expect("a row");
            assert_eq!(row.try_get_by_index::<String>(0).expect("a text"), value, "{name}");
        }
    }
}
