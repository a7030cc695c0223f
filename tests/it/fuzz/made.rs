//! Requests made from schemas: right ones, and ones that are wrong in one way.

use super::asked::{ACCOUNTS, Answer, Asked, Token};
use super::described::{Description, Operation};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Values of one name that are kept.
const KEPT: usize = 50;

/// Makes requests, and remembers names that answers gave.
#[derive(Debug)]
pub(super) struct Maker {
    state: u64,
    /// What members and parameters of that name may hold: codes, ids, campaigns.
    known: BTreeMap<String, Vec<Value>>,
    keys: u64,
}

/// How a request is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twist {
    /// It is right.
    None,
    /// Another body than the schema allows.
    Body,
    /// No JSON at all.
    Bytes,
    /// A parameter is left out or odd.
    Parameters,
    /// No token, a strange one, or one of another scope.
    Token,
}

const TWISTS: [Twist; 10] = [
    Twist::None,
    Twist::None,
    Twist::None,
    Twist::None,
    Twist::None,
    Twist::Body,
    Twist::Body,
    Twist::Parameters,
    Twist::Token,
    Twist::Bytes,
];

/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// Texts that break what was not thought of.
const ODD: [&str; 14] = [
    "",
    " ",
    "\u{0}",
    "a\u{0}b",
    "'; DROP TABLE issuance; --",
    "%00",
    "../../etc/passwd",
    "\u{202e}evil",
    "\u{1f355}\u{fe0f}",
    "ß",
    "-1",
    "NULL",
    "{{7*7}}",
    "+1202555012345678901234567890",
];

impl Maker {
    pub(super) fn new(seed: u64, known: BTreeMap<String, Vec<Value>>) -> Self {
        Self { state: seed, known, keys: 0 }
    }

    /// The next number below that (splitmix64: small, and the same everywhere).
    fn below(&mut self, most: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((word ^ (word >> 31)) % most.max(1) as u64).unwrap()
    }

    /// A request of an operation; the first of each is the example of the description with what is known here.
    pub(super) fn request(&mut self, description: &Description, operation: &Operation, round: usize) -> Asked {
        let twist = if round == 0 { Twist::None } else { TWISTS[self.below(TWISTS.len())] };
        let mut asked = Asked::new(&operation.method, self.token(operation, twist));
        let mut path = operation.path.clone();
        let mut query = Vec::new();
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap();
            let is_odd = twist == Twist::Parameters && self.below(2) == 0;
            let is_needed = parameter["required"] == json!(true);
            if parameter["in"] != json!("path")
                && ((is_odd && self.below(2) == 0) || (!is_needed && self.below(2) == 0))
            {
                continue;
            }
            let shown = parameter.get("example").filter(|_| round == 0 && name != "Idempotency-Key");
            let value = match shown {
                Some(shown) => shown.clone(),
                None if is_odd => json!(self.odd()),
                None => self.parameter(description, operation, parameter),
            };
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match parameter["in"].as_str().unwrap() {
                "path" => path = path.replace(&format!("{{{name}}}"), &encoded(&value)),
                "query" => query.push(format!("{name}={}", encoded(&value))),
                _ => asked.header(name, &value),
            }
        }
        asked.path = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        if let Some(schema) = &operation.body {
            self.fill(&mut asked, description, (schema, operation), (twist, round));
        }
        asked
    }

    fn fill(
        &mut self,
        asked: &mut Asked,
        description: &Description,
        (schema, operation): (&Value, &Operation),
        (twist, round): (Twist, usize),
    ) {
        let mut body = match &operation.example {
            Some(example) if round == 0 || self.below(8) == 0 => self.recalled(example.clone()),
            _ => self.value(description, schema, "", 0),
        };
        if twist == Twist::Body {
            self.spoil(&mut body);
        }
        asked.body = if twist == Twist::Bytes {
            [&b"{"[..], b"[]", b"\"", b"\xff\xfe", b"{\"a\":1}{", b""][self.below(6)].to_vec()
        } else if operation.media == FORM {
            form(&body).into_bytes()
        } else {
            body.to_string().into_bytes()
        };
        let is_strange = twist == Twist::Bytes && self.below(3) == 0;
        asked.header("content-type", if is_strange { "text/plain" } else { operation.media.as_str() });
    }

    fn token(&mut self, operation: &Operation, twist: Twist) -> Token {
        let Some((scheme, scopes)) = operation.security.first() else { return Token::None };
        match (twist, self.below(3)) {
            (Twist::Token, 0) => Token::None,
            (Twist::Token, 1) => Token::Strange(self.odd().replace(|sign: char| !sign.is_ascii_graphic(), "x")),
            (Twist::Token, _) => Token::Without(scheme.clone(), scopes.clone()),
            _ if scheme == "partner" && self.below(8) == 0 => Token::Sandbox(scopes.clone()),
            _ => Token::Good(scheme.clone(), scopes.clone()),
        }
    }

    fn parameter(&mut self, description: &Description, operation: &Operation, parameter: &Value) -> Value {
        let name = parameter["name"].as_str().unwrap();
        if name == "Idempotency-Key" {
            // A quarter are keys that were used.
            if self.below(4) != 0 {
                self.keys += 1;
            }
            return json!(format!("key-{}", self.keys));
        }
        let place = place(&operation.path);
        let known = self.recall(name).or_else(|| if name == "id" { self.recall(&place) } else { None });
        match (known, self.below(4)) {
            (Some(known), 1..) => known,
            _ => self.value(description, &parameter["schema"], name, 0),
        }
    }

    fn recall(&mut self, name: &str) -> Option<Value> {
        let most = self.known.get(name).map_or(0, Vec::len);
        let at = self.below(most);
        self.known.get(name).and_then(|all| all.get(at)).cloned()
    }

    /// The example, with what exists here in the place of its names.
    fn recalled(&mut self, example: Value) -> Value {
        match example {
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| {
                    let known = if value.is_string() { self.recall(&name) } else { None };
                    let value = known.unwrap_or_else(|| self.recalled(value));
                    (name, value)
                });
                Value::Object(members.collect())
            }
            Value::Array(all) => Value::Array(all.into_iter().map(|one| self.recalled(one)).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => example,
        }
    }

    /// A value that a schema allows.
    fn value(&mut self, description: &Description, schema: &Value, name: &str, depth: usize) -> Value {
        let schema = description.follow(schema);
        if let Some(known) = self.recall(name)
            && self.below(4) != 0
        {
            return known;
        }
        if let Some(all) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
            let chosen = self.below(all.len());
            return self.value(description, &all[chosen], "", depth);
        }
        if let Some(all) = schema["allOf"].as_array() {
            let parts: Vec<Value> = all.iter().map(|part| self.value(description, part, "", depth)).collect();
            return Value::Object(parts.into_iter().filter_map(|part| part.as_object().cloned()).flatten().collect());
        }
        if let Some(example) = schema.pointer("/examples/0")
            && self.below(2) == 0
        {
            return example.clone();
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[self.below(words.len())].clone();
        }
        if let Some(properties) = schema["properties"].as_object() {
            return self.object(description, schema, properties, depth);
        }
        self.plain(description, schema, depth)
    }

    fn object(
        &mut self,
        description: &Description,
        schema: &Value,
        properties: &Map<String, Value>,
        depth: usize,
    ) -> Value {
        let needed = schema["required"].as_array().cloned().unwrap_or_default();
        let mut object = Map::new();
        for (name, member) in properties {
            if needed.contains(&json!(name)) || (depth < 5 && self.below(3) == 0) {
                object.insert(name.clone(), self.value(description, member, name, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn plain(&mut self, description: &Description, schema: &Value, depth: usize) -> Value {
        let words: Vec<&str> = match &schema["type"] {
            Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
            Value::String(word) => vec![word],
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec!["object"],
        };
        match words[self.below(words.len())] {
            "null" => Value::Null,
            "boolean" => json!(self.below(2) == 0),
            "integer" | "number" => {
                let least = schema["minimum"].as_i64().unwrap_or(-1_000);
                let most = schema["maximum"].as_i64().unwrap_or(1_000_000);
                let span = usize::try_from(most.saturating_sub(least)).unwrap_or(usize::MAX).min(1_000_000);
                json!(least + i64::try_from(self.below(span + 1)).unwrap())
            }
            "array" => {
                let n = self.below(4).max(usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap());
                Value::Array((0..n).map(|_| self.value(description, &schema["items"], "", depth + 1)).collect())
            }
            "object" => json!({}),
            _ => self.text(schema),
        }
    }

    fn text(&mut self, schema: &Value) -> Value {
        match schema["format"].as_str() {
            Some("date-time") => return json!("2026-11-20T16:00:00Z"),
            Some("date") => return json!(format!("2026-11-{:02}", 1 + self.below(30))),
            Some("uri") => return json!("https://partner.example/hook"),
            _ => {}
        }
        let least = usize::try_from(schema["minLength"].as_u64().unwrap_or(0)).unwrap();
        let most = usize::try_from(schema["maxLength"].as_u64().unwrap_or(40)).unwrap();
        let length = least + self.below(most - least + 1);
        let signs = b"ABCXYZabcxyz0123456789";
        let text: String = (0..length).map(|_| char::from(signs[self.below(signs.len())])).collect();
        json!(text)
    }

    fn odd(&mut self) -> String {
        match self.below(ODD.len() + 1) {
            at if at < ODD.len() => ODD[at].to_owned(),
            _ => "x".repeat(300 + self.below(3_000)),
        }
    }

    /// Makes one member wrong: gone, another type, odd, or one too many.
    fn spoil(&mut self, body: &mut Value) {
        let oddities = [
            json!(null),
            json!(-1),
            json!(i64::MIN),
            json!(1e300),
            json!(u64::MAX),
            json!([]),
            json!({}),
            json!([[[[[1]]]]]),
            json!(true),
            json!(self.odd()),
            json!(self.odd()),
        ];
        let odd = oddities[self.below(oddities.len())].clone();
        let Some(object) = body.as_object_mut().filter(|object| !object.is_empty()) else {
            *body = odd;
            return;
        };
        let names: Vec<String> = object.keys().cloned().collect();
        let name = &names[self.below(names.len())];
        match self.below(5) {
            0 => drop(object.remove(name)),
            1 => drop(object.insert("surplus".to_owned(), odd)),
            2 if object[name].is_object() => self.spoil(&mut object[name]),
            _ => drop(object.insert(name.clone(), odd)),
        }
    }

    /// Remembers names that a good answer gave.
    pub(super) fn learn(&mut self, operation: &Operation, answer: &Answer) {
        let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else { return };
        self.keep(&place(&operation.path), &body);
    }

    fn keep(&mut self, place: &str, body: &Value) {
        match body {
            Value::Object(members) => {
                for (name, value) in members {
                    let key = match name.as_str() {
                        "id" => place.to_owned(),
                        "redemption_id" => "redemptions".to_owned(),
                        // Those that the other operations are asked with keep what they may do.
                        "client_id" if ACCOUNTS.iter().any(|one| value == one) => continue,
                        "code" | "campaign" | "client_id" | "handle" => name.clone(),
                        _ => {
                            self.keep(place, value);
                            continue;
                        }
                    };
                    let all = self.known.entry(key).or_default();
                    if value.is_string() && !all.contains(value) && all.len() < KEPT {
                        all.push(value.clone());
                    }
                }
            }
            Value::Array(all) => all.iter().for_each(|one| self.keep(place, one)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// The collection that a path speaks of: `issuances` of `/v1/issuances/{id}`.
fn place(path: &str) -> String {
    let mut before = "";
    for part in path.split('/') {
        if part.starts_with('{') {
            return before.to_owned();
        }
        before = part;
    }
    before.to_owned()
}

/// An object as the fields of a form.
fn form(body: &Value) -> String {
    let fields = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let fields = fields.map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A value as it stands in an address.
fn encoded(value: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    value.bytes().map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
