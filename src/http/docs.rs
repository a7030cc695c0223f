//! `GET /docs`: the description of the API as a page, made from the description itself.

mod schema;

use super::web::docs::{AnswerView, DocsView, FieldView, GroupView, OperationView, SchemeView, Surroundings, pieces};
use super::{Site, openapi, web};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use utoipa::OpenApi;

/// The description of this route.
#[derive(OpenApi)]
#[openapi(paths(show_docs))]
pub(super) struct Api;

/// `GET /docs`: this page.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "machines",
    summary = "Read about the API",
    responses((status = 200, description = "The page that describes this API", body = String, content_type = "text/html"))
)]
pub(super) async fn show_docs(State(site): State<Site>) -> Response {
    let surroundings = if site.simulator.is_some() { Surroundings::Demo } else { Surroundings::Bare };
    let base = &site.engine.parts().public_url;
    web::page(StatusCode::OK, &view(openapi::document(), base, surroundings))
}

/// Where the body of a form stands in an operation.
const FORM: &str = "/requestBody/content/application~1x-www-form-urlencoded";

fn view(document: &Value, base: &str, surroundings: Surroundings) -> DocsView {
    let info = |name: &str| document.pointer(&format!("/info/{name}")).and_then(Value::as_str).unwrap_or_default();
    let tags = document.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    DocsView {
        surroundings,
        version: info("version").to_owned(),
        paragraphs: info("description").split("\n\n").map(pieces).collect(),
        schemes: schemes(document),
        groups: tags.iter().filter_map(|tag| group(document, base, tag)).collect(),
    }
}

fn schemes(document: &Value) -> Vec<SchemeView> {
    let all = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    let scheme = |(name, scheme): (&String, &Value)| {
        let scopes = scheme.pointer("/flows/clientCredentials/scopes").and_then(Value::as_object);
        let scope = |(name, words): (&String, &Value)| (name.clone(), words.as_str().unwrap_or_default().to_owned());
        SchemeView {
            name: capital(&name.replace('_', " ")),
            words: pieces(text(scheme, "description")),
            scopes: scopes.into_iter().flatten().map(scope).collect(),
        }
    };
    all.into_iter().flatten().map(scheme).collect()
}

fn group(document: &Value, base: &str, tag: &Value) -> Option<GroupView> {
    let name = text(tag, "name");
    let paths = document.get("paths")?.as_object()?.iter();
    let operations = paths.flat_map(|(path, item)| {
        let item = item.as_object().into_iter().flatten();
        item.map(move |(method, operation)| (path, method, operation))
    });
    let own = operations.filter(|(_, _, one)| one.pointer("/tags/0").and_then(Value::as_str) == Some(name));
    Some(GroupView {
        name: name.to_owned(),
        title: capital(name),
        words: pieces(text(tag, "description")),
        operations: own.map(|(path, method, one)| operation(document, base, (path, method), one)).collect(),
    })
}

fn operation(document: &Value, base: &str, (path, method): (&str, &str), one: &Value) -> OperationView {
    let body = one.pointer("/requestBody/content/application~1json").or_else(|| one.pointer(FORM));
    let good = answers(document, one);
    OperationView {
        id: text(one, "operationId").to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(one, "summary").trim_end_matches('.').to_owned(),
        description: pieces(text(one, "description")),
        callers: pieces(&callers(one)),
        parameters: parameters(document, one),
        body: body.and_then(|body| body.get("schema")).map(|it| schema::fields(document, it)).unwrap_or_default(),
        curl: curl(base, (path, method), one),
        example: example(one),
        answers: good,
    }
}

fn callers(one: &Value) -> String {
    let all = one.get("security").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let caller = |(scheme, scopes): (&String, &Value)| {
        let scopes: Vec<_> = scopes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let who = match scheme.as_str() {
            openapi::TILL_KEY => "a till, with its key",
            openapi::ADMIN_KEY => "the house, with an admin key",
            openapi::CLIENT_SECRET => "a partner, with its client secret or a signed assertion",
            _ => "a partner, with its token",
        };
        let scopes = scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(", ");
        if scopes.is_empty() { who.to_owned() } else { format!("{who} for {scopes}") }
    };
    all.flatten().map(caller).collect::<Vec<_>>().join("; ")
}

fn parameters(document: &Value, one: &Value) -> Vec<FieldView> {
    let all = one.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let field = |parameter: &Value| {
        let place = match text(parameter, "in") {
            "path" => "in the address",
            place => place,
        };
        let is_needed = parameter.get("required").and_then(Value::as_bool) == Some(true);
        FieldView {
            name: text(parameter, "name").to_owned(),
            kind: parameter.get("schema").map(|it| schema::kind(document, it)).unwrap_or_default(),
            needed: if is_needed { format!("{place}, required") } else { place.to_owned() },
            words: pieces(text(parameter, "description")),
        }
    };
    all.map(field).collect()
}

fn answers(document: &Value, one: &Value) -> Vec<AnswerView> {
    let all = one.get("responses").and_then(Value::as_object).into_iter().flatten();
    let answer = |(status, response): (&String, &Value)| {
        let own = response.pointer("/content/application~1json/schema");
        AnswerView {
            status: status.clone(),
            words: pieces(text(response, "description")),
            fields: own.map(|it| schema::fields(document, it)).unwrap_or_default(),
        }
    };
    all.map(answer).collect()
}

/// The request as one types it; `$TOKEN` stands for what proves the caller.
fn curl(base: &str, (path, method): (&str, &str), one: &Value) -> String {
    let parameters = one.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (mut path, mut query, mut headers) = (path.to_owned(), String::new(), String::new());
    for parameter in parameters {
        let name = text(parameter, "name");
        let shown = parameter.get("example").map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
        match (text(parameter, "in"), shown) {
            ("path", shown) => {
                path = path.replace(&format!("{{{name}}}"), &shown.unwrap_or_else(|| format!("${name}")));
            }
            ("query", Some(shown)) => {
                // Writing into a String cannot fail.
                let _ = write!(query, "{}{name}={shown}", if query.is_empty() { "?" } else { "&" });
            }
            ("header", Some(shown)) => {
                let _ = write!(headers, " \\\n  -H '{name}: {shown}'");
            }
            _ => {}
        }
    }
    let mut curl = "curl".to_owned();
    if method == "delete" || method == "put" || method == "patch" {
        let _ = write!(curl, " -X {}", method.to_uppercase());
    }
    let _ = write!(curl, " \"{base}{path}{query}\"");
    match one.pointer("/security/0").and_then(Value::as_object) {
        Some(scheme) if scheme.contains_key(openapi::CLIENT_SECRET) => {
            curl.push_str(" \\\n  -u \"$CLIENT_ID:$CLIENT_SECRET\"");
        }
        Some(_) => curl.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\""),
        None => {}
    }
    curl.push_str(&headers);
    if let Some(body) = one.pointer("/requestBody/content/application~1json/example") {
        let _ = write!(curl, " \\\n  --json '{body}'");
    } else if let Some(form) = one.pointer(FORM).and_then(|form| form.get("example")).and_then(Value::as_object) {
        for (name, value) in form {
            let _ = write!(curl, " \\\n  -d '{name}={}'", value.as_str().unwrap_or_default());
        }
    } else if method == "post" {
        curl.push_str(" \\\n  -X POST");
    }
    curl
}

fn example(one: &Value) -> Option<String> {
    let responses: &Map<String, Value> = one.get("responses")?.as_object()?;
    let (_, good) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
    let example = good.pointer("/content/application~1json/example")?;
    Some(format!("{example:#}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn capital(word: &str) -> String {
    let mut signs = word.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_description_stands_on_the_page_with_a_request_to_try() {
        let view = view(openapi::document(), "https://c.example", Surroundings::Bare);
        let shown: Vec<_> = view.groups.iter().flat_map(|group| &group.operations).collect();
        let paths = openapi::document().get("paths").and_then(Value::as_object).into_iter().flatten();
        let described: usize = paths.filter_map(|(_, item)| item.as_object()).map(Map::len).sum();
        assert_eq!(shown.len(), described);
        for operation in shown {
            assert!(operation.curl.starts_with("curl \"https://c.example/") || operation.curl.starts_with("curl -X"));
            assert!(!operation.answers.is_empty(), "{}", operation.id);
        }
    }

    #[test]
    fn a_request_to_try_has_its_key_its_token_and_its_body() {
        let view = view(openapi::document(), "https://c.example", Surroundings::Bare);
        let all = view.groups.iter().flat_map(|group| &group.operations);
        let redeem = all.into_iter().find(|operation| operation.id == "redeem_code");
        let token = view.groups.iter().flat_map(|group| &group.operations).find(|one| one.id == "create_token");
        insta::assert_snapshot!(token.map(|operation| operation.curl.as_str()).unwrap_or_default(), @r#"
        curl "https://c.example/oauth2/token" \
          -u "$CLIENT_ID:$CLIENT_SECRET" \
          -d 'grant_type=client_credentials' \
          -d 'scope=codes:issue codes:read'
        "#);
        insta::assert_snapshot!(redeem.map(|operation| operation.curl.as_str()).unwrap_or_default(), @r#"
        curl "https://c.example/v1/codes/redeem" \
          -H "Authorization: Bearer $TOKEN" \
          -H 'Idempotency-Key: 8e03978e-40d5-43e8-bc93-6894a57f9324' \
          --json '{"amount":2500,"code":"PZA-7KMQ-4XTDK","currency":"USD","order":"A-1042","store":"Store 17"}'
        "#);
    }
}
