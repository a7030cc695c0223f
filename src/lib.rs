//! Codewell.
