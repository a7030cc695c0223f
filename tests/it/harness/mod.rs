//! What tests stand on: throw-away databases, whole houses, honest skips.

mod askers;
mod campaigns;
mod house;
mod partner;
pub(crate) mod pg;
mod product;
mod skips;
mod stand_in;

pub(crate) use askers::{all, asked_from, capped, elsewhere, from_word, in_one_batch, issued};
pub(crate) use campaigns::{Fixture, campaign, keyword, sender};
pub(crate) use house::{House, On, on_both};
pub(crate) use partner::{TestPartner, partner_door};
pub(crate) use product::{Product, codewell, printed};
pub(crate) use skips::skip;
pub(crate) use stand_in::{Mood, StandIn};
