//! One batch of acts in one transaction: lock, then read, then write.

mod claims;
mod consent;
mod holds;
mod partners;
mod pulls;
mod read;
mod session;
mod spend;
mod statements;
mod write;

pub(super) use partners::{COUNT_CREDITS, LOCK_PARTNERS};
pub use read::{Needs, Stock, open_questions, read};
pub(super) use statements::{COUNT_OUTSTANDING, LOCK_CAMPAIGNS, RAISE_ALERTS};
pub use write::write;
