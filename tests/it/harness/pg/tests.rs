//! The harness proves itself.

use super::*;
use crate::harness::skip;

async fn number(url: &str, query: &str) -> Result<Option<i32>, DbErr> {
    let connection = Database::connect(url).await?;
    let statement = sea_orm::Statement::from_string(connection.get_database_backend(), query);
    let row = connection.query_one_raw(statement).await?;
    let found = row.map(|row| row.try_get_by_index(0)).transpose();
    connection.close().await?;
    found
}

#[tokio::test]
async fn databases_of_the_shared_cluster_are_apart() {
    let Some(cluster) = Cluster::shared() else {
        return skip("postgresql");
    };
    let (one, two) = (cluster.create_database().await, cluster.create_database().await);
    assert_ne!(one, two);
    let connection = Database::connect(&one).await.expect("the database was made");
    connection.execute_unprepared("CREATE TABLE here (n int)").await.expect("a table");
    connection.close().await.expect("closed");
    assert_eq!(number(&one, "SELECT count(*)::int FROM here").await, Ok(Some(0)));
    assert!(number(&two, "SELECT count(*)::int FROM here").await.is_err());
}

#[tokio::test]
async fn what_was_committed_outlives_a_power_cut_and_the_directory_does_not_outlive_the_cluster() {
    let Some(cluster) = Cluster::start(Fsync::On) else {
        return skip("postgresql");
    };
    cluster
        .prepare_template(async |url| {
            let connection = Database::connect(url).await.expect("the template was made");
            let rows = "CREATE TABLE kept AS SELECT 7 AS n";
            connection.execute_unprepared(rows).await.expect("a table");
            connection.close().await.expect("closed");
        })
        .await;
    let url = cluster.create_database().await;
    let before = cluster.pid();
    cluster.stop_fast();
    assert_eq!(cluster.pid(), None);
    cluster.restart();
    cluster.stop_immediate();
    assert_eq!(cluster.pid(), None);
    assert!(std::net::TcpStream::connect(("127.0.0.1", cluster.port)).is_err());
    cluster.restart();
    assert_ne!(cluster.pid(), before);
    assert_eq!(number(&url, "SELECT n FROM kept").await, Ok(Some(7)));
    let dir = cluster.dir.clone();
    assert!(dir.exists());
    drop(cluster);
    assert!(!dir.exists());
}
