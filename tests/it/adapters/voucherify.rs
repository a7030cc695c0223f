//! A Voucherify project of ours: vouchers, validations, redemptions, rollbacks and exports, as its documents have them.

use super::conformance::State;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Inside};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[derive(Debug, Default)]
struct Project {
    vouchers: BTreeMap<String, Value>,
    entries: BTreeMap<String, Vec<Value>>,
    /// An export is done when it is asked for the second time.
    export_asked: u32,
}

type Shared = Arc<Mutex<Project>>;

/// The project; dropping it ends it.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    project: Shared,
    _tasks: JoinSet<()>,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let project = Shared::default();
        let router = Router::new()
            .route("/v1/vouchers", get(async || axum_json(200, &json!({ "vouchers": [] }))))
            .route("/v1/vouchers/{code}", get(voucher))
            .route("/v1/vouchers/{code}/redemption", get(entries))
            .route("/v1/validations", post(validate))
            .route("/v1/redemptions", post(redeem))
            .route("/v1/redemptions/{id}/rollback", post(rollback))
            .route("/v1/exports", post(async || axum_json(200, &json!({ "id": "exp_1", "status": "SCHEDULED" }))))
            .route("/v1/exports/{id}", get(async move |inside| export(&inside, address)))
            .route("/files/{id}", get(file))
            .with_state(Arc::clone(&project));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, project, _tasks: tasks }
    }

    pub(super) fn put(&self, code: &str, state: State) {
        let base = json!({ "code": code, "active": true, "redemption": { "quantity": 1, "redeemed_quantity": 0 },
            "publish": { "count": 0 }, "validation_rules_assignments": { "total": 0 } });
        let mut voucher = base;
        match state {
            State::Valid => {}
            State::Used => voucher["redemption"]["redeemed_quantity"] = json!(1),
            State::Expired => voucher["expiration_date"] = json!("2020-01-01T00:00:00Z"),
            State::NotYet => voucher["start_date"] = json!("2099-01-01T00:00:00Z"),
            State::Disabled => voucher["active"] = json!(false),
            State::IssuedElsewhere => voucher["publish"]["count"] = json!(1),
            State::Conditional => voucher["validation_rules_assignments"]["total"] = json!(1),
        }
        self.project.lock().unwrap().vouchers.insert(code.to_owned(), voucher);
    }
}

fn axum_json(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/json"), ("x-rate-limit-remaining", "77")], body.to_string()).into_response()
}

fn error(status: u16, key: &str) -> Response {
    axum_json(status, &json!({ "code": status, "key": key, "message": "…", "request_id": "v-1" }))
}

/// The key with which a voucher is refused.
fn refused(voucher: Option<&Value>) -> Option<&'static str> {
    let Some(voucher) = voucher else { return Some("not_found") };
    if voucher["redemption"]["redeemed_quantity"] == voucher["redemption"]["quantity"] {
        Some("quantity_exceeded")
    } else if voucher["active"] == json!(false) {
        Some("voucher_disabled")
    } else if voucher["expiration_date"].is_string() {
        Some("voucher_expired")
    } else if voucher["start_date"].is_string() {
        Some("voucher_not_active")
    } else if voucher["validation_rules_assignments"]["total"] != json!(0) {
        Some("order_rules_violated")
    } else {
        None
    }
}

async fn voucher(inside: Inside<Shared>, Path(code): Path<String>, headers: HeaderMap) -> Response {
    if headers.get("x-app-id").is_none() || headers.get("x-app-token").is_none() {
        return error(401, "unauthorized");
    }
    let project = inside.lock().unwrap();
    project.vouchers.get(&code).map_or_else(|| error(404, "not_found"), |voucher| axum_json(200, voucher))
}

async fn entries(inside: Inside<Shared>, Path(code): Path<String>) -> Response {
    let project = inside.lock().unwrap();
    if !project.vouchers.contains_key(&code) {
        return error(404, "not_found");
    }
    axum_json(200, &json!({ "redemption_entries": project.entries.get(&code).cloned().unwrap_or_default() }))
}

async fn validate(inside: Inside<Shared>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let asked = body["redeemables"].as_array().unwrap();
    if asked.len() > 30 {
        return error(400, "invalid_payload");
    }
    let project = inside.lock().unwrap();
    let told: Vec<Value> = asked
        .iter()
        .map(|item| {
            let id = item["id"].as_str().unwrap();
            match refused(project.vouchers.get(id)) {
                None => json!({ "status": "APPLICABLE", "id": id, "object": "voucher", "result": {} }),
                Some(key) => {
                    json!({ "status": "INAPPLICABLE", "id": id, "object": "voucher", "result": { "error": { "key": key } } })
                }
            }
        })
        .collect();
    axum_json(200, &json!({ "valid": false, "redeemables": told }))
}

async fn redeem(inside: Inside<Shared>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let code = body["redeemables"][0]["id"].as_str().unwrap().to_owned();
    let mut project = inside.lock().unwrap();
    if let Some(key) = refused(project.vouchers.get(&code)) {
        return error(if key == "not_found" { 404 } else { 400 }, key);
    }
    project.vouchers.get_mut(&code).unwrap()["redemption"]["redeemed_quantity"] = json!(1);
    let entries = project.entries.entry(code.clone()).or_default();
    let entry = json!({ "object": "redemption", "id": format!("r_{code}_{}", entries.len()), "result": "SUCCESS",
        "status": "SUCCEEDED", "date": "2026-11-18T11:06:40Z", "metadata": body["metadata"], "voucher": { "code": code } });
    entries.push(entry.clone());
    axum_json(200, &json!({ "redemptions": [entry], "order": body["order"] }))
}

async fn rollback(inside: Inside<Shared>, Path(id): Path<String>) -> Response {
    let mut project = inside.lock().unwrap();
    let found = project.entries.iter().find(|(_, entries)| entries.iter().any(|entry| entry["id"] == json!(id)));
    let Some(code) = found.map(|(code, _)| code.clone()) else { return error(404, "not_found") };
    let entries = project.entries.get_mut(&code).unwrap();
    if entries.iter().any(|entry| entry["redemption"] == json!(id)) {
        return error(400, "already_rolled_back");
    }
    let entry =
        json!({ "object": "redemption_rollback", "id": format!("r{id}"), "result": "SUCCESS", "redemption": id });
    entries.push(entry.clone());
    project.vouchers.get_mut(&code).unwrap()["redemption"]["redeemed_quantity"] = json!(0);
    axum_json(200, &json!({ "rollbacks": [entry] }))
}

fn export(inside: &Inside<Shared>, address: SocketAddr) -> Response {
    let mut project = inside.lock().unwrap();
    project.export_asked += 1;
    let done = json!({ "status": "DONE", "result": { "url": format!("http://{address}/files/exp_1?token=t") } });
    axum_json(200, &if project.export_asked > 1 { done } else { json!({ "status": "IN_PROGRESS" }) })
}

async fn file(inside: Inside<Shared>, headers: HeaderMap) -> Response {
    assert!(headers.get("x-app-token").is_none(), "our token stays at home");
    let project = inside.lock().unwrap();
    let lines: String = project.vouchers.values().fold("Code,Active\n".to_owned(), |text, voucher| {
        format!("{text}{},{}\n", voucher["code"].as_str().unwrap(), voucher["active"])
    });
    lines.into_response()
}
