//! Rules and words of the business: pure functions and types, without I/O, clock or chance.

pub mod gsm7;
pub mod keyword;
pub mod reply;
#[cfg(test)]
mod vectors;
