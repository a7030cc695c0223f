//! One batch of acts in one transaction: lock, then read, then write.

mod consent;
mod read;
mod session;
mod spend;
mod statements;
mod write;

pub use read::{Needs, Stock, open_questions, read};
pub(super) use statements::LOCK_CAMPAIGNS;
pub use write::write;
