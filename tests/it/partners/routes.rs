//! Who may call what: every route for programs stands here once, and is tried with every wrong key there is.

use super::doors::Doors;
use crate::harness::{House, On};
use axum::body::Body;
use axum::http::{Request, header};

/// Whose proof a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Everybody.
    Anybody,
    /// A client of the authorization server, by its own methods.
    Client,
    Till,
    Admin,
}

/// Routes that come join this list; it may only grow.
const ROUTES: &[(&str, &str, Who)] = &[
    ("POST", "/oauth2/token", Who::Client),
    ("POST", "/oauth2/revoke", Who::Client),
    ("GET", "/.well-known/jwks.json", Who::Anybody),
    ("GET", "/.well-known/oauth-authorization-server", Who::Anybody),
    ("POST", "/v1/codes/validate", Who::Till),
    ("POST", "/v1/codes/redeem", Who::Till),
    ("POST", "/v1/redemptions/x/rollback", Who::Till),
    ("GET", "/admin/v1/partners", Who::Admin),
    ("POST", "/admin/v1/partners", Who::Admin),
    ("GET", "/admin/v1/partners/acme", Who::Admin),
    ("PATCH", "/admin/v1/partners/acme", Who::Admin),
    ("POST", "/admin/v1/partners/acme/suspend", Who::Admin),
    ("POST", "/admin/v1/partners/acme/resume", Who::Admin),
    ("POST", "/admin/v1/partners/acme/grants", Who::Admin),
    ("DELETE", "/admin/v1/partners/acme/grants/PIZZA", Who::Admin),
    ("GET", "/admin/v1/partners/acme/keys", Who::Admin),
    ("POST", "/admin/v1/partners/acme/keys", Who::Admin),
    ("DELETE", "/admin/v1/partners/acme/keys/x", Who::Admin),
    ("GET", "/admin/v1/partners/acme/secrets", Who::Admin),
    ("POST", "/admin/v1/partners/acme/secrets", Who::Admin),
    ("DELETE", "/admin/v1/partners/acme/secrets/x", Who::Admin),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_opens_to_anybody_but_those_it_is_for() {
    let house = House::open(On::Sqlite).await.expect("SQLite is built in");
    let doors = Doors::open(&house).await;
    let till = house.engine.create_till_key("Store 17").await.expect("a key").expose().to_owned();
    let acme = house.partner("acme", &[]).await;
    let keys = [
        (None, ""),
        (Some(Who::Till), till.as_str()),
        (Some(Who::Admin), doors.admin.as_str()),
        (None, acme.token.as_str()),
        (None, acme.secret.as_str()),
    ];
    for (method, path, who) in ROUTES {
        for (whose, key) in keys {
            let request =
                Request::builder().method(*method).uri(*path).header(header::CONTENT_TYPE, "application/json");
            let bearer = format!("Bearer {key}");
            let request = if key.is_empty() { request } else { request.header(header::AUTHORIZATION, bearer) };
            let answer = doors.send(request.body(Body::from("{}")).expect("a request")).await;
            let is_let_in = answer.status != 401;
            let wanted = *who == Who::Anybody || whose == Some(*who);
            match who {
                // It names the form first: a body of JSON is none.
                Who::Client => assert_eq!(answer.json()["error"], "invalid_request", "{method} {path}"),
                Who::Anybody | Who::Till | Who::Admin => {
                    assert_eq!(is_let_in, wanted, "{method} {path} with {whose:?}: {}", answer.body);
                }
            }
        }
    }
}
