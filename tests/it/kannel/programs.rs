//! Kannel's three programs, each under a shell that ends it when this process ends, however it ends.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// Ends the program when the pipe to us closes.
const WATCHDOG: &str = r#"
"$@" </dev/null 2>&1 &
pid=$!
exec >/dev/null 2>&1
read -r _
kill -KILL "$pid"
wait "$pid"
"#;

/// Each of them is up in well under a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the programs are.
pub(super) struct Installed {
    bearerbox: PathBuf,
    smsbox: PathBuf,
    fakesmsc: PathBuf,
}

impl Installed {
    /// Debian's packages `kannel` and `kannel-extras`; `None` where one is missing.
    pub(super) fn find() -> Option<Self> {
        let find = |folders: &[&str], name: &str| {
            folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
        };
        let programs = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
        Some(Self {
            bearerbox: find(&programs, "bearerbox")?,
            smsbox: find(&programs, "smsbox")?,
            fakesmsc: find(&["/usr/lib/kannel/test", "/usr/local/lib/kannel/test"], "fakesmsc")?,
        })
    }
}

/// A program that runs, and what it says.
struct Program {
    name: &'static str,
    watchdog: Child,
    lines: mpsc::UnboundedReceiver<String>,
    /// What it said so far, for the message of a test that fails.
    said: Vec<String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        // The shell ends the program when its input closes, and then itself.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

impl Program {
    fn start(name: &'static str, path: &Path, args: &[&str], dir: &Path) -> Self {
        let mut watchdog = Command::new("/bin/sh")
            .args(["-c", WATCHDOG, "sh"])
            .arg(path)
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let output = watchdog.stdout.take().expect("a pipe");
        let (tell, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            // Its words may be in any characters; a line of ours is not.
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                if tell.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { name, watchdog, lines, said: Vec::new() }
    }

    /// The next line with these words.
    async fn says(&mut self, words: &str) -> String {
        let found = async {
            while let Some(line) = self.lines.recv().await {
                self.said.push(line.clone());
                if line.contains(words) {
                    return line;
                }
            }
            panic!("{} ended before it said {words:?}:\n{}", self.name, self.said.join("\n"));
        };
        let in_time = tokio::time::timeout(PATIENCE, found).await.ok();
        in_time.unwrap_or_else(|| panic!("{} did not say {words:?}:\n{}", self.name, self.said.join("\n")))
    }
}

/// A running Kannel with a fake SMSC. The programs end in the order of the fields.
pub(super) struct Kannel {
    smsc: Program,
    _smsbox: Program,
    _bearerbox: Program,
    _dir: tempfile::TempDir,
}

impl Kannel {
    /// Starts all three: texts go to `hook`, and a phone texts those words at once.
    pub(super) async fn start(installed: &Installed, ports: Ports, hook: &str, texts: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let Ports { admin, smsbox, smsc, sendsms } = ports;
        let bearerbox_conf = format!(
            r#"group = core
admin-port = {admin}
admin-password = made-up
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
smsbox-port = {smsbox}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
"#
        );
        let smsbox_conf = format!(
            r#"group = core
admin-port = {admin}
smsbox-port = {smsbox}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
http-request-retry = 3
http-queue-delay = 1

group = sms-service
keyword = default
catch-all = yes
post-url = "{hook}"
max-messages = 0
omit-empty = yes

group = sendsms-user
username = codewell
password = kannel-password-made-up
user-deny-ip = "*.*.*.*"
user-allow-ip = "127.0.0.1"
max-messages = 5
concatenation = yes
"#
        );
        for (name, text) in [("bearerbox.conf", bearerbox_conf), ("smsbox.conf", smsbox_conf)] {
            std::fs::write(dir.path().join(name), text).expect("a file can be written");
        }
        let mut bearerbox = Program::start("bearerbox", &installed.bearerbox, &["bearerbox.conf"], dir.path());
        bearerbox.says("Start-up done, entering mainloop").await;
        let mut smsbox = Program::start("smsbox", &installed.smsbox, &["smsbox.conf"], dir.path());
        smsbox.says("Connected to bearerbox").await;
        let port = smsc.to_string();
        let args = ["-H", "127.0.0.1", "-r", &port, "-i", "0.1", "-m", "1", texts];
        let smsc = Program::start("fakesmsc", &installed.fakesmsc, &args, dir.path());
        Self { smsc, _smsbox: smsbox, _bearerbox: bearerbox, _dir: dir }
    }

    /// The next message that the phone's network got.
    pub(super) async fn got(&mut self) -> String {
        self.smsc.says("Got message").await
    }

    /// How many messages it got.
    pub(super) fn count(&mut self) -> usize {
        while let Ok(line) = self.smsc.lines.try_recv() {
            self.smsc.said.push(line);
        }
        self.smsc.said.iter().filter(|line| line.contains("Got message")).count()
    }
}

/// Where the programs meet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    admin: u16,
    smsbox: u16,
    smsc: u16,
    /// Where messages are handed over.
    pub(super) sendsms: u16,
}

/// Below what systems give to clients (32768 on Linux), so that nobody gets one of them while they are between us and
/// the program; begun at another place by every process.
static NEXT: AtomicU16 = AtomicU16::new(0);
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

impl Ports {
    /// Four that nobody listens on.
    pub(super) fn free() -> Self {
        let [admin, smsbox, smsc, sendsms] = std::array::from_fn(|_| free());
        Self { admin, smsbox, smsc, sendsms }
    }
}

fn free() -> u16 {
    let begin = u16::try_from(std::process::id() % u32::from(COUNT)).expect("it is below 12000");
    loop {
        let n = NEXT.fetch_add(1, Ordering::SeqCst);
        assert!(n < COUNT, "there is no free port");
        let port = FIRST + (begin + n) % COUNT;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}
