#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::domain::feed::FeedKind;
use serde_json::Map;
use std::collections::BTreeSet;

/// Every operation as (method and path, operation).
fn operations() -> Vec<(String, &'static Map<String, Value>)> {
    let paths = document()["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        let item = item.as_object().unwrap().iter();
        item.map(move |(method, operation)| (format!("{method} {path}"), operation.as_object().unwrap()))
    });
    all.collect()
}

#[test]
fn the_committed_description_is_the_one_of_the_code() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let committed = std::fs::read_to_string(file).unwrap_or_default();
    let is_same = committed == text();
    assert!(is_same, "docs/openapi.json is old; run: cargo run -- openapi > docs/openapi.json");
}

#[test]
fn every_operation_has_a_summary_an_id_of_its_own_and_a_group() {
    let mut ids = BTreeSet::new();
    for (name, operation) in operations() {
        assert!(operation["summary"].as_str().is_some_and(|words| !words.is_empty()), "{name}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
        assert!(!operation["responses"].as_object().unwrap().is_empty(), "{name}");
    }
}

#[test]
fn no_operation_is_described_by_the_documentation_of_its_code() {
    for (name, operation) in operations() {
        let words = operation.get("description").and_then(Value::as_str).unwrap_or_default();
        assert!(!words.contains("# Errors"), "{name}: {words}");
    }
}

#[test]
fn every_type_of_event_is_a_webhook_and_every_header_of_it_is_described() {
    let webhooks = document()["webhooks"].as_object().unwrap();
    let words: BTreeSet<&str> = FeedKind::ALL.iter().map(|kind| kind.word()).chain(["test"]).collect();
    assert_eq!(webhooks.keys().map(String::as_str).collect::<BTreeSet<_>>(), words);
    for (word, webhook) in webhooks {
        let post = &webhook["post"];
        let kind = post.pointer("/requestBody/content/application~1json/schema/allOf/1/properties/type/const");
        assert_eq!(kind, Some(&word.as_str().into()));
        for header in post["parameters"].as_array().unwrap() {
            let place = header["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
            assert_eq!(document().pointer(place).unwrap()["in"], "header", "{word}: {place}");
        }
    }
}

#[test]
fn the_guide_for_partners_lists_every_type_of_event() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/partner-api.md")).unwrap();
    for kind in FeedKind::ALL {
        assert!(guide.contains(&format!("`{}`", kind.word())), "docs/partner-api.md has no `{}`", kind.word());
    }
}

#[test]
fn every_error_names_the_codes_that_it_may_carry() {
    for (name, operation) in operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(problem) = response.pointer("/content/application~1problem+json/schema/allOf/1") else { continue };
            let codes = problem.pointer("/properties/code/enum").and_then(Value::as_array).unwrap();
            assert!(!codes.is_empty(), "{name} {status}: no code of problem::CODES stands in its words");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let text = text();
    let named: BTreeSet<&str> =
        text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let known: BTreeSet<&str> = document()
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(named, known);
}

#[test]
fn every_security_of_an_operation_is_a_known_scheme_and_a_known_scope() {
    for (name, operation) in operations() {
        let all = operation.get("security").and_then(Value::as_array).into_iter().flatten();
        for (scheme, scopes) in all.flat_map(|one| one.as_object().unwrap()) {
            let known = document().pointer(&format!("/components/securitySchemes/{scheme}"));
            let known = known.unwrap_or(&Value::Null);
            assert!(known.is_object(), "{name}: {scheme}");
            let offered = known.pointer("/flows/clientCredentials/scopes");
            for scope in scopes.as_array().unwrap() {
                assert!(offered.is_some_and(|all| all.get(scope.as_str().unwrap()).is_some()), "{name}: {scope}");
            }
        }
    }
}
