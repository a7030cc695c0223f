#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::console::Reader;
use super::*;
use clap::CommandFactory;
use insta::assert_snapshot;
use std::fmt::Write as _;
use std::path::Path;

/// Runs a command line with nobody at the terminal: exit code, what it said, what it remarked.
fn called(line: &[&str]) -> (u8, String, String) {
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

fn written(dir: &Path) -> (String, String) {
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
