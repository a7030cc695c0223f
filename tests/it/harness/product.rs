//! The product itself as a process: what a newcomer starts, killed as anything may be.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_codewell");

/// A running `codewell demo`; killed with `kill -9` when dropped.
pub(crate) struct Product {
    process: Child,
    /// Kept open, so that the product never writes into a closed pipe.
    _output: BufReader<ChildStdout>,
    pub(crate) base_url: String,
    pub(crate) till_key: String,
    /// The shop that honours BURGER's codes.
    pub(crate) peer_url: String,
    http: reqwest::Client,
}

impl Drop for Product {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Product {
    /// Starts the demo in a directory, on a free port, with some more settings, and reads its first line.
    pub(crate) fn start(dir: &Path, settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(BINARY)
            .args(["demo", "--json", "--listen", "127.0.0.1:0", "--dir"])
            .arg(dir)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let said: Value = serde_json::from_str(&line).expect("the first line is one object");
        let text = |key: &str| said[key].as_str().expect("text").to_owned();
        #[expect(clippy::disallowed_methods, reason = "a test speaks to its own server")]
        let http = reqwest::Client::new();
        let (base_url, till_key, peer_url) = (text("base_url"), text("till_key"), text("peer_url"));
        Self { process, _output: output, base_url, till_key, peer_url, http }
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("it was running");
        self.process.wait().expect("it is gone");
    }

    /// Texts to 12345; whether it was acknowledged.
    pub(crate) async fn text(&self, from: &str, words: &str) -> bool {
        let body = json!({"from": from, "to": "12345", "text": words});
        let sent = self.http.post(format!("{}/simulator/messages", self.base_url)).json(&body).send().await;
        sent.is_ok_and(|answer| answer.status() == 202)
    }

    /// Texts, and waits for the `n`th reply on that phone as its page does: by the stream of its events.
    pub(crate) async fn reply(&self, from: &str, words: &str, n: usize) -> Value {
        let phone = [("phone", from)];
        let url = reqwest::Url::parse_with_params(&format!("{}/simulator/events", self.base_url), phone);
        let mut events = self.http.get(url.expect("a URL")).send().await.expect("a stream");
        assert!(self.text(from, words).await, "the text is acknowledged");
        loop {
            let replies = self.replies(from).await;
            if let Some(reply) = replies.get(n - 1) {
                return reply.clone();
            }
            events.chunk().await.expect("the stream goes on").expect("an event");
        }
    }

    /// Waits for a reply on that phone that says this, as its page does.
    pub(crate) async fn until(&self, phone: &str, words: &str) -> Value {
        let url = reqwest::Url::parse_with_params(&format!("{}/simulator/events", self.base_url), [("phone", phone)]);
        let mut events = self.http.get(url.expect("a URL")).send().await.expect("a stream");
        loop {
            let says = |reply: &&Value| reply["text"].as_str().is_some_and(|text| text.contains(words));
            if let Some(reply) = self.replies(phone).await.iter().find(says) {
                return reply.clone();
            }
            events.chunk().await.expect("the stream goes on").expect("an event");
        }
    }

    /// Asks the shop for something.
    pub(crate) async fn shop(&self, path: &str, key: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.peer_url);
        let ask = self.http.post(url).bearer_auth(key).header("idempotency-key", "t1").json(body);
        ask.send().await.expect("an answer").json().await.expect("JSON")
    }

    /// The replies a phone got, oldest first.
    pub(crate) async fn replies(&self, phone: &str) -> Vec<Value> {
        let url = format!("{}/simulator/messages", self.base_url);
        let url = reqwest::Url::parse_with_params(&url, [("phone", phone)]).expect("a URL");
        let list: Value = self.http.get(url).send().await.expect("an answer").json().await.expect("JSON");
        let list = list["data"].as_array().expect("a list").clone();
        list.into_iter().filter(|message| message["direction"] == "mt").collect()
    }

    /// A page.
    pub(crate) async fn page(&self, url: &str) -> String {
        self.http.get(url).send().await.expect("an answer").text().await.expect("a page")
    }
}

/// Runs a command of the product on a directory.
pub(crate) fn codewell(dir: &Path, args: &[&str]) -> Output {
    Command::new(BINARY).args(args).arg("--dir").arg(dir).output().expect("the binary runs")
}

/// What a command printed, when it succeeded.
pub(crate) fn printed(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out.into_owned()
}
