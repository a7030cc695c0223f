//! Floor 4: loops in the background.

pub mod catch_up;
pub mod openings;
pub mod sender;
pub mod spool;
pub mod sweeper;
pub mod verifier;
pub mod webhooks;
