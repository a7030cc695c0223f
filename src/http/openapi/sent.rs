//! What is sent to partners' endpoints: a webhook for each type of event.

use crate::domain::feed::FeedKind;
use serde_json::{Map, Value, json};

/// The headers of Standard Webhooks: name, an example, what they are for.
const HEADERS: [(&str, &str, &str); 3] = [
    (
        "webhook-id",
        "evt_acme-deals_7",
        "The `id` of the event, the same whenever it is sent again: drop what you have.",
    ),
    ("webhook-timestamp", "1764352800", "When this attempt was made, in seconds since 1970: refuse what is old."),
    (
        "webhook-signature",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` under the endpoint's secret; two of them between \
         blanks for 24 hours after a rotation. One that holds is enough.",
    ),
];

/// Adds them all.
pub(super) fn add(document: &mut Value) {
    let kinds = FeedKind::ALL.iter().map(|kind| (kind.word(), kind.sentence()));
    let all = kinds.chain([("test", "Somebody tries the endpoint out; it stands in no feed.")]);
    let webhooks: Map<_, _> = all.map(|(word, sentence)| (word.to_owned(), webhook(word, sentence))).collect();
    if let Some(document) = document.as_object_mut() {
        document.insert("webhooks".to_owned(), webhooks.into());
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        let header = |(name, example, words): (&str, &str, &str)| {
            let header = json!({
                "name": name, "in": "header", "required": true, "description": words, "example": example,
                "schema": { "type": "string" },
            });
            (name.to_owned(), header)
        };
        components.insert("parameters".to_owned(), HEADERS.into_iter().map(header).collect::<Map<_, _>>().into());
    }
}

fn webhook(word: &str, sentence: &str) -> Value {
    let headers: Vec<_> =
        HEADERS.iter().map(|(name, ..)| json!({ "$ref": format!("#/components/parameters/{name}") })).collect();
    let event = json!({ "allOf": [
        { "$ref": "#/components/schemas/EventOut" },
        { "properties": { "type": { "const": word } } },
    ] });
    json!({ "post": {
        "tags": ["partners"],
        "operationId": format!("on_{word}"),
        "summary": sentence,
        "parameters": headers,
        "requestBody": { "required": true, "content": { "application/json": { "schema": event } } },
        "responses": {
            "2XX": { "description": "It is taken" },
            "410": { "description": "Nothing is to be sent there any more: the endpoint is disabled" },
            "default": { "description": "It is sent again: ten times over three days" },
        },
    } })
}
