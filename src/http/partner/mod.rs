//! The partner API.

pub mod auth;

pub use auth::{PartnerDoor, requires};
