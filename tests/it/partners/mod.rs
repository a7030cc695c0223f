//! Partners: who they are, how they prove it, what they may do.

mod admin;
mod changes;
mod clients;
pub(crate) mod doors;
mod forged;
mod load;
mod routes;
pub(crate) mod signed;
mod tokens;
