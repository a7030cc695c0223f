//! What tests stand on: throw-away databases, whole houses, honest skips.

mod campaigns;
mod house;
pub(crate) mod pg;
mod skips;

pub(crate) use campaigns::{campaign, sender};
pub(crate) use house::{House, On, on_both};
pub(crate) use skips::skip;
