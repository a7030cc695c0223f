//! Floor 4: the doors to the outside.

pub mod problem;
pub mod web;
