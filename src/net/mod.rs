//! Calls to the outside: every HTTP request that leaves this process goes through [`Client`], those to addresses that
//! others chose through [`GuardedClient`].

mod client;
mod guarded;

pub use client::{Answer, Call, CallError, Client, ClientError, Limits};
pub use guarded::{Forbidden, GuardedClient};
pub use reqwest::{Method, Url};
