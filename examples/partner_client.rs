//! A partner's program: proves itself with its private key, gives one customer a code, and reads the day's figures.
//!
//! ```text
//! cargo run --example partner_client -- http://127.0.0.1:8080 acme-deals key.pem PIZZA +12025550123
//! ```
//!
//! The key is an Ed25519 key in PKCS#8 (`openssl genpkey -algorithm ed25519 -out key.pem`); its public half was given
//! to the house.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a partner's own program: it has a terminal, a clock and an HTTP client, and none of our code"
)]

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// Seconds for which an assertion is good: it is used at once, and once.
const ASSERTION_S: i64 = 30;
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [house, client_id, key_file, campaign, phone] = args.as_slice() else {
        anyhow::bail!("partner_client HOUSE CLIENT_ID KEY.pem CAMPAIGN PHONE");
    };
    let pem = std::fs::read(key_file).with_context(|| format!("reading {key_file}"))?;
    let http = Client::builder().timeout(Duration::from_secs(10)).build()?;

    let token = token(&http, house, client_id, &pem).await?;
    let issuance = issue(&http, house, &token, campaign, phone).await?;
    println!("{issuance:#}");

    // Days are those of the campaign's time zone, so its today may be our yesterday or tomorrow.
    let (from, to) = ((Utc::now() - TimeDelta::days(1)).date_naive(), (Utc::now() + TimeDelta::days(1)).date_naive());
    let path = format!("{house}/v1/reports/daily?from={from}&to={to}&campaign={campaign}");
    let report = read(http.get(path).bearer_auth(&token).send().await?).await?;
    println!("{report:#}");
    Ok(())
}

/// A token for ten minutes, by `private_key_jwt` (RFC 7523): an assertion that only we can sign, for this house alone.
async fn token(http: &Client, house: &str, client_id: &str, pem: &[u8]) -> anyhow::Result<String> {
    let metadata = format!("{house}/.well-known/oauth-authorization-server");
    let metadata = read(http.get(metadata).send().await?).await?;
    let issuer = metadata.get("issuer").context("no issuer")?;
    let endpoint = metadata.get("token_endpoint").and_then(Value::as_str).context("no token endpoint")?;
    let now = Utc::now().timestamp();
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "jti": uuid::Uuid::now_v7(),
        "iat": now,
        "exp": now + ASSERTION_S,
    });
    let header = Header { typ: Some("client-authentication+jwt".to_owned()), ..Header::new(Algorithm::EdDSA) };
    let assertion = encode(&header, &claims, &EncodingKey::from_ed_pem(pem)?)?;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion.as_str()),
    ];
    let answer = read(http.post(endpoint).form(&form).send().await?).await?;
    Ok(answer.get("access_token").and_then(Value::as_str).context("no access token")?.to_owned())
}

/// One code for one customer. The key is made before the first try and kept over all tries: however often this is sent,
/// it is one code.
async fn issue(http: &Client, house: &str, token: &str, campaign: &str, phone: &str) -> anyhow::Result<Value> {
    let key = uuid::Uuid::now_v7().to_string();
    let body = json!({ "campaign": campaign, "customer": { "phone": phone }, "sub_id": "example" });
    let mut tries = 0;
    loop {
        tries += 1;
        let request = http.post(format!("{house}/v1/issuances")).bearer_auth(token);
        let answer = request.header("Idempotency-Key", &key).json(&body).send().await?;
        let is_passing = matches!(answer.status().as_u16(), 429 | 503);
        if !is_passing || tries == 3 {
            return read(answer).await;
        }
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
    }
}

/// The JSON of a good answer; what went wrong in the words of the house else.
async fn read(answer: Response) -> anyhow::Result<Value> {
    let status = answer.status();
    let body: Value = answer.json().await?;
    ensure!(status.is_success(), "{status}: {body}");
    Ok(body)
}
