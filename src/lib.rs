//! Codewell.

pub mod config;
