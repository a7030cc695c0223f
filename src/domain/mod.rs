//! Rules and words: no I/O, no async, no clock, no randomness. Time and chance are arguments.

pub mod access_key;
pub mod act;
pub mod address;
pub mod alert;
pub mod alphabet;
pub mod campaign;
pub mod cap;
pub mod catalog;
mod check;
pub mod code;
pub mod creator;
pub mod decision;
pub mod derived;
pub mod document;
pub mod gsm7;
pub mod hold;
pub mod ids;
pub mod keyring;
pub mod keyword;
pub mod language;
pub mod money;
pub mod partner;
pub mod pattern;
pub mod permutation;
pub mod phone;
pub mod profanity;
pub mod reply;
pub mod secret;
pub mod sending;
pub mod session;
pub mod till;
pub mod token;
#[cfg(test)]
mod vectors;
pub mod verdict;
pub mod window;
pub mod world;
