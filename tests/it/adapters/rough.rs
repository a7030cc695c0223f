//! A server that misbehaves: it takes a request and answers what its mood says, in bytes.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What it does with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mood {
    /// Answers these bytes and closes.
    Says(&'static str),
    /// Reads and closes without an answer.
    Drops,
    /// Reads and keeps quiet.
    Hangs,
    /// Answers 200 and a body without end.
    Endless,
}

/// The server; dropping it ends it.
pub(super) struct Rough {
    pub(super) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Rough {
    pub(super) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                open.spawn(serve(socket, mood));
            }
        });
        Self { address, _tasks: tasks }
    }
}

async fn serve(mut socket: TcpStream, mood: Mood) {
    let mut read = [0; 4096];
    if socket.read(&mut read).await.is_err() {
        return;
    }
    match mood {
        Mood::Drops => {}
        Mood::Says(bytes) => {
            let _ = socket.write_all(bytes.as_bytes()).await;
        }
        Mood::Hangs => while socket.read(&mut read).await.is_ok_and(|count| count > 0) {},
        Mood::Endless => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
            let chunk = format!("10000\r\n{}\r\n", "[".repeat(0x10000));
            let mut going = socket.write_all(head.as_bytes()).await.is_ok();
            while going {
                going = socket.write_all(chunk.as_bytes()).await.is_ok();
            }
        }
    }
}
