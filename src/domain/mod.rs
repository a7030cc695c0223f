//! Rules and words: no I/O, no async, no clock, no randomness. Time and chance are arguments.

pub mod code;
pub mod money;
pub mod permutation;
pub mod secret;
pub mod token;
