//! What tests stand on: throw-away databases, whole houses, honest skips.

mod askers;
mod campaigns;
mod house;
pub(crate) mod pg;
mod skips;

pub(crate) use askers::{all, capped, in_one_batch, issued, settle_all};
pub(crate) use campaigns::{campaign, keyword, sender};
pub(crate) use house::{House, On, on_both, sizes};
pub(crate) use skips::skip;
