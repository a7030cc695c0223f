//! Codewell.

pub mod domain;
