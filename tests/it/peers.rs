//! Campaigns whose codes another system honours.

mod ground;
mod promises;
mod words;
