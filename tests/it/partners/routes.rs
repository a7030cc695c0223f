//! Who may call what: every route for programs stands here once, and is tried with every wrong key there is. A route
//! that the doors open or the description names, and this list does not, fails.

use super::doors::{Answer, Doors};
use crate::harness::{House, On, TestPartner};
use axum::body::Body;
use axum::http::{Request, header};
use codewell::domain::partner::PartnerScope::{self, Bulk, Events, Issue, Read, Reports, Webhooks};
use codewell::http::openapi::document;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Whose proof a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Everybody.
    Anybody,
    /// A client of the authorization server, by its own methods.
    Client,
    Till,
    Admin,
    /// A partner, by a token for this.
    Partner(PartnerScope),
}

use Who::{Admin, Anybody, Client, Partner, Till};

/// Routes that come join this list; it may only grow.
const ROUTES: &[(&str, &str, Who)] = &[
    ("POST", "/oauth2/token", Client),
    ("POST", "/oauth2/revoke", Client),
    ("GET", "/.well-known/jwks.json", Anybody),
    ("GET", "/.well-known/oauth-authorization-server", Anybody),
    ("POST", "/v1/codes/validate", Till),
    ("POST", "/v1/codes/redeem", Till),
    ("POST", "/v1/redemptions/{id}/rollback", Till),
    ("GET", "/v1/campaigns", Partner(Read)),
    ("GET", "/v1/campaigns/{id}", Partner(Read)),
    ("POST", "/v1/issuances", Partner(Issue)),
    ("POST", "/v1/issuances/batch", Partner(Issue)),
    ("GET", "/v1/issuances/{id}", Partner(Read)),
    ("POST", "/v1/allocations", Partner(Bulk)),
    ("GET", "/v1/allocations/{id}", Partner(Read)),
    ("GET", "/v1/allocations/{id}/codes", Partner(Bulk)),
    ("POST", "/v1/allocations/{id}/ack", Partner(Bulk)),
    ("POST", "/v1/allocations/{id}/return", Partner(Bulk)),
    ("GET", "/v1/events", Partner(Events)),
    ("GET", "/v1/reports/daily", Partner(Reports)),
    ("POST", "/v1/webhook-endpoints", Partner(Webhooks)),
    ("GET", "/v1/webhook-endpoints", Partner(Webhooks)),
    ("GET", "/v1/webhook-endpoints/{id}", Partner(Webhooks)),
    ("PATCH", "/v1/webhook-endpoints/{id}", Partner(Webhooks)),
    ("DELETE", "/v1/webhook-endpoints/{id}", Partner(Webhooks)),
    ("POST", "/v1/webhook-endpoints/{id}/rotate-secret", Partner(Webhooks)),
    ("POST", "/v1/webhook-endpoints/{id}/test", Partner(Webhooks)),
    ("POST", "/v1/webhook-endpoints/{id}/replay", Partner(Webhooks)),
    ("GET", "/v1/webhook-endpoints/{id}/deliveries", Partner(Webhooks)),
    ("GET", "/admin/v1/alerts", Admin),
    ("POST", "/admin/v1/alerts/clear", Admin),
    ("GET", "/admin/v1/creators", Admin),
    ("POST", "/admin/v1/creators", Admin),
    ("GET", "/admin/v1/creators/{handle}", Admin),
    ("PATCH", "/admin/v1/creators/{handle}", Admin),
    ("POST", "/admin/v1/creators/{handle}/suspend", Admin),
    ("POST", "/admin/v1/creators/{handle}/resume", Admin),
    ("POST", "/admin/v1/creators/{handle}/link", Admin),
    ("GET", "/admin/v1/reports/credit", Admin),
    ("GET", "/admin/v1/partners", Admin),
    ("POST", "/admin/v1/partners", Admin),
    ("GET", "/admin/v1/partners/{client_id}", Admin),
    ("PATCH", "/admin/v1/partners/{client_id}", Admin),
    ("POST", "/admin/v1/partners/{client_id}/suspend", Admin),
    ("POST", "/admin/v1/partners/{client_id}/resume", Admin),
    ("POST", "/admin/v1/partners/{client_id}/grants", Admin),
    ("DELETE", "/admin/v1/partners/{client_id}/grants/{campaign}", Admin),
    ("GET", "/admin/v1/partners/{client_id}/keys", Admin),
    ("POST", "/admin/v1/partners/{client_id}/keys", Admin),
    ("DELETE", "/admin/v1/partners/{client_id}/keys/{id}", Admin),
    ("GET", "/admin/v1/partners/{client_id}/secrets", Admin),
    ("POST", "/admin/v1/partners/{client_id}/secrets", Admin),
    ("DELETE", "/admin/v1/partners/{client_id}/secrets/{id}", Admin),
];

/// Bodies of routes that the description has no example for.
const BODIES: &[(&str, &str, &str)] = &[
    ("POST", "/v1/webhook-endpoints", r#"{"url": "https://hooks.example/codewell"}"#),
    ("PATCH", "/v1/webhook-endpoints/{id}", r#"{"status": "active"}"#),
    ("POST", "/v1/webhook-endpoints/{id}/replay", r#"{"after": "fc_0000000000000000"}"#),
];

/// The description of an operation, where there is one.
fn described(method: &str, path: &str) -> Option<&'static Value> {
    document()["paths"].get(path)?.get(method.to_lowercase())
}

/// The address of an operation: names that are nobody's in it, and what its description asks for behind it.
fn address(method: &str, path: &str) -> String {
    let names = [("{client_id}", "nobody"), ("{handle}", "nobody"), ("{campaign}", "NONE"), ("{id}", "x")];
    let place = names.iter().fold(path.to_owned(), |place, (name, value)| place.replace(name, value));
    let parameters = described(method, path).and_then(|one| one["parameters"].as_array()).into_iter().flatten();
    let needed = parameters.filter(|one| one["in"] == "query" && one["required"] == true);
    let query: Vec<_> =
        needed.filter_map(|one| Some(format!("{}={}", one["name"].as_str()?, one["example"].as_str()?))).collect();
    if query.is_empty() { place } else { format!("{place}?{}", query.join("&")) }
}

async fn ask(doors: &Doors, (method, path): (&str, &str), key: &str) -> Answer {
    let example = described(method, path).and_then(|one| one.pointer("/requestBody/content/application~1json/example"));
    let own = BODIES.iter().find(|(verb, place, _)| (*verb, *place) == (method, path)).map(|(_, _, body)| *body);
    let body = example.map(Value::to_string).or_else(|| own.map(str::to_owned)).unwrap_or_else(|| "{}".to_owned());
    let mut request = Request::builder().method(method).uri(address(method, path));
    request = request.header(header::CONTENT_TYPE, "application/json").header("idempotency-key", "k");
    if !key.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    doors.send(request.body(Body::from(body)).expect("a request")).await
}

/// A token for these scopes.
async fn token(house: &House, of: &TestPartner, scopes: impl Fn(PartnerScope) -> bool) -> String {
    let proved = house.engine.client_by_secret(of.client.as_str(), &of.secret).await.expect("it is hers");
    let scopes = PartnerScope::ALL.into_iter().filter(|scope| scopes(*scope)).collect();
    house.engine.access_token(&proved, scopes).await.expect("a token").expose().to_owned()
}

/// Where the addresses for programs begin.
const PROGRAMS: [&str; 4] = ["/v1/", "/admin/", "/oauth2/", "/.well-known/"];

/// The addresses that a source of the doors routes, and those of its routes that are not spelled out.
fn routed(text: &str) -> (Vec<&str>, usize) {
    let routes = || text.split(".route(").skip(1).map(str::trim_start);
    let spelled = routes().filter_map(|rest| rest.strip_prefix('"')?.split('"').next());
    (spelled.collect(), routes().filter(|rest| !rest.starts_with('"')).count())
}

#[test]
fn every_route_that_the_doors_open_stands_in_the_list() {
    let (mut folders, mut opened) = (vec![std::path::PathBuf::from("src/http")], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the sources are here") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source");
                let (spelled, others) = routed(&text);
                assert_eq!(others, 0, "{} has a route that is not spelled out", path.display());
                opened.extend(spelled.into_iter().map(str::to_owned));
            }
        }
    }
    assert!(opened.len() > 40, "they were found");
    opened.retain(|path| PROGRAMS.iter().any(|begin| path.starts_with(begin)));
    let listed: BTreeSet<_> = ROUTES.iter().map(|(_, path, _)| (*path).to_owned()).collect();
    assert_eq!(opened, listed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_takes_a_method_that_is_not_in_the_list() {
    let house = House::open(On::Sqlite).await.expect("SQLite is built in");
    let doors = Doors::open(&house).await;
    let paths: BTreeSet<_> = ROUTES.iter().map(|(_, path, _)| *path).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if ROUTES.iter().all(|(verb, place, _)| (*verb, *place) != (method, path)) {
                let answer = ask(&doors, (method, path), &doors.admin).await;
                assert_eq!(answer.status, 405, "{method} {path}");
            }
        }
    }
}

#[test]
fn every_route_that_is_described_stands_in_the_list_with_who_may_call_it() {
    let paths = document()["paths"].as_object().expect("paths").iter();
    let all = paths.flat_map(|(path, item)| item.as_object().expect("methods").keys().map(move |verb| (verb, path)));
    let described_ones: BTreeSet<_> = all
        .filter(|(_, path)| PROGRAMS.iter().any(|begin| path.starts_with(begin)))
        .map(|(method, path)| (method.to_uppercase(), path.clone()))
        .collect();
    let listed: BTreeSet<_> =
        ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(listed.len(), ROUTES.len(), "each stands there once");
    let missing: Vec<_> = described_ones.difference(&listed).collect();
    assert!(missing.is_empty(), "described, and without a row: {missing:?}");
    for (method, path, who) in ROUTES {
        let Some(operation) = described(method, path) else { continue };
        let wanted = match who {
            Anybody => Value::Null,
            Client => json!([{"client_secret": []}, {}]),
            Till => json!([{"till_key": []}]),
            Admin => json!([{"admin_key": []}]),
            Partner(scope) => json!([{"partner": [scope.word()]}]),
        };
        assert_eq!(operation.get("security").unwrap_or(&Value::Null), &wanted, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_opens_to_anybody_but_those_it_is_for() {
    let house = House::open(On::Sqlite).await.expect("SQLite is built in");
    let doors = Doors::open(&house).await;
    let till = house.engine.create_till_key("Store 17").await.expect("a key").expose().to_owned();
    let acme = house.partner("acme", &[]).await;
    for (method, path, who) in ROUTES {
        let (narrow, without) = match who {
            Partner(scope) => {
                (token(&house, &acme, |one| one == *scope).await, token(&house, &acme, |one| one != *scope).await)
            }
            Anybody | Client | Till | Admin => (acme.token.clone(), acme.token.clone()),
        };
        for (whose, key) in [
            ("nobody's", ""),
            ("a till's", till.as_str()),
            ("an admin's", doors.admin.as_str()),
            ("a partner's", narrow.as_str()),
            ("a partner's for all but this", without.as_str()),
            ("a secret itself", acme.secret.as_str()),
        ] {
            let answer = ask(&doors, (method, path), key).await;
            let said = format!("{method} {path} with {whose}: {} {}", answer.status, answer.body);
            let got = (answer.status.as_u16(), answer.json()["code"].as_str().unwrap_or_default().to_owned());
            match (who, whose) {
                (Anybody, _) => assert_eq!(got.0, 200, "{said}"),
                // It names the form first: a body of JSON is none.
                (Client, _) => assert_eq!(answer.json()["error"], "invalid_request", "{said}"),
                (Partner(scope), "a partner's for all but this") => {
                    assert_eq!(got, (403, "insufficient_scope".to_owned()), "{said}");
                    assert_eq!(answer.json()["scope"], scope.word(), "{said}");
                }
                (Till, "a till's") | (Admin, "an admin's") | (Partner(_), "a partner's") => {
                    assert!(!matches!(got.0, 401 | 403) && got.0 < 500, "{said}");
                }
                (Till | Admin | Partner(_), _) => assert_eq!(got, (401, "invalid_token".to_owned()), "{said}"),
            }
        }
    }
}
