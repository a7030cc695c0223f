//! Partners: who they are, how they prove it, what they may do.

mod admin;
mod changes;
mod clients;
mod doors;
mod forged;
mod routes;
mod signed;
mod tokens;
