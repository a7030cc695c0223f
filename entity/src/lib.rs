//! Table shapes: one file a table, plain columns. Times are milliseconds since 1970 UTC.

pub mod access_key;
pub mod campaign;
pub mod campaign_version;
pub mod cap;
pub mod catalog;
pub mod keyword;
pub mod offer;
pub mod placement;
pub mod pool;
pub mod sender;
