//! Table shapes: one file a table, plain columns.

pub mod code;
pub mod code_event;
pub mod issuance;
pub mod recipient;
