//! Table shapes: one file a table, plain columns.

pub mod access_key;
pub mod campaign;
pub mod campaign_version;
pub mod cap;
pub mod catalog;
pub mod code;
pub mod code_event;
pub mod issuance;
pub mod keyword;
pub mod offer;
pub mod placement;
pub mod pool;
pub mod recipient;
pub mod sender;
