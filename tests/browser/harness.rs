//! A browser without a window, driven through chromedriver, and the demo it looks at.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    str::FromStr,
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator, elements::Element, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a page may take to show what a test waits for. Reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Viewport in CSS pixels.
    pub(crate) width: u32,
    /// Viewport in CSS pixels.
    pub(crate) height: u32,
    /// The `prefers-color-scheme` of the system: "light" or "dark".
    pub(crate) scheme: &'static str,
}

/// A child process that does not outlive the test.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[path = "../it/harness/skips.rs"]
mod skips;

/// Starts a program and gives its standard output.
fn start(command: &mut Command) -> (Kept, BufReader<ChildStdout>) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (Kept(child), output)
}

/// Finds the driver, or says that the test is skipped; under `CI=true` a missing driver is a failure.
pub(crate) fn driver_or_skip() -> Option<PathBuf> {
    let path = skips::variable("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("chromedriver")).find(|file| file.is_file());
    if found.is_none() {
        skips::skip("chromium");
    }
    found
}

/// Whether the picture of the README is to be made anew: `CODEWELL_README_PICTURE=1`.
pub(crate) fn wants_readme_picture() -> bool {
    skips::variable("CODEWELL_README_PICTURE").as_deref() == Some("1")
}

/// `codewell demo` in a directory of its own, on a free port.
pub(crate) struct Demo {
    _process: Kept,
    /// Kept open, so that the demo never writes into a closed pipe.
    _output: BufReader<ChildStdout>,
    _dir: TempDir,
    /// Scheme, host and port without a slash at the end.
    pub(crate) base_url: String,
    /// Where the phones are.
    pub(crate) simulator_url: String,
}

impl Demo {
    /// Starts the demo and reads its first line.
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (process, mut output) = start(
            Command::new(env!("CARGO_BIN_EXE_codewell"))
                .args(["demo", "--json", "--listen", "127.0.0.1:0", "--dir"])
                .arg(dir.path()),
        );
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| said[key].as_str().unwrap().trim_end_matches('/').to_owned();
        let (base_url, simulator_url) = (text("base_url"), text("simulator_url"));
        Self { _process: process, _output: output, _dir: dir, base_url, simulator_url }
    }
}

/// A command fantoccini has no method for, as `POST /session/{id}/{path}`.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// One browser session.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
}

/// What has to stay alive beside a [`Browser`].
pub(crate) struct Driver {
    _process: Kept,
    _output: BufReader<ChildStdout>,
    _profile: TempDir,
}

impl Browser {
    /// Starts the driver on a port of its choice, and a browser.
    pub(crate) async fn start(driver: &Path) -> (Self, Driver) {
        let (process, mut output) = start(Command::new(driver).arg("--port=0"));
        let port = read_port(&mut output);
        let profile = tempfile::tempdir().unwrap();
        let mut args: Vec<String> = [
            "headless=new",
            "no-sandbox",
            "disable-gpu",
            "disable-quic",
            "disable-dev-shm-usage",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
            "hide-scrollbars",
        ]
        .map(|flag| format!("--{flag}"))
        .to_vec();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "goog:chromeOptions": { "args": args }, "goog:loggingPrefs": { "browser": "ALL" } });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        (Self { client }, Driver { _process: process, _output: output, _profile: profile })
    }

    /// Ends the session, and the browser with it.
    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }

    /// Sets viewport and colour scheme, and asks for reduced motion so that pictures are the same every time.
    pub(crate) async fn look(&self, look: Look) {
        let Look { width, height, scheme } = look;
        self.size(width, height, 1).await;
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Sets the viewport in CSS pixels, and how many pixels of a picture make one of them.
    async fn size(&self, width: u32, height: u32, scale: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 720 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Opens an address.
    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Waits for an element and gives it.
    pub(crate) async fn find(&self, css: &str) -> Element {
        let found =
            self.client.wait().at_most(PATIENCE).every(Duration::from_millis(50)).for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("{css} did not appear: {error}"))
    }

    /// The visible text of an element, once it is there.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// Clicks an element, once it is there.
    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    /// Types into an empty field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        self.find(css).await.send_keys(text).await.unwrap();
    }

    /// Presses keys where the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        self.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
    }

    /// Waits until a script's expression is true in the page.
    pub(crate) async fn wait_until(&self, what: &str, expression: &str) {
        let script = format!("return Boolean({expression})");
        let wait = async {
            let mut tick = tokio::time::interval(Duration::from_millis(50));
            while self.evaluate(&script).await != Value::Bool(true) {
                tick.tick().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "waited in vain until {what}");
    }

    /// The value of a script in the page.
    pub(crate) async fn evaluate(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// The markup as the browser holds it.
    pub(crate) async fn source(&self) -> String {
        self.client.source().await.unwrap()
    }

    /// What the console said since the last call.
    pub(crate) async fn console(&self) -> Vec<String> {
        let said = self.client.issue_cmd(Post { path: "se/log", body: json!({ "type": "browser" }) }).await.unwrap();
        said.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Stores the page, also what is below the fold, as `target/pictures/{name}_{width}_{scheme}.png`.
    pub(crate) async fn picture(&self, name: &str, look: Look) {
        let height = self.evaluate("return document.documentElement.scrollHeight").await.as_u64().unwrap();
        let height = u32::try_from(height).unwrap();
        if height > look.height {
            self.size(look.width, height, 1).await;
        }
        let bytes = self.client.screenshot().await.unwrap();
        if height > look.height {
            self.size(look.width, look.height, 1).await;
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pictures");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}_{}_{}.png", look.width, look.scheme)), bytes).unwrap();
    }

    /// The first picture of the README: parts of pages, each an address and a selector, side by side.
    pub(crate) async fn readme_picture(&self, parts: [(&str, &str); 2]) {
        // Room for one phone beside the list of keywords, and a phone about as high as a coupon.
        self.size(800, 790, 2).await;
        let mut images = Vec::new();
        for (url, css) in parts {
            self.open(url).await;
            self.find(css).await;
            let found = format!(
                "document.body.style.background = '#F6F7F9'; \
                 const part = document.querySelector('{css}').getBoundingClientRect(); \
                 return [part.x - 24, part.y - 24, part.width + 48, part.height + 48]"
            );
            let [x, y, width, height] = serde_json::from_value::<[f64; 4]>(self.evaluate(&found).await).unwrap();
            let clip = json!({ "x": x, "y": y, "width": width, "height": height, "scale": 1 });
            let taken = self.devtools("Page.captureScreenshot", json!({ "format": "png", "clip": clip })).await;
            let data = taken["data"].as_str().unwrap();
            images.push(format!("<img width={width} src=data:image/png;base64,{data}>"));
        }
        self.open("about:blank").await;
        let images = images.concat();
        let body = format!("<body style='margin:0;display:flex;align-items:center;background:#F6F7F9'>{images}");
        let page = format!("document.write({}); document.close()", json!(body));
        self.evaluate(&page).await;
        self.wait_until("its parts are loaded", "[...document.images].every((image) => image.complete)").await;
        let size = "const parts = [...document.images]; \
             return [parts.reduce((sum, part) => sum + part.width, 0), Math.max(...parts.map((part) => part.height))]";
        let [width, height] = serde_json::from_value::<[u32; 2]>(self.evaluate(size).await).unwrap();
        self.size(width, height, 2).await;
        let bytes = self.client.screenshot().await.unwrap();
        assert!(bytes.len() <= 300 * 1024, "the picture of the README takes {} bytes", bytes.len());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images/phone-and-coupon.png");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    async fn devtools(&self, command: &str, params: Value) -> Value {
        let body = json!({ "cmd": command, "params": params });
        self.client.issue_cmd(Post { path: "goog/cdp/execute", body }).await.unwrap()
    }
}

/// Reads "… was started successfully on port 41233." from the driver's first lines.
fn read_port(output: &mut impl std::io::BufRead) -> u16 {
    for line in output.lines() {
        let line = line.unwrap();
        if let Some((_, port)) = line.split_once("successfully on port ") {
            return port.trim_end_matches('.').parse().unwrap();
        }
    }
    panic!("chromedriver ended without naming its port")
}
