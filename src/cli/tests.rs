#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::console::Reader;
use super::*;
use clap::CommandFactory;
use insta::assert_snapshot;
use std::fmt::Write as _;
use std::path::Path;

/// Runs a command line with nobody at the terminal: exit code, what it said, what it remarked.
pub(super) fn called(line: &[&str]) -> (u8, String, String) {
    answered(line, Reader::Program, "")
}

fn answered(line: &[&str], reader: Reader, answer: &str) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut input = answer.as_bytes();
    let mut console = Console::new(&mut out, &mut err, &mut input, reader);
    let line = std::iter::once("codewell").chain(line.iter().copied());
    let code = run(line.map(OsString::from), &mut console);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(out), text(err))
}

#[test]
fn the_command_line_does_not_contradict_itself() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_explains_itself() {
    let mut all = Cli::command().render_long_help().to_string();
    let mut waiting: Vec<(String, clap::Command)> =
        Cli::command().get_subcommands().map(|command| (String::new(), command.clone())).collect();
    waiting.reverse();
    while let Some((path, command)) = waiting.pop() {
        let path = format!("{path} {}", command.get_name());
        let _ = write!(all, "\n=== codewell{path}\n{}", command.clone().render_long_help());
        let inner = command.get_subcommands().map(|inner| (path.clone(), inner.clone()));
        waiting.extend(inner.collect::<Vec<_>>().into_iter().rev());
    }
    assert_snapshot!(all);
}

#[test]
fn a_wrong_command_line_ends_with_2_and_names_the_nearest_command() {
    let (code, out, err) = called(&["campain", "list"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("'campaign'"), "{err}");
}

#[test]
fn a_command_where_nothing_is_says_how_to_begin() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("none");
    let (code, out, err) = called(&["audit", "--dir", place.to_str().unwrap()]);
    assert_eq!((code, out.as_str()), (1, ""));
    let err = err.replace(dir.path().to_str().unwrap(), "DIR");
    assert_snapshot!(err, @"
    codewell: there is nothing in DIR/none yet
      Start with `codewell demo`, `codewell serve` or `codewell apply FILE`, or name another place with --dir or --config.
    ");
}

const SHOP: &str = r#"
[[sender]]
address = "12345"
brand = "Acme"
help = "acme.example/help"

[[campaign]]
name = "SHOES"
offer = { type = "amount_off", value = 500 }
code = { pattern = "SHO-????-????*" }
pool = { source = "generate", size = 50 }
keywords = { sender = "12345", main = "SHOES" }
"#;

pub(super) fn written(dir: &Path) -> (String, String) {
    let (house, file) = (dir.join("house"), dir.join("shop.toml"));
    std::fs::write(&file, SHOP).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    (text(&house), text(&file))
}

#[test]
fn a_plan_that_nobody_confirms_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (house, file) = written(dir.path());
    let (code, out, err) = called(&["apply", &file, "--dir", &house]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("+ campaign SHOES"), "{out}");
    assert!(err.contains("--yes"), "{err}");
    let (code, out, _) = answered(&["apply", &file, "--dir", &house], Reader::Person, "no\n");
    assert_eq!(code, 0);
    assert!(out.ends_with("Nothing was changed.\n"), "{out}");
    let (_, out, err) = called(&["campaign", "list", "--dir", &house]);
    assert_eq!(out, "");
    assert!(err.contains("no campaign yet"), "{err}");
}

#[test]
fn a_campaign_is_applied_paused_resumed_and_ended_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (house, file) = written(dir.path());
    let mut talk = String::new();
    for line in [
        &["apply", &file, "--yes"][..],
        &["apply", &file, "--yes"],
        &["campaign", "list"],
        &["campaign", "pause", "shoes"],
        &["campaign", "pause", "SHOES"],
        &["campaign", "resume", "SHOES"],
        &["campaign", "pause", "SHOE"],
        &["generate", "SHOES", "--count", "10"],
        &["campaign", "end", "SHOES"],
        &["campaign", "end", "SHOES", "--yes"],
        &["campaign", "resume", "SHOES"],
        &["campaign", "list"],
        &["void", "SHO-2222-2222X", "--reason", "a test"],
        &["explain", "dec_engine.none"],
    ] {
        let whole = [line, &["--dir", &house]].concat();
        let (code, out, err) = called(&whole);
        let line = line.join(" ").replace(&file, "shop.toml");
        let _ = write!(talk, "$ codewell {line}\n{out}{err}[{code}]\n");
    }
    let (code, out, err) = called(&["audit", "--dir", &house]);
    assert_eq!(code, 0, "{out}{err}");
    let base = dir.path().to_str().unwrap();
    assert_snapshot!(talk.replace(base, "DIR"));
}

#[test]
fn a_creator_is_made_joins_is_paused_and_gets_into_her_desk() {
    let dir = tempfile::tempdir().unwrap();
    let (house, file) = written(dir.path());
    let mut talk = String::new();
    for line in [
        &["apply", &file, "--yes"][..],
        &["creator", "list"],
        &["creator", "add", "emma", "--name", "Emma", "--phone", "+12025550107"],
        &["creator", "add", "emma", "--name", "Emma"],
        &["creator", "add", "stop", "--name", "Stop"],
        &["creator", "join", "emma", "--campaign", "shoes"],
        &[
            "creator",
            "join",
            "emma",
            "--campaign",
            "SHOES",
            "--cap",
            "2000",
            "--percent",
            "10",
            "--post",
            "EMMA7=reel7",
        ],
        &["creator", "join", "emma", "--campaign", "SHOES", "--cap", "3000", "--hold", "P14D", "--flat", "100"],
        &["creator", "join", "anna", "--campaign", "SHOES", "--cap", "5"],
        &["creator", "list"],
        &["creator", "show", "emma"],
        &["creator", "pause", "emma"],
        &["creator", "pause", "emma"],
        &["creator", "resume", "emma"],
        &["campaign", "show", "SHOES"],
    ] {
        let whole = [line, &["--dir", &house]].concat();
        let (code, out, err) = called(&whole);
        let line = line.join(" ").replace(&file, "shop.toml");
        let _ = write!(talk, "$ codewell {line}\n{out}{err}[{code}]\n");
    }
    let (code, out, err) = called(&["creator", "link", "emma", "--dir", &house]);
    assert!(code == 0 && out.contains("/creator/open/") && err.contains("opens her desk once"), "{out}{err}");
    let (code, out, err) = called(&["audit", "--dir", &house]);
    assert_eq!(code, 0, "{out}{err}");
    let base = dir.path().to_str().unwrap();
    assert_snapshot!(talk.replace(base, "DIR"));
}

/// What the doctor says of a house, with what differs from machine to machine left out.
fn examined(line: &[&str], base: &Path) -> (u8, String) {
    let (code, out, err) = called(line);
    let base = base.to_str().unwrap();
    let steady = |line: &str| {
        let line = line.replace(base, "DIR");
        let line = match line.split_once("SQLite ") {
            Some((before, _)) => format!("{before}SQLite … answers in … ms"),
            None => line,
        };
        match line.split_once(" belongs to this database") {
            Some(_) => "✓ keyring: … belongs to this database".to_owned(),
            None => line,
        }
    };
    let said: Vec<_> = out.lines().chain(err.lines()).map(steady).collect();
    (code, said.join("\n"))
}

#[test]
fn the_doctor_is_sensible_before_anything_exists_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("none");
    let (code, said) = examined(&["doctor", "--dir", place.to_str().unwrap()], dir.path());
    assert_eq!(code, 0, "{said}");
    assert_snapshot!(said);
    assert!(!place.exists());
}

#[test]
fn the_doctor_finds_a_house_well_and_names_what_is_to_be_done() {
    let dir = tempfile::tempdir().unwrap();
    let (house, file) = written(dir.path());
    let (code, out, err) = called(&["apply", &file, "--yes", "--dir", &house]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, said) = examined(&["doctor", "--dir", &house], dir.path());
    assert_eq!(code, 0, "{said}");
    assert_snapshot!(said);
    let (code, said) = examined(&["doctor", "--dir", &house, "--sender", "777"], dir.path());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("✗ senders: there is no sender 777"), "{said}");
    let (code, said) = examined(&["doctor", "--dir", &house, "--peer", "till"], dir.path());
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("there is no redemption system till: none is configured"), "{said}");
}

#[test]
fn the_doctor_finds_each_thing_that_is_wrong() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let (house, file) = written(dir.path());
    called(&["apply", &file, "--yes", "--dir", &house]);
    let house_dir = Path::new(&house);
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let keyring = house_dir.join("keyring.json");
    let diagnose = || examined(&["doctor", "--dir", &house], dir.path());

    mode(house_dir, 0o755);
    let (code, said) = diagnose();
    assert!(code == 0 && said.contains("! data directory: DIR/house is open to others (mode 0755)"), "{said}");
    mode(house_dir, 0o700);

    mode(&keyring, 0o644);
    let (code, said) = diagnose();
    assert!(code == 3 && said.contains("✗ keyring: ") && said.contains("chmod 600"), "{said}");
    mode(&keyring, 0o600);

    let aside = house_dir.join("spool/quarantine");
    let waiting = house_dir.join("spool/0");
    for (folder, bytes) in [(&aside, 10), (&waiting, 20)] {
        std::fs::create_dir_all(folder).unwrap();
        let name = format!("{}.spool", uuid::Uuid::now_v7().simple());
        std::fs::write(folder.join(name), vec![0; bytes]).unwrap();
    }
    let (code, said) = diagnose();
    assert!(code == 0 && said.contains("! spool: 20 bytes of webhooks wait"), "{said}");
    assert!(said.contains("! spool: 1 files could not be settled whole"), "{said}");

    std::fs::remove_file(&keyring).unwrap();
    let (code, said) = diagnose();
    assert!(code == 3 && said.contains("✗ keyring: there is a database, but its keyring"), "{said}");

    let config = dir.path().join("bad.toml");
    std::fs::write(&config, "server.lisen = 1\n").unwrap();
    let (code, said) = examined(&["doctor", "--config", config.to_str().unwrap()], dir.path());
    assert!(code == 3 && said.contains("✗ configuration: ") && said.contains("did you mean server.listen?"), "{said}");
}

#[test]
fn the_doctor_speaks_json() {
    let dir = tempfile::tempdir().unwrap();
    let (house, file) = written(dir.path());
    called(&["apply", &file, "--yes", "--dir", &house]);
    let (code, out, _) = called(&["doctor", "--json", "--dir", &house]);
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, said.get("ok")), (0, Some(&serde_json::json!(true))));
    let findings = said.get("findings").and_then(serde_json::Value::as_array).unwrap();
    assert!(findings.iter().all(|finding| finding.get("area").is_some() && finding.get("grade").is_some()));
}

/// A talk with the product, with what differs from run to run left out: keys drawn by chance, and the days.
pub(super) fn talked(dir: &Path, house: &str, lines: &[&[&str]]) -> String {
    let mut talk = String::new();
    for line in lines {
        let (code, out, err) = called(&[*line, &["--dir", house][..]].concat());
        let _ = write!(talk, "$ codewell {}\n{out}{err}[{code}]\n", line.join(" "));
    }
    let talk = talk.replace(dir.to_str().unwrap(), "DIR");
    let words = talk.split_inclusive([' ', '\n', '"', ',']).map(|word| {
        let bare = word.trim_end_matches([' ', '\n', '"', ',']);
        let end = &word[bare.len()..];
        let is_day = bare.len() == 10 && bare.starts_with("20") && bare.matches('-').count() == 2;
        match bare {
            _ if is_day => format!("DAY{end}"),
            _ if bare.starts_with("cwp_") => format!("cwp_…{end}"),
            _ => word.to_owned(),
        }
    });
    words.collect()
}

#[test]
fn a_partner_is_made_granted_suspended_and_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let (house, file) = written(dir.path());
    called(&["apply", &file, "--yes", "--dir", &house]);
    let key = dir.path().join("acme.jwk");
    std::fs::write(&key, r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#).unwrap();
    let talk = talked(
        dir.path(),
        &house,
        &[
            &["partner", "list"],
            &["partner", "create", "acme", "--name", "Acme Deals", "--contact", "partners@acme.example"],
            &["partner", "create", "acme", "--name", "Acme again"],
            &["partner", "create", "Acme!", "--name", "Acme"],
            &["partner", "grant", "acme", "SHOES", "--day", "50"],
            &["partner", "grant", "acme", "SHOE"],
            &["partner", "caps", "acme", "--total", "1000"],
            &["partner", "rate", "acme", "--per-second", "5", "--burst", "10"],
            &["partner", "scopes", "acme", "codes:issue", "codes:everything"],
            &["partner", "key", "add", "acme", key.to_str().unwrap(), "--name", "the first"],
            &["partner", "key", "list", "acme"],
            &["partner", "secret", "new", "acme", "--name", "a spare"],
            &["partner", "list"],
            &["partner", "suspend", "acme"],
            &["partner", "suspend", "acme"],
            &["partner", "resume", "acme"],
            &["partner", "key", "revoke", "acme", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"],
            &["partner", "key", "revoke", "acme", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"],
            &["partner", "revoke-grant", "acme", "SHOES"],
            &["partner", "show", "acme"],
            &["partner", "show", "nobody"],
        ],
    );
    assert_snapshot!(talk);
    let (code, out, err) = called(&["partner", "show", "acme", "--json", "--dir", &house]);
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, said.get("status")), (0, Some(&serde_json::json!("active"))), "{err}");
    let (code, out, err) = called(&["audit", "--dir", &house]);
    assert_eq!(code, 0, "{out}{err}");
}

/// Notes that a call was refused, as a server does.
fn refuse(house: &str, request_id: &str) {
    use crate::engine::{FailureLog, Flaw};
    let place = place::PlaceArgs { dir: Some(house.into()), config: None };
    let (mut out, mut err, mut input) = (Vec::new(), Vec::new(), &b""[..]);
    let mut console = Console::new(&mut out, &mut err, &mut input, Reader::Program);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let house = place.open(&mut console).await.unwrap();
        let (log, mut notes) = FailureLog::open(&house.desk().await.unwrap());
        log.note(request_id, Flaw::Expired, Some(&crate::domain::partner::ClientId::parse("acme").unwrap()));
        assert!(notes.write().await.unwrap());
    });
}

#[test]
fn a_refused_call_is_explained_by_its_request_id() {
    let dir = tempfile::tempdir().unwrap();
    let (house, file) = written(dir.path());
    called(&["apply", &file, "--yes", "--dir", &house]);
    let id = "019ac0d2a9c87c7a9d0e3f2b1c4d5e6f";
    refuse(&house, id);
    let (code, out, err) = called(&["explain", id, "--dir", &house]);
    assert_eq!((code, err.as_str()), (0, ""));
    let steady = |line: &str| if line.starts_with("When ") { "When     …".to_owned() } else { line.to_owned() };
    assert_snapshot!(out.lines().map(steady).collect::<Vec<_>>().join("\n"), @"
    Request  019ac0d2a9c87c7a9d0e3f2b1c4d5e6f
    When     …
    Client   acme
    Refused  it has expired
    ");
    let (code, out, _) = called(&["explain", id, "--json", "--dir", &house]);
    let said: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, said.get("reason")), (0, Some(&serde_json::json!("it has expired"))));
    let (code, out, err) = called(&["explain", "nobody", "--dir", &house]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("nothing is known of nobody"), "{err}");
}
