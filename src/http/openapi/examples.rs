//! Bodies to show, put together from the examples of their members, and schemas as OpenAPI 3.1 wants them.

use serde_json::{Map, Value, json};

/// Schemas nest no deeper than this.
const DEPTH: usize = 8;

/// Where the body of a form stands in an operation.
const FORM: &str = "/requestBody/content/application~1x-www-form-urlencoded";

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Only what somebody gave an example for, or must be there.
    Request,
    /// Everything.
    Answer,
}

/// Gives every body of every operation that is JSON, and every form, an example.
pub(super) fn add(document: &mut Value) {
    let whole = document.clone();
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    for operation in operations {
        for body in ["/requestBody/content/application~1json", FORM] {
            if let Some(body) = operation.pointer_mut(body) {
                fill(&whole, body, Side::Request);
            }
        }
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for response in responses.into_iter().flat_map(Map::values_mut) {
            if let Some(body) = response.pointer_mut("/content/application~1json") {
                fill(&whole, body, Side::Answer);
            }
        }
    }
}

fn fill(whole: &Value, body: &mut Value, side: Side) {
    if body.get("example").is_some() || body.get("examples").is_some() {
        return;
    }
    let example = body.get("schema").and_then(|schema| of(whole, schema, side, DEPTH));
    if let (Some(example), Some(body)) = (example, body.as_object_mut()) {
        body.insert("example".to_owned(), example);
    }
}

/// An example of a schema; nothing where a request may leave it out.
fn of(whole: &Value, schema: &Value, side: Side, depth: usize) -> Option<Value> {
    if depth == 0 {
        return None;
    }
    if let Some(example) = schema.pointer("/examples/0") {
        return Some(example.clone());
    }
    let inner = |schema: &Value| of(whole, schema, side, depth - 1);
    if let Some(place) = schema.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix('#')) {
        return whole.pointer(place).and_then(inner);
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
        let parts = all.iter().filter_map(inner).filter_map(|part| part.as_object().cloned());
        return Some(Value::Object(parts.flatten().collect()));
    }
    if let Some(one) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        return one.iter().find_map(inner);
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let needed = schema.get("required").and_then(Value::as_array);
        let is_needed = |name: &str| needed.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
        let members = properties.iter().filter_map(|(name, member)| {
            let has_own = member.get("examples").is_some() || member.get("$ref").is_some();
            let shows = side == Side::Answer || is_needed(name) || has_own;
            shows.then(|| inner(member).map(|value| (name.clone(), value))).flatten()
        });
        return Some(Value::Object(members.collect()));
    }
    plain(schema, inner)
}

fn plain(schema: &Value, inner: impl Fn(&Value) -> Option<Value>) -> Option<Value> {
    if let Some(first) = schema.pointer("/enum/0").or_else(|| schema.get("const")) {
        return Some(first.clone());
    }
    let kind = schema.get("type")?;
    let words = kind.as_array().map_or(std::slice::from_ref(kind), Vec::as_slice);
    let word = words.iter().filter_map(Value::as_str).find(|word| *word != "null")?;
    match (word, schema.get("format").and_then(Value::as_str)) {
        ("string", Some("date-time")) => Some(json!("2026-11-28T18:00:00Z")),
        ("string", Some("date")) => Some(json!("2026-11-28")),
        ("string", _) => Some(json!("…")),
        ("integer" | "number", _) => Some(schema.get("minimum").cloned().unwrap_or(json!(0))),
        ("boolean", _) => Some(json!(false)),
        ("array", _) => Some(Value::Array(schema.get("items").and_then(inner).into_iter().collect())),
        ("object", _) => Some(json!({})),
        _ => None,
    }
}

/// `example` became `examples` in 3.1; and answers (`…Out`) leave out what they do not have, they never say `null`.
pub(super) fn tidy(document: &mut Value) {
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (name, schema) in schemas.into_iter().flatten() {
        modernise(schema);
        if name.ends_with("Out") {
            never_null(schema);
        }
    }
}

fn modernise(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(example) = members.remove("example") {
                members.insert("examples".to_owned(), json!([example]));
            }
            for (_, member) in members.iter_mut().filter(|(name, _)| *name != "examples") {
                modernise(member);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(modernise),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn never_null(schema: &mut Value) {
    let is_null = |word: &Value| word.as_str() == Some("null");
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(words)) = members.get("type") {
                let left: Vec<_> = words.iter().filter(|word| !is_null(word)).cloned().collect();
                if let [only] = left.as_slice() {
                    members.insert("type".to_owned(), only.clone());
                }
            }
            if let Some(Value::Array(all)) = members.get("oneOf") {
                let left: Vec<_> = all.iter().filter(|one| !one.get("type").is_some_and(is_null)).cloned().collect();
                if let (true, [Value::Object(only)]) = (left.len() < all.len(), left.as_slice()) {
                    members.clone_from(only);
                }
            }
            members.values_mut().for_each(never_null);
        }
        Value::Array(all) => all.iter_mut().for_each(never_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
