//! A carrier's API that answers what it is told to, once per connection, and writes down what it was asked.

use serde::Deserialize;
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What comes back.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Told {
    /// An answer. A body that is not a text is sent as JSON.
    Answer {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: serde_json::Value,
    },
    /// `refused`: nobody listens; `dropped`: the request is read, then the connection closes; `hangs`: nothing comes.
    Word(String),
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

/// Listens, answers each connection with the next of `answers`, and gives what was asked.
pub(super) async fn serve(listener: TcpListener, answers: Vec<Told>) -> Vec<Asked> {
    let mut asked = Vec::new();
    for told in answers {
        let (mut socket, _) = listener.accept().await.unwrap();
        asked.push(read(&mut socket).await);
        match told {
            Told::Answer { status, headers, body } => {
                let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                let mut answer = vec![
                    format!("HTTP/1.1 {status} X"),
                    "connection: close".to_owned(),
                    format!("content-length: {}", body.len()),
                ];
                answer.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
                let answer = answer.join("\r\n");
                let _ = socket.write_all(format!("{answer}\r\n\r\n{body}").as_bytes()).await;
            }
            Told::Word(word) if word == "dropped" => {}
            Told::Word(word) => {
                assert_eq!(word, "hangs", "an answer is {{status, headers, body}}, refused, dropped or hangs");
                while socket.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
            }
        }
    }
    asked
}

async fn read(socket: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let mut more = [0; 4096];
        let n = socket.read(&mut more).await.unwrap();
        assert!(n > 0, "the request ended in its head");
        bytes.extend_from_slice(&more[..n]);
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let (method, path) = (first.next().unwrap(), first.next().unwrap());
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        let mut more = [0; 4096];
        let n = socket.read(&mut more).await.unwrap();
        assert!(n > 0, "the request ended in its body");
        body.extend_from_slice(&more[..n]);
    }
    Asked { method, path, headers, body }
}
