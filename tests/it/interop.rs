//! Other people's implementations speak to us: an OAuth client library as a partner, and the library of Standard
//! Webhooks as its receiver, both in Python (tests/interop).

use crate::harness::{Product, codewell, on_both, printed, skip};
use crate::partners::signed::{TestKey, base64};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

on_both! {
    the_library_of_standard_webhooks_believes_our_deliveries,
}

/// The scripts, and the packages they ask for.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");
/// A partner's key.
const SEED: u8 = 9;

/// The interpreter of the environment that `tests/interop/venv.sh` made; `None` where it is missing, or another one.
fn python() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("interop");
    let asked = std::fs::read(Path::new(SCRIPTS).join("requirements.txt")).ok()?;
    let there = std::fs::read(place.join("requirements.txt")).ok()?;
    (asked == there).then(|| place.join("venv/bin/python"))
}

fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(Path::new(SCRIPTS).join(name)).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

#[test]
fn an_oauth_library_finds_us_gets_tokens_by_both_methods_and_uses_them() {
    let Some(python) = python() else { return skip("python") };
    let dir = tempfile::tempdir().expect("a directory");
    let product = Product::start(dir.path(), &[]);
    let ask = |line: &[&str]| printed(&codewell(dir.path(), line));
    ask(&["partner", "create", "interop", "--name", "Interop", "--grant", "PIZZA"]);
    let secret = ask(&["partner", "secret", "new", "interop"]).trim().to_owned();
    let mut jwk = TestKey::ed(SEED).jwk();
    let public = dir.path().join("interop.jwk");
    std::fs::write(&public, jwk.to_string()).expect("it is written");
    ask(&["partner", "key", "add", "interop", public.to_str().expect("text")]);
    jwk["d"] = base64([SEED; 32]).into();
    let given = json!({
        "base_url": product.base_url, "client_id": "interop", "client_secret": secret, "private_jwk": jwk,
        "campaign": "PIZZA",
    });
    let mut client = script(&python, "oauth_client.py").spawn().expect("it starts");
    let mut stdin = client.stdin.take().expect("a pipe");
    stdin.write_all(given.to_string().as_bytes()).expect("it reads");
    drop(stdin);
    let got: Value = serde_json::from_str(&printed(&client.wait_with_output().expect("it ends"))).expect("JSON");
    assert_eq!(got["server"]["issuer"], product.base_url.as_str());
    for method in ["secret", "key"] {
        let got = &got[method];
        let claims = json!({"typ": "at+jwt", "sub": "interop", "scope": "codes:issue codes:read"});
        assert_eq!(got["claims"], claims, "{method}");
        assert_eq!((&got["campaigns"], &got["status"]), (&json!(["PIZZA"]), &json!(201)), "{method}");
        assert_eq!(got["after"], 401, "{method}: it took its token back");
    }
    assert_ne!(got["secret"]["code"], got["key"]["code"]);
    ask(&["audit"]);
}

/// The receiver as a process; ended with this.
struct Receiver {
    process: Child,
    lines: BufReader<ChildStdout>,
    secrets: ChildStdin,
    port: String,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Receiver {
    fn start(python: &Path) -> Self {
        let mut process = script(python, "webhook_receiver.py").spawn().expect("it starts");
        let secrets = process.stdin.take().expect("a pipe");
        let lines = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut receiver = Self { process, lines, secrets, port: String::new() };
        receiver.port = receiver.line();
        receiver
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("it speaks");
        line.trim().to_owned()
    }

    /// The secrets by which it shall look at the next delivery.
    fn expect(&mut self, secrets: &[&str]) {
        writeln!(self.secrets, "{}", json!(secrets)).expect("it reads");
    }

    /// What it said of that delivery.
    fn told(&mut self) -> Value {
        serde_json::from_str(&self.line()).expect("JSON")
    }
}

mod bodies {
    use super::{Receiver, python};
    use crate::harness::{House, campaign, skip};
    use crate::partners::doors::Doors;
    use axum::body::Body;
    use axum::http::{Request, header};
    use codewell::domain::address::Allowed;
    use codewell::domain::feed::Codes;
    use codewell::domain::ids::CampaignId;
    use codewell::domain::partner::Grant;
    use codewell::domain::webhook::WantedEvents;
    use codewell::engine::NewEndpoint;
    use codewell::net::{GuardedClient, Limits};
    use codewell::workers::webhooks::deliver_due;
    use serde_json::json;
    use std::sync::Arc;
    use std::time::Duration;

    pub(super) async fn the_library_of_standard_webhooks_believes_our_deliveries(house: House) {
        let Some(python) = python() else { return skip("python") };
        let mut receiver = Receiver::start(&python);
        #[expect(clippy::disallowed_methods, reason = "the receiver is another program with a clock of its own")]
        house.clock.set(chrono::Utc::now());
        campaign(1).write(&house).await;
        let acme = house.partner("acme", &[Grant::free(CampaignId(1))]).await;
        let doors = Doors::open(&house).await;
        let address = format!("127.0.0.1:{}", receiver.port);
        let patience = Duration::from_secs(10);
        let limits = Limits { connect: patience, total: patience, answer_bytes: 8_192 };
        let allowed = Arc::new(Allowed::read([address.as_str()]).unwrap());
        let client = GuardedClient::new(limits, allowed).unwrap();
        let url = format!("http://{address}/hook");
        let new = NewEndpoint { url, events: WantedEvents::default(), codes: Codes::Ending };
        let (endpoint, secret) = house.engine.add_endpoint(acme.id, "made", new).await.unwrap();
        let (old, other) = (secret.expose().clone(), format!("whsec_{}", "AAAA".repeat(11)));
        let issue = async |customer: &str| {
            let body = json!({"campaign": "C1", "customer": {"reference": customer}, "sub_id": customer});
            let request = Request::post("/v1/issuances")
                .header(header::AUTHORIZATION, format!("Bearer {}", acme.token))
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", customer);
            let answer = doors.send(request.body(Body::from(body.to_string())).unwrap()).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
            assert_eq!(deliver_due(&house.engine, &client).await.unwrap(), 1);
            answer.json()["id"].clone()
        };

        receiver.expect(&[&old, &other]);
        let issuance = issue("before").await;
        let told = receiver.told();
        assert_eq!((&told["believed"], &told["forged"]), (&json!([true, false]), &json!([false, false])));
        let event = &told["event"];
        assert_eq!((&event["type"], &event["data"]["sub_id"]), (&json!("issued"), &json!("before")));
        assert_eq!(event["data"]["issuance"], issuance);

        let (new, _) =
            house.engine.rotate_endpoint_secret(endpoint.partner, &endpoint.id, "rotated").await.unwrap().unwrap();
        receiver.expect(&[&old, new.expose(), &other]);
        issue("during").await;
        let told = receiver.told();
        assert_eq!(told["believed"], json!([true, true, false]), "both sign for a day");
        assert_eq!(told["forged"], json!([false, false, false]));
        house.audited().await;
    }
}
