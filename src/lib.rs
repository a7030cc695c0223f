//! Codewell: one engine that hands out single-use codes, and many doors to it.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod http;
pub mod net;
pub mod redemption;
pub mod sms;
pub mod store;
pub mod workers;
