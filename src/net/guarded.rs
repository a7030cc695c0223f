//! Calls to addresses that others chose. A name is looked up by us, and only what was looked at is connected to: a name
//! that turns to an address inside between two look-ups (DNS rebinding) leads nowhere.

use super::client::{Answer, Call, CallError, Client, ClientError, Limits};
use crate::domain::address::Allowed;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::sync::Arc;
use thiserror::Error;

/// The way out to others' addresses; cheap to clone.
#[derive(Debug, Clone)]
pub struct GuardedClient {
    /// Connects to public addresses and to networks of the exceptions.
    strict: Client,
    /// Connects to whatever a name of the exceptions leads to.
    open: Client,
    allowed: Arc<Allowed>,
}

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forbidden {
    /// Not https, and no exception.
    #[error("only https addresses are called")]
    Scheme,
    /// Nothing to connect to.
    #[error("the address names no host")]
    Host,
    /// It lies inside, or nowhere.
    #[error("the address is not on the public internet")]
    NotPublic,
    /// It has a user in it.
    #[error("the address holds a user name or password")]
    User,
}

impl GuardedClient {
    /// A client with those limits and exceptions: no redirects, no retries, no proxy.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn new(limits: Limits, allowed: Arc<Allowed>) -> Result<Self, ClientError> {
        Self::with(limits, allowed, Arc::new(System))
    }

    /// With another way to look names up.
    fn with(limits: Limits, allowed: Arc<Allowed>, look_up: Arc<dyn LookUp>) -> Result<Self, ClientError> {
        let guard = Guard { allowed: Arc::clone(&allowed), look_up };
        Ok(Self { strict: Client::resolving(limits, Arc::new(guard))?, open: Client::new(limits)?, allowed })
    }

    /// Makes a call, once, if its address may be called.
    ///
    /// # Errors
    /// [`CallError`]; a forbidden address is [`CallError::Unreachable`], whether it shows here or when its name was
    /// looked up.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        match self.way(&call.url) {
            Ok(client) => client.call(call).await,
            Err(forbidden) => Err(CallError::Unreachable(forbidden.to_string())),
        }
    }

    fn way(&self, url: &Url) -> Result<&Client, Forbidden> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden::User);
        }
        let (host, port) = url.host_str().zip(url.port_or_known_default()).ok_or(Forbidden::Host)?;
        let is_named = self.allowed.names(host, port);
        if url.scheme() != "https" && !(is_named && url.scheme() == "http") {
            return Err(Forbidden::Scheme);
        }
        if is_named {
            return Ok(&self.open);
        }
        // An address in figures is never looked up, so it is looked at here.
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse() {
            Ok(address) if !self.allowed.admits(address) => Err(Forbidden::NotPublic),
            Ok(_) | Err(_) => Ok(&self.strict),
        }
    }
}

/// Looks a name up.
#[async_trait::async_trait]
trait LookUp: std::fmt::Debug + Send + Sync {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<SocketAddr>>;
}

/// As the system does.
#[derive(Debug)]
struct System;

#[async_trait::async_trait]
impl LookUp for System {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        // The port is put in by who connects.
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

/// Looks names up for a client, and gives it only addresses that may be called. A name that leads inside and outside
/// leads nowhere: nobody honest has one.
#[derive(Debug)]
struct Guard {
    allowed: Arc<Allowed>,
    look_up: Arc<dyn LookUp>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, look_up) = (Arc::clone(&self.allowed), Arc::clone(&self.look_up));
        Box::pin(async move {
            let found = look_up.addresses(name.as_str()).await?;
            if found.is_empty() || !found.iter().all(|address| allowed.admits(address.ip())) {
                return Err(Forbidden::NotPublic.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use reqwest::Method;
    use std::sync::Mutex;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    const LIMITS: Limits =
        Limits { connect: Duration::from_secs(5), total: Duration::from_secs(5), answer_bytes: 8_192 };

    /// Answers each look-up with the next of a list.
    #[derive(Debug)]
    struct Turns(Mutex<Vec<Vec<SocketAddr>>>);

    #[async_trait::async_trait]
    impl LookUp for Turns {
        async fn addresses(&self, _: &str) -> std::io::Result<Vec<SocketAddr>> {
            Ok(self.0.lock().unwrap().remove(0))
        }
    }

    async fn refusal(allow: &[&str], turns: Vec<Vec<SocketAddr>>, url: &str) -> String {
        let allowed = Arc::new(Allowed::read(allow.iter().copied()).unwrap());
        let client = GuardedClient::with(LIMITS, allowed, Arc::new(Turns(Mutex::new(turns)))).unwrap();
        let error = client.call(call(url)).await.unwrap_err();
        assert!(!error.may_have_arrived(), "{error}");
        error.to_string()
    }

    fn call(url: &str) -> Call {
        let url = Url::parse(url).unwrap();
        Call { method: Method::POST, url, headers: Vec::new(), body: b"{}".to_vec(), within: None }
    }

    /// A server that counts who connects, and answers 200.
    async fn server() -> (SocketAddr, Arc<Mutex<usize>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, count) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(0)));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                *counted.lock().unwrap() += 1;
                let _ = socket.read(&mut [0; 1024]).await;
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            }
        });
        (address, count)
    }

    #[tokio::test]
    async fn addresses_inside_and_plain_http_are_refused_before_anything_leaves() {
        let (address, count) = server().await;
        let port = address.port();
        for url in [
            format!("https://127.0.0.1:{port}/"),
            format!("https://127.1:{port}/"),
            format!("https://0x7f.0.0.1:{port}/"),
            format!("https://2130706433:{port}/"),
            format!("https://[::ffff:127.0.0.1]:{port}/"),
            format!("https://[::1]:{port}/"),
            format!("https://0.0.0.0:{port}/"),
            "https://169.254.169.254/latest/meta-data".to_owned(),
        ] {
            assert_eq!(
                refusal(&[], Vec::new(), &url).await,
                "no connection: the address is not on the public internet",
                "{url}"
            );
        }
        let plain = refusal(&[], Vec::new(), &format!("http://127.0.0.1:{port}/")).await;
        assert_eq!(plain, "no connection: only https addresses are called");
        let user = refusal(&[], Vec::new(), "https://me@hooks.example/").await;
        assert_eq!(user, "no connection: the address holds a user name or password");
        assert_eq!(*count.lock().unwrap(), 0);
    }

    #[tokio::test]
    async fn a_name_that_turns_inside_between_two_look_ups_is_refused_when_it_is_connected_to() {
        let (address, count) = server().await;
        let outside = "192.0.2.1:0".parse().unwrap();
        let url = format!("https://hooks.example:{}/", address.port());
        for turn in [vec![address], vec!["1.1.1.1:0".parse().unwrap(), address], vec![outside], vec![]] {
            let said = refusal(&[], vec![turn], &url).await;
            assert_eq!(said, "no connection: the address is not on the public internet");
        }
        assert_eq!(*count.lock().unwrap(), 0);
        // The network is an exception, so the same name is connected to; it speaks no TLS.
        let said = refusal(&["127.0.0.0/8"], vec![vec![address]], &url).await;
        assert!(!said.contains("not on the public internet"), "{said}");
        assert_eq!(*count.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn an_exception_is_called_without_tls_at_its_own_port_alone() {
        let (address, count) = server().await;
        let allowed = Arc::new(Allowed::read([address.to_string().as_str()]).unwrap());
        let client = GuardedClient::new(LIMITS, allowed).unwrap();
        let answer = client.call(call(&format!("http://{address}/hook"))).await.unwrap();
        assert_eq!(answer.status, 200);
        assert!(client.call(call("http://127.0.0.1:1/hook")).await.is_err());
        assert_eq!(*count.lock().unwrap(), 1);
    }
}
