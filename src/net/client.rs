//! One HTTP call, once, with time-outs and a bound on what the other side may answer.
//!
//! A failed call says whether it can have arrived: what never left may be made again, what may have arrived must be
//! looked up first.

use reqwest::{Method, Url, dns::Resolve, header::HeaderMap, redirect::Policy, retry};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// What one call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, connection and TLS together.
    pub connect: Duration,
    /// The whole call, answer read.
    pub total: Duration,
    /// The longest answer read; a longer one is cut off and is [`CallError::TooLong`].
    pub answer_bytes: usize,
}

/// The way out; cheap to clone, connections are kept alive.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    limits: Limits,
}

/// A request to make.
#[derive(Clone)]
pub struct Call {
    /// How.
    pub method: Method,
    /// Where to, query included.
    pub url: Url,
    /// Names and values; secrets are among them.
    pub headers: Vec<(String, String)>,
    /// The body; empty is none.
    pub body: Vec<u8>,
    /// A shorter time for the whole call than the client's.
    pub within: Option<Duration>,
}

/// Tokens and personal data travel in addresses, headers and bodies: only the host is shown.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        write!(f, "Call({} {host}, {} bytes)", self.method, self.body.len())
    }
}

/// An answer, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// Whether the status is a 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `Retry-After` in seconds; the form with a date is not read.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after").and_then(|value| value.trim().parse().ok()).map(Duration::from_secs)
    }
}

/// Why there is no answer. None of it quotes the address, which may hold a token.
#[derive(Debug, Error)]
pub enum CallError {
    /// No connection: the request surely did not arrive.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// It left, or may have left, and no whole answer came.
    #[error("no whole answer: {0}")]
    Unanswered(String),
    /// It arrived, and the answer is longer than we read.
    #[error("the answer (status {status}) is longer than {limit} bytes")]
    TooLong {
        /// The status it came with.
        status: u16,
        /// The most we read.
        limit: usize,
    },
}

impl CallError {
    /// Whether the other side may have acted on it.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Unreachable(_) => false,
            Self::Unanswered(_) | Self::TooLong { .. } => true,
        }
    }
}

/// The client cannot be made: the system has no usable certificate store.
#[derive(Debug, Error)]
#[error("no HTTP client")]
pub struct ClientError(#[source] reqwest::Error);

impl Client {
    /// A client with those limits: no redirects, no retries, no proxy from the environment, rustls.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn new(limits: Limits) -> Result<Self, ClientError> {
        Self::built(limits, Self::builder(limits))
    }

    /// The same client, but names are looked up by `resolver`.
    pub(super) fn resolving(limits: Limits, resolver: Arc<dyn Resolve>) -> Result<Self, ClientError> {
        Self::built(limits, Self::builder(limits).dns_resolver(resolver))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that makes a client")]
    fn builder(limits: Limits) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .redirect(Policy::none())
            .retry(retry::never())
            .no_proxy()
            .user_agent(concat!("codewell/", env!("CARGO_PKG_VERSION")))
    }

    fn built(limits: Limits, builder: reqwest::ClientBuilder) -> Result<Self, ClientError> {
        Ok(Self { inner: builder.build().map_err(ClientError)?, limits })
    }

    /// Makes a call, once.
    ///
    /// # Errors
    /// [`CallError`]; an answer of any status is none.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        let mut request = self.inner.request(call.method, call.url).body(call.body);
        if let Some(within) = call.within {
            request = request.timeout(within.min(self.limits.total));
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > self.limits.answer_bytes {
                return Err(CallError::TooLong { status, limit: self.limits.answer_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

/// The innermost cause says most and names no address.
fn failed(error: &reqwest::Error) -> CallError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let words = if error.is_timeout() { "time is up".to_owned() } else { cause.to_string() };
    if error.is_connect() || error.is_builder() { CallError::Unreachable(words) } else { CallError::Unanswered(words) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    const LIMITS: Limits =
        Limits { connect: Duration::from_secs(5), total: Duration::from_millis(300), answer_bytes: 64 };

    /// A server that reads a request, says `words` and then keeps quiet until the client leaves.
    async fn says(words: &'static [u8]) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut read = [0; 1024];
            let _ = socket.read(&mut read).await;
            socket.write_all(words).await.unwrap();
            while socket.read(&mut read).await.is_ok_and(|n| n > 0) {}
        });
        Url::parse(&format!("http://{address}/secret?token=s3")).unwrap()
    }

    async fn call(url: Url) -> Result<Answer, CallError> {
        let call = Call { method: Method::GET, url, headers: Vec::new(), body: Vec::new(), within: None };
        assert!(!format!("{call:?}").contains("s3"));
        Client::new(LIMITS).unwrap().call(call).await
    }

    #[tokio::test]
    async fn an_answer_is_read_whatever_its_status_and_redirects_are_not_followed() {
        let url = says(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nhi").await;
        let answer = call(url).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice(), answer.is_success()), (302, b"hi".as_slice(), false));
        assert_eq!(answer.retry_after(), Some(Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn what_never_left_is_told_from_what_may_have_arrived() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        drop(listener);
        assert!(!call(closed).await.unwrap_err().may_have_arrived());
        for words in [b"".as_slice(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"garbage\r\n\r\n"] {
            let error = call(says(words).await).await.unwrap_err();
            assert!(error.may_have_arrived(), "{error}");
            assert!(!error.to_string().contains("s3"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_endless_answer_is_cut_off() {
        let words = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n\
            0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
        let error = call(says(words).await).await.unwrap_err();
        assert!(matches!(error, CallError::TooLong { status: 200, limit: 64 }), "{error}");
    }
}
