//! Rules and words: no I/O, no async, no clock, no randomness. Time and chance are arguments.

pub mod alphabet;
mod check;
pub mod code;
pub mod derived;
pub mod keyring;
pub mod money;
pub mod pattern;
pub mod permutation;
pub mod phone;
pub mod profanity;
pub mod secret;
pub mod token;
