//! Calls to the outside: every HTTP request that leaves this process goes through [`Client`].

mod client;

pub use client::{Answer, Call, CallError, Client, ClientError, Limits};
pub use reqwest::{Method, Url};
