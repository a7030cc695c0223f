//! The steps of a connection and how long each may take.

use crate::config::HttpConfig;
use axum::body::{Body, Bytes};
use axum::http::Version;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// What took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// The first byte, the head of a request, or the reading of an answer: the connection is cut.
    Stuck,
    /// The next request: the connection is closed in order.
    Idle,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing was received yet.
    Silent,
    /// A head has begun.
    Head,
    /// Requests are under way.
    Serving,
    /// Everything asked was answered.
    Idle,
}

/// What a connection is doing, noted by its socket and by its requests.
#[derive(Debug)]
pub(super) struct Pulse {
    first_byte: Duration,
    head: Duration,
    idle: Duration,
    write: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    step: Step,
    since: Instant,
    /// Since when the caller takes nothing of what we write.
    blocked: Option<Instant>,
    under_way: usize,
    /// HTTP/2 also sends bytes that begin no request.
    version: Version,
}

impl Pulse {
    pub(super) fn new(limits: &HttpConfig) -> Arc<Self> {
        let state =
            State { step: Step::Silent, since: Instant::now(), blocked: None, under_way: 0, version: Version::HTTP_11 };
        Arc::new(Self {
            first_byte: limits.first_byte_timeout,
            head: limits.head_timeout,
            idle: limits.idle_timeout,
            write: limits.write_timeout,
            state: Mutex::new(state),
        })
    }

    /// When to look again, or what took too long.
    pub(super) fn look(&self, now: Instant) -> Result<Instant, Late> {
        let state = self.state();
        let (due, late) = match (state.step, state.blocked) {
            (Step::Silent, _) => (state.since + self.first_byte, Late::Stuck),
            (Step::Head, _) => (state.since + self.head, Late::Stuck),
            (Step::Idle, None) => (state.since + self.idle, Late::Idle),
            (Step::Serving | Step::Idle, Some(blocked)) => (blocked + self.write, Late::Stuck),
            // The request has its own end; whoever waits for it only looks in now and then.
            (Step::Serving, None) => return Ok(now + self.idle),
        };
        if due <= now { Err(late) } else { Ok(due) }
    }

    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> UnderWay {
        let mut state = self.state();
        state.under_way += 1;
        state.version = version;
        state.step = Step::Serving;
        UnderWay(Arc::clone(self))
    }

    fn end(&self) {
        let mut state = self.state();
        state.under_way = state.under_way.saturating_sub(1);
        if state.under_way == 0 {
            (state.step, state.since) = (Step::Idle, Instant::now());
        }
    }

    pub(super) fn received(&self) {
        let mut state = self.state();
        let begins = match state.step {
            Step::Silent => true,
            Step::Idle => state.version != Version::HTTP_2,
            Step::Head | Step::Serving => false,
        };
        if begins {
            (state.step, state.since) = (Step::Head, Instant::now());
        }
    }

    fn written<T>(&self, written: Poll<T>) -> Poll<T> {
        let mut state = self.state();
        state.blocked = match written {
            Poll::Ready(_) => None,
            Poll::Pending => state.blocked.or_else(|| Some(Instant::now())),
        };
        written
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is a few plain words: a poisoned lock holds a good one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way; dropped, it is over.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Pulse>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl UnderWay {
    /// Stays under way until that answer is out, or given up.
    pub(super) fn until_sent(self, body: Body) -> Body {
        Body::new(Sending { body, _under_way: self })
    }
}

struct Sending {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that tells the pulse what passes through it.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    pulse: Arc<Pulse>,
}

impl Watched {
    pub(super) fn new(stream: TcpStream, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            self.pulse.received();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.pulse.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.pulse.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
