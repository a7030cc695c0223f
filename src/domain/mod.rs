//! Rules and words: no I/O, no async, no clock, no randomness. Time and chance are arguments.

pub mod act;
pub mod campaign;
pub mod cap;
pub mod catalog;
pub mod decision;
pub mod gsm7;
pub mod ids;
pub mod keyword;
pub mod reply;
pub mod till;
#[cfg(test)]
mod vectors;
pub mod window;
pub mod world;
