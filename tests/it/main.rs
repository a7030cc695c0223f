//! Everything that needs a database, a server or a browser: one binary, one folder an area.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod adapters;
mod alerts;
mod apply;
mod audit;
mod caps;
mod carriers;
mod changes;
mod claims;
mod codes;
mod conversations;
mod counted;
mod crash;
mod creators;
mod creators_admin;
mod credit_report;
mod desks;
mod doctor;
mod doors;
#[cfg(feature = "faults")]
mod faults;
mod fuzz;
mod harness;
mod interop;
mod kannel;
mod killed;
mod looks;
mod migrations;
mod model;
mod numbers;
mod partners;
mod partners_api;
mod peers;
mod pruning;
mod pulls;
mod races;
mod refunds;
mod sales;
mod sender;
mod shop;
mod spool;
mod texts;
mod till;
mod tour;
mod webhooks;
mod windows;
mod zones;
