//! One batch of acts in one transaction: lock, then read, then write.

mod read;
mod spend;
mod statements;
mod write;

pub use read::{Needs, Stock, read};
pub use write::write;
