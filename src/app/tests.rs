#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use std::os::unix::fs::PermissionsExt;

fn config(dir: &Path) -> Config {
    Config::for_dir(dir, std::iter::empty()).unwrap()
}

async fn open(dir: &Path, first_run: FirstRun) -> Result<House, OpenError> {
    House::open(config(dir), first_run, OldTables::Refuse).await
}

#[tokio::test]
async fn a_first_run_makes_directory_keyring_and_tables_and_a_second_finds_them() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("new/house");
    let first = open(&dir, FirstRun::Make).await.unwrap();
    assert_eq!(first.made.len(), 2, "{:?}", first.made);
    assert!(first.made.iter().any(|made| made.contains("Back it up")));
    let mode = std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    let second = open(&dir, FirstRun::Refuse).await.unwrap();
    assert!(second.made.is_empty());
    assert_eq!(second.keys.id(), first.keys.id());
    assert_eq!(second.store.tables().await.unwrap(), Tables::Current);
}

#[test]
fn settings_that_nobody_changed_are_those_of_the_store() {
    let config = config(Path::new("/house"));
    assert_eq!(options(&config), Options::new("sqlite:/house/codewell.db".to_owned()));
}

#[test]
fn every_setting_of_the_database_reaches_the_store() {
    let names = ["READ_CONNECTIONS", "ACQUIRE_TIMEOUT_MS", "STATEMENT_TIMEOUT_MS", "LOCK_TIMEOUT_MS"];
    let names = names.into_iter().chain(["IDLE_IN_TRANSACTION_TIMEOUT_MS", "BUSY_TIMEOUT_MS"]);
    let variables = names
        .zip([3, 11, 14, 13, 15, 16])
        .map(|(name, value): (&str, u32)| (format!("CODEWELL_DATABASE__{name}"), value.to_string()));
    let config = Config::for_dir(Path::new("/house"), variables).unwrap();
    let ms = std::time::Duration::from_millis;
    let expected = Options {
        url: "sqlite:/house/codewell.db".to_owned(),
        readers: 3,
        acquire: ms(11),
        statement: ms(14),
        lock: ms(13),
        idle_in_transaction: ms(15),
        busy: ms(16),
    };
    assert_eq!(options(&config), expected);
}

#[tokio::test]
async fn a_command_in_a_mistyped_directory_makes_nothing() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("typo");
    let error = open(&dir, FirstRun::Refuse).await.unwrap_err();
    assert!(matches!(error, OpenError::Nothing(_)), "{error}");
    assert!(!dir.exists());
}

#[tokio::test]
async fn a_database_without_its_keyring_is_not_given_another() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), FirstRun::Make).await.unwrap());
    std::fs::remove_file(dir.path().join("keyring.json")).unwrap();
    let error = open(dir.path(), FirstRun::Make).await.unwrap_err();
    assert!(matches!(error, OpenError::Keyring(KeyringError::Missing(_))), "{error}");
    assert!(!dir.path().join("keyring.json").exists());
}

#[test]
fn a_phone_that_names_other_keys_shows_the_wrong_keyring() {
    let keys = |byte| Keys::from_root(&crate::domain::secret::Secret::new([byte; 32]));
    let phone = crate::domain::phone::PhoneNumber::from_e164("+12025550123").unwrap();
    let sealed = keys(1).seal_phone(&keys(1).phone_subject(&phone), &phone, [0; 12]);
    assert!(belongs(&keys(1), Some(&sealed)));
    assert!(!belongs(&keys(2), Some(&sealed)));
    assert!(belongs(&keys(2), None));
}

#[tokio::test]
async fn a_till_key_opens_until_it_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let house = open(dir.path(), FirstRun::Make).await.unwrap();
    let engine = house.desk().await.unwrap();
    let key = engine.create_till_key("corner shop").await.unwrap();
    let till = engine.till(key.expose()).await.unwrap().unwrap();
    assert_eq!((till.id(), till.name()), (key.id(), "corner shop"));
    let mut forged = key.expose().to_owned();
    let last = forged.pop().unwrap();
    forged.push(if last == 'a' { 'b' } else { 'a' });
    assert_eq!(engine.till(&forged).await.unwrap(), None);
    assert!(engine.revoke_access_key(key.id()).await.unwrap());
    assert!(!engine.revoke_access_key(key.id()).await.unwrap());
    assert_eq!(engine.till(key.expose()).await.unwrap(), None);
}
