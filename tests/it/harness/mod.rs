//! What tests stand on: throw-away databases and honest skips.

pub(crate) mod pg;
mod skips;

pub(crate) use skips::skip;
