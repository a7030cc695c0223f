//! The floors of the house (docs/architecture.md), held by reading the sources: who may name whom.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use Crates::{AllBut, Only};

type Names = &'static [&'static str];

/// What the files under one folder may name.
struct Floor {
    /// Begin of the path of its files.
    place: &'static str,
    /// Modules of ours it may name as `crate::x`, its own apart.
    may: Names,
    /// Modules whose types and traits it may name (`redemption::Peer`), but nothing that lies deeper.
    may_types_of: Names,
    crates: Crates,
}

/// Crates that a floor may name as `x::`.
enum Crates {
    Only(Names),
    AllBut(Names),
}

const ALL: &[&str] =
    &["domain", "net", "config", "fault", "store", "sms", "redemption", "engine", "http", "workers", "app", "cli"];

/// Pure crates; the last line is for tests and embedded data.
const PURE: &[&str] = &[
    "aws_lc_rs",
    "chrono",
    "chrono_tz",
    "phonenumber",
    "serde",
    "strsim",
    "thiserror",
    "unicode_normalization",
    "insta",
    "proptest",
    "serde_json",
    "toml",
];

const DATABASE: &[&str] = &["codewell_entity", "codewell_migration", "sea_orm", "sqlx"];
const DOORLESS: &[&str] = &["axum", "codewell_entity", "codewell_migration", "sea_orm", "sqlx"];

const fn floor(place: &'static str, may: Names, may_types_of: Names, crates: Crates) -> Floor {
    Floor { place, may, may_types_of, crates }
}

#[rustfmt::skip]
const FLOORS: &[Floor] = &[
    floor("src/domain",     &[],                                     &[],                    Only(PURE)),
    floor("src/net",        &["domain"],                             &[],                    AllBut(DOORLESS)),
    floor("src/config",     &["domain"],                             &[],                    AllBut(DOORLESS)),
    floor("src/fault",      &[],                                     &[],                    AllBut(DOORLESS)),
    floor("src/store",      &["domain", "fault"],                    &[],                    AllBut(&["axum"])),
    floor("src/sms",        &["domain", "net", "fault"],             &[],                    AllBut(DATABASE)),
    floor("src/redemption", &["domain", "net", "fault"],             &[],                    AllBut(DATABASE)),
    floor("src/engine",     &["domain", "store", "fault"],           &["redemption"],        AllBut(DOORLESS)),
    floor("src/http",       &["domain", "engine", "config", "fault"], &["sms", "redemption"], AllBut(DATABASE)),
    floor("src/workers",    &["domain", "engine", "config", "fault"], &["sms", "redemption", "net"], AllBut(DATABASE)),
    floor("src/app",        ALL,                                     &[],                    AllBut(&[])),
    floor("src/cli",        ALL,                                     &[],                    AllBut(&[])),
    floor("src/lib.rs",     ALL,                                     &[],                    AllBut(&[])),
    floor("src/main.rs",    ALL,                                     &[],                    AllBut(&[])),
    floor("entity/src",     &[],                                     &[],                    Only(&["chrono", "sea_orm", "serde"])),
    floor("migration/src",  &[],                                     &[],                    Only(&["async_trait", "sea_orm", "sea_orm_migration"])),
];

/// Files above 400 lines, with their length. This list may only shrink.
const LONG: &[(&str, usize)] = &[];
const LONGEST: usize = 400;

/// Every breach of the floors in one file. `known` are the crates of the workspace; without a floor nothing may be.
fn breaches(path: &str, text: &str, known: &BTreeSet<String>) -> Vec<String> {
    let under = |place: &str| path == place || path == format!("{place}.rs") || path.starts_with(&format!("{place}/"));
    let Some(floor) = FLOORS.iter().find(|floor| under(floor.place)) else {
        return vec![format!("{path}: on no floor of tests/house_rules.rs")];
    };
    let own = floor.place.rsplit('/').next().unwrap_or_default();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let mut complain = |what: String| found.push(format!("{path}:{}: {what}", number + 1));
        for (head, tail) in paths(code) {
            let name: String = tail.chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect();
            if head == "crate" && tail.starts_with('{') && floor.place.starts_with("src/") {
                complain("name floors one by one, not as crate::{…}".to_owned());
            } else if head == "crate" && ALL.contains(&name.as_str()) && name != own {
                let deeper = tail.get(name.len()..).unwrap_or_default().trim_start_matches("::");
                let only_types = deeper.starts_with(|sign: char| sign.is_uppercase() || sign == '{');
                let may_type = only_types && floor.may_types_of.contains(&name.as_str());
                if !floor.may.contains(&name.as_str()) && !may_type {
                    complain(format!("{own} may not name crate::{name}"));
                }
            } else if known.contains(head) && !floor.crates.allow(head) {
                complain(format!("{} may not name {head}::", floor.place));
            }
        }
    }
    found
}

impl Crates {
    fn allow(&self, name: &str) -> bool {
        match self {
            Only(names) => names.contains(&name),
            AllBut(names) => !names.contains(&name),
        }
    }
}

/// Every `x::rest` of a line at which a path begins, as (x, rest).
fn paths(code: &str) -> Vec<(&str, &str)> {
    let begins = code.match_indices("::").map(|(at, _)| code.split_at(at));
    let named = begins.map(|(before, after)| {
        let head = before.rsplit(|sign: char| !sign.is_alphanumeric() && sign != '_').next().unwrap_or_default();
        let earlier = before.strip_suffix(head).unwrap_or_default();
        (head, after.trim_start_matches("::"), earlier.ends_with("::"))
    });
    named.filter(|(head, _, inner)| !head.is_empty() && !inner).map(|(head, tail, _)| (head, tail)).collect()
}

/// All sources of ours as (path from the root, text).
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> =
        ["src", "entity", "migration", "tests", "benches", "examples"].map(|folder| root.join(folder)).into();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
                let path = path.strip_prefix(root).expect("below the root");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}

/// Crates named in the manifests, spelled as in code.
fn crates() -> BTreeSet<String> {
    let manifests = ["Cargo.toml", "entity/Cargo.toml", "migration/Cargo.toml"];
    let mut names = BTreeSet::new();
    for manifest in manifests {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest);
        let text = std::fs::read_to_string(path).expect("a manifest");
        let table: toml::Table = text.parse().expect("a manifest is TOML");
        for section in ["dependencies", "dev-dependencies"] {
            let section = table.get(section).and_then(toml::Value::as_table);
            names.extend(section.into_iter().flat_map(|section| section.keys()).map(|name| name.replace('-', "_")));
        }
    }
    names
}

#[test]
fn no_floor_names_what_lies_above_it() {
    let known = crates();
    let ours = |path: &str| path.starts_with("src/") || path.contains("/src/");
    let sources = sources();
    assert!(sources.iter().any(|(path, _)| path == "src/lib.rs"), "the sources were not found");
    let found: Vec<_> =
        sources.iter().filter(|(path, _)| ours(path)).flat_map(|(path, text)| breaches(path, text, &known)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_are_short_and_the_list_of_long_ones_only_shrinks() {
    let mut wrong = Vec::new();
    let sources = sources();
    for (path, text) in &sources {
        let lines = text.lines().count();
        let listed = LONG.iter().find(|(long, _)| long == path).map(|(_, lines)| *lines);
        if lines > listed.unwrap_or(LONGEST) {
            wrong.push(format!("{path}: {lines} lines; split it"));
        } else if listed.is_some_and(|listed| lines < listed) {
            wrong.push(format!("{path}: now {lines} lines; say so in LONG, or leave it out below {LONGEST}"));
        }
    }
    let gone = LONG.iter().filter(|(long, _)| !sources.iter().any(|(path, _)| path == long));
    wrong.extend(gone.map(|(long, _)| format!("{long} is gone; take it out of LONG")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_planted_breach_is_found_and_a_comment_is_none() {
    let known = crates();
    for (path, line, expected) in [
        ("src/domain/code.rs", "use sea_orm::Value;", 1),
        ("src/domain/code.rs", "use tokio::time::Instant;", 1),
        ("src/domain/code.rs", "fn draw(rng: &mut crate::net::Client) {}", 1),
        ("src/domain/code.rs", "use crate::domain::pattern::Pattern; // not sea_orm::Value", 0),
        ("src/domain.rs", "use crate::store::read;", 1),
        ("src/engine/issue.rs", "use crate::sms::Authentic;", 1),
        ("src/engine/issue.rs", "use crate::redemption::Peer;", 0),
        ("src/engine/issue.rs", "use crate::redemption::voucherify::Client;", 1),
        ("src/engine/issue.rs", "use crate::{domain, http};", 1),
        ("src/http/till/redeem.rs", "let row = codewell_entity::issuance::Entity::find();", 1),
        ("src/http/till/redeem.rs", "use crate::http::problem::Json;", 0),
        ("src/store/batch.rs", "crate::fault!(\"after_locks\");", 0),
        ("src/app.rs", "use crate::store::Store; use axum::Router;", 0),
        ("src/attic/dust.rs", "", 1),
        ("migration/src/m0001.rs", "use codewell_entity::pool;", 1),
    ] {
        let found = breaches(path, line, &known);
        assert_eq!(found.len(), expected, "{path}: {line}: {found:?}");
    }
}
