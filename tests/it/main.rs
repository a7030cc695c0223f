//! Everything that needs a database, a server or a browser: one binary, one folder an area.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod audit;
mod harness;
