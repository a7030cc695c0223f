//! Floor 4: loops in the background.

pub mod sender;
pub mod spool;
