//! Whether a JSON value is as a schema says: the part of JSON Schema 2020-12 that our description uses. A keyword that
//! is not known here is a mistake of the test, so that nothing is passed over in silence.

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Value};

/// Keywords that say nothing about a value.
const WORDS: [&str; 8] =
    ["$ref", "description", "title", "examples", "default", "writeOnly", "readOnly", "contentMediaType"];

/// Everything about `value` that is not as `schema` says, with its place.
pub(super) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else {
        if schema == &Value::Bool(false) {
            found.push(format!("{at}: nothing is allowed here"));
        }
        return;
    };
    if let Some(place) = rules.get("$ref").and_then(Value::as_str) {
        let place = place.strip_prefix('#').unwrap();
        check(document, document.pointer(place).unwrap(), value, at, found);
    }
    for (keyword, rule) in rules {
        let holds = match keyword.as_str() {
            "allOf" => {
                rule.as_array().unwrap().iter().for_each(|one| check(document, one, value, at, found));
                true
            }
            "oneOf" => matching(document, rule, value) == 1,
            "anyOf" => matching(document, rule, value) >= 1,
            "properties" => {
                for (name, member) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(name) {
                        check(document, member, inner, &format!("{at}/{name}"), found);
                    }
                }
                true
            }
            "items" => {
                for (n, inner) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, rule, inner, &format!("{at}/{n}"), found);
                }
                true
            }
            "additionalProperties" => {
                others(document, rules, rule, value, at, found);
                true
            }
            _ => holds(keyword, rule, value),
        };
        if !holds {
            let shown: String = value.to_string().chars().take(200).collect();
            found.push(format!("{at}: {keyword} {rule} does not hold for {shown}"));
        }
    }
}

fn matching(document: &Value, all: &Value, value: &Value) -> usize {
    all.as_array().unwrap().iter().filter(|one| faults(document, one, value).is_empty()).count()
}

fn others(
    document: &Value,
    rules: &Map<String, Value>,
    rule: &Value,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        if rules.get("properties").and_then(|all| all.get(name)).is_none() {
            check(document, rule, inner, &format!("{at}/{name}"), found);
        }
    }
}

/// A rule about the value alone; one about another type holds.
fn holds(keyword: &str, rule: &Value, value: &Value) -> bool {
    let length = |least: bool, n: Option<usize>| {
        let bound = usize::try_from(rule.as_u64().unwrap()).unwrap();
        n.is_none_or(|n| if least { n >= bound } else { n <= bound })
    };
    let text = value.as_str();
    match keyword {
        "type" => {
            let all = rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice);
            all.iter().any(|one| is(one.as_str().unwrap(), value))
        }
        "enum" => rule.as_array().unwrap().contains(value),
        "const" => rule == value,
        "required" => {
            let names = rule.as_array().unwrap();
            value.as_object().is_none_or(|object| names.iter().all(|name| object.contains_key(name.as_str().unwrap())))
        }
        "minLength" => length(true, text.map(|text| text.chars().count())),
        "maxLength" => length(false, text.map(|text| text.chars().count())),
        "minItems" => length(true, value.as_array().map(Vec::len)),
        "maxItems" => length(false, value.as_array().map(Vec::len)),
        "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|n| n <= rule.as_f64().unwrap()),
        "format" => text.is_none_or(|text| match rule.as_str().unwrap() {
            "date-time" => DateTime::parse_from_rfc3339(text).is_ok(),
            "date" => text.parse::<NaiveDate>().is_ok(),
            // Of numbers these say how wide they are; addresses are looked at by nobody here.
            "int32" | "int64" | "uri" | "email" | "password" | "binary" => true,
            format => panic!("format {format} is not known to the test"),
        }),
        // Patterns bind requests; what makes the requests reads them as words.
        "pattern" => true,
        keyword => {
            assert!(WORDS.contains(&keyword), "{keyword} is not known to the test");
            true
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        kind => panic!("type {kind} is not known to the test"),
    }
}

#[test]
fn a_value_that_is_not_as_its_schema_says_is_found_with_its_place() {
    let schema = serde_json::json!({
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": { "type": "array", "items": { "$ref": "#/inner" } },
            "b": { "oneOf": [{ "type": "string", "maxLength": 2 }, { "type": "null" }] },
        },
        "additionalProperties": false,
    });
    let document = serde_json::json!({ "inner": { "type": "integer", "minimum": 3 } });
    for (value, place) in [
        (serde_json::json!({ "a": [3, 4], "b": null }), None),
        (serde_json::json!({ "a": [3, 2] }), Some("/a/1")),
        (serde_json::json!({ "a": [], "b": "long" }), Some("/b")),
        (serde_json::json!({ "a": [], "c": 1 }), Some("/c")),
        (serde_json::json!({}), Some("")),
        (serde_json::json!([]), Some("")),
    ] {
        let found = faults(&document, &schema, &value);
        assert_eq!(found.first().map(|one| one.split(':').next().unwrap()), place, "{value}: {found:?}");
    }
}
