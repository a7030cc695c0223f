//! What the description says of an operation, and whether an answer keeps to it.

use super::asked::Answer;
use super::schema::faults;
use serde_json::Value;
use std::collections::BTreeMap;

/// One operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    /// Each as it is described.
    pub(super) parameters: Vec<Value>,
    /// How the body is written.
    pub(super) media: String,
    /// The schema of a body.
    pub(super) body: Option<Value>,
    /// A body that is right.
    pub(super) example: Option<Value>,
    /// Schemes with their scopes; one of them is enough.
    pub(super) security: Vec<(String, Vec<String>)>,
}

/// The whole description.
#[derive(Debug)]
pub(super) struct Description {
    document: Value,
    operations: Vec<Operation>,
    /// By operation and status: the media types of the body with their schemas; none where it has none.
    answers: BTreeMap<(String, u16), Vec<(String, Value)>>,
}

impl Description {
    pub(super) fn of(document: &Value) -> Self {
        let (mut operations, mut answers) = (Vec::new(), BTreeMap::new());
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, one) in item.as_object().unwrap() {
                let operation = operation(path, method, one);
                for (status, response) in one["responses"].as_object().unwrap() {
                    let key = (operation.id.clone(), status.parse().unwrap());
                    answers.insert(key, content(response));
                }
                operations.push(operation);
            }
        }
        Self { document: document.clone(), operations, answers }
    }

    pub(super) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What a reference leads to.
    pub(super) fn follow<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix('#')) {
            Some(place) => self.document.pointer(place).unwrap(),
            None => schema,
        }
    }

    /// Whether an answer is one that is described.
    pub(super) fn check(&self, operation: &Operation, answer: &Answer) -> Result<(), String> {
        let (id, status) = (&operation.id, answer.status);
        if status >= 500 {
            return Err(format!("{id} answers {status}"));
        }
        let Some(described) = self.answers.get(&(id.clone(), status)) else {
            return Err(format!("{id} answers {status}, which is not described"));
        };
        if described.is_empty() {
            return if answer.body.is_empty() { Ok(()) } else { Err(format!("{id}: {status} has a body")) };
        }
        let Some((media, schema)) = described.iter().find(|(media, _)| answer.media.starts_with(media.as_str())) else {
            return Err(format!("{id}: {status} is {:?}, which is not described", answer.media));
        };
        if !["application/json", "application/problem+json"].contains(&media.as_str()) {
            return Ok(());
        }
        let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("{id}: {status}: {error}"))?;
        let wrong = faults(&self.document, schema, &body);
        if wrong.is_empty() { Ok(()) } else { Err(format!("{id}: {status} is not as described: {}", wrong.join("; "))) }
    }
}

fn operation(path: &str, method: &str, one: &Value) -> Operation {
    let body = one.pointer("/requestBody/content").and_then(Value::as_object).and_then(|all| all.iter().next());
    let security = one.get("security").and_then(Value::as_array).into_iter().flatten();
    let words =
        |scopes: &Value| scopes.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
    Operation {
        id: one["operationId"].as_str().unwrap().to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        parameters: one.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default(),
        media: body.map(|(media, _)| media.clone()).unwrap_or_default(),
        body: body.and_then(|(_, body)| body.get("schema")).cloned(),
        example: body.and_then(|(_, body)| body.get("example")).cloned(),
        security: security
            .flat_map(|one| one.as_object().unwrap())
            .map(|(scheme, scopes)| (scheme.clone(), words(scopes)))
            .collect(),
    }
}

/// The media types and the schemas of an answer's body.
fn content(response: &Value) -> Vec<(String, Value)> {
    let content = response.get("content").and_then(Value::as_object).into_iter().flatten();
    content.map(|(media, body)| (media.clone(), body["schema"].clone())).collect()
}
