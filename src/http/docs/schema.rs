//! A JSON schema, flattened to the rows of a table.

use crate::http::web::docs::{FieldView, pieces};
use serde_json::{Map, Value};

/// Schemas nest no deeper than this.
const DEPTH: usize = 6;

/// The members of an object's schema, inner ones by their path.
pub(super) fn fields(document: &Value, schema: &Value) -> Vec<FieldView> {
    let mut found = Vec::new();
    collect(document, schema, "", DEPTH, &mut found);
    found
}

fn collect(document: &Value, schema: &Value, above: &str, depth: usize, found: &mut Vec<FieldView>) {
    let schema = follow(document, schema);
    if depth == 0 {
        return;
    }
    for part in ["allOf", "oneOf", "anyOf"] {
        for inner in schema.get(part).and_then(Value::as_array).into_iter().flatten() {
            collect(document, inner, above, depth - 1, found);
        }
    }
    if let Some(items) = schema.get("items") {
        collect(document, items, &format!("{above}[]"), depth - 1, found);
    }
    let needed: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let words = member.get("description").or_else(|| follow(document, member).get("description"));
        found.push(FieldView {
            name: path.clone(),
            kind: kind(document, member),
            needed: if needed.contains(&name.as_str()) { "required".to_owned() } else { String::new() },
            words: pieces(words.and_then(Value::as_str).unwrap_or_default()),
        });
        collect(document, member, &path, depth - 1, found);
    }
}

/// What a value is, in words: "text, 1 to 100 characters".
pub(super) fn kind(document: &Value, schema: &Value) -> String {
    let schema = follow(document, schema);
    if let Some(one) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        let real: Vec<_> = one.iter().filter(|one| one.get("type").and_then(Value::as_str) != Some("null")).collect();
        return match real.as_slice() {
            [single] => kind(document, single),
            _ => "one of these".to_owned(),
        };
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        return words.join(" · ");
    }
    let word = match (kind_word(schema), schema.get("format").and_then(Value::as_str)) {
        ("string", Some("date-time")) => "time",
        ("string", Some("date")) => "date",
        ("string", _) => "text",
        ("array", _) => "list",
        ("integer", _) => "whole number",
        ("boolean", _) => "yes or no",
        (other, _) => other,
    };
    let bounds = |least: &str, most: &str, unit: &str| {
        let bound = |name| schema.get(name).and_then(Value::as_i64);
        match (bound(least), bound(most)) {
            (Some(least), Some(most)) => format!(", {least} to {most}{unit}"),
            (Some(least), None) => format!(", {least}{unit} or more"),
            (None, Some(most)) => format!(", at most {most}{unit}"),
            (None, None) => String::new(),
        }
    };
    let size = match kind_word(schema) {
        "string" => bounds("minLength", "maxLength", " characters"),
        "array" => bounds("minItems", "maxItems", ""),
        _ => bounds("minimum", "maximum", ""),
    };
    format!("{word}{size}")
}

/// The word of the type; the first that is not `null` where there are several.
fn kind_word(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(word)) => word,
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).find(|word| *word != "null").unwrap_or(""),
        _ if schema.get("properties").and_then(Value::as_object).is_some_and(|all: &Map<_, _>| !all.is_empty()) => {
            "object"
        }
        _ => "",
    }
}

/// What a reference leads to.
fn follow<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let place = schema.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(schema)
}
