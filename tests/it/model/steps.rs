//! What a list of acts is made of, and the acts themselves.

use super::SENDER;
use crate::harness::House;
use codewell::domain::act::{Act, Ask, Presented, Text, Undo};
use codewell::domain::ids::{CampaignId, SenderId, Spot};
use proptest::prelude::*;

/// How many persons there are.
const PERSONS: u64 = 4;
/// Steps of a list.
const LONGEST: usize = 100;
/// How many codes of each campaign are tried.
const POSITIONS: u64 = 4;
const WORDS: [&str; 7] = ["one", "two", "hello", "mycodes", "help", "stop", "start"];

/// One step of a list. Campaigns are 0 and 1, a step is named by its number in the list.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Issue {
        person: u64,
        campaign: usize,
    },
    Text {
        person: u64,
        word: &'static str,
    },
    Redeem {
        person: u64,
        campaign: usize,
        position: u64,
    },
    /// Takes back what that step redeemed; where it is no sale, what nobody redeemed.
    Rollback(usize),
    Void {
        person: u64,
        campaign: usize,
        position: u64,
    },
    /// That step once more, word for word.
    Again(usize),
    /// Its key with something else.
    Clash(usize),
    /// Time passes, seconds.
    Clock(i64),
}

impl Step {
    /// Names earlier steps by their numbers, where they were told by how far back they are.
    fn placed(self, at: usize) -> Self {
        let of = |back: usize| at.saturating_sub(back);
        match self {
            Self::Rollback(back) => Self::Rollback(of(back)),
            Self::Again(back) => Self::Again(of(back)),
            Self::Clash(back) => Self::Clash(of(back)),
            Self::Issue { .. } | Self::Text { .. } | Self::Redeem { .. } | Self::Void { .. } | Self::Clock(_) => self,
        }
    }
}

/// Lists of steps, those that give codes and use them the most.
pub(super) fn lists() -> impl Strategy<Value = Vec<Step>> {
    let placed = |steps: Vec<Step>| (0..).zip(steps).map(|(at, step)| step.placed(at)).collect();
    proptest::collection::vec(step(), 1..LONGEST).prop_map(placed)
}

fn step() -> impl Strategy<Value = Step> {
    let person = 0..PERSONS;
    let code = (0..PERSONS, 0..2_usize, 0..POSITIONS);
    // So many steps back, until the step knows its place.
    let earlier = 1..12_usize;
    prop_oneof![
        4 => (person.clone(), 0..2_usize).prop_map(|(person, campaign)| Step::Issue { person, campaign }),
        6 => (person, proptest::sample::select(&WORDS[..])).prop_map(|(person, word)| Step::Text { person, word }),
        9 => code.clone().prop_map(|(person, campaign, position)| Step::Redeem { person, campaign, position }),
        3 => earlier.clone().prop_map(Step::Rollback),
        1 => code.prop_map(|(person, campaign, position)| Step::Void { person, campaign, position }),
        2 => earlier.clone().prop_map(Step::Again),
        1 => earlier.prop_map(Step::Clash),
        3 => proptest::sample::select(&[1, 9, 10, 60, 3_599, 3_600, 40_000, 86_400, 200_000][..]).prop_map(Step::Clock),
    ]
}

/// The campaigns, phones and keys that one run uses, apart from those of every other run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) number: u32,
}

impl Run {
    pub(super) fn campaign(self, which: usize) -> u32 {
        2 * self.number + u32::try_from(which).expect("small") + 1
    }

    /// Codes in the pool of a campaign: every other run has fewer than its caps allow.
    pub(super) fn pool(self, which: usize) -> u64 {
        match (self.number % 2, which) {
            (0, 0) => 2,
            (0, _) => 4,
            (_, _) => 20,
        }
    }

    /// Minor units that the codes of campaign 1 may cost.
    pub(super) fn money_cap(self) -> i64 {
        if self.number.is_multiple_of(2) { 100_000 } else { 2_750 }
    }

    fn phone(self, person: u64) -> u64 {
        1_000 * u64::from(self.number) + person
    }

    /// The id of the redemption that a step made.
    pub(super) fn redemption(self, step: usize) -> String {
        format!("rd_{:032x}", self.id(step))
    }

    fn id(self, step: usize) -> u128 {
        (u128::from(self.number) << 64) | u128::try_from(step).expect("small")
    }

    /// The act of a step; `None` for the clock and for what repeats nothing.
    pub(super) fn act(self, house: &House, steps: &[Step], at: usize) -> Option<Act> {
        let spot =
            |campaign: usize, position: u64| Spot { campaign: CampaignId(self.campaign(campaign)), pool: 1, position };
        let (person, ask) = match steps.get(at)? {
            Step::Issue { person, campaign } => (*person, Ok(self.campaign(*campaign))),
            Step::Text { person, word } => {
                let word = match *word {
                    "one" => crate::harness::keyword(self.campaign(0)),
                    "two" => crate::harness::keyword(self.campaign(1)),
                    word => word.to_owned(),
                };
                let text =
                    Text { sender: SenderId(SENDER), text: word, from_machine: false, range: None, carrier_said: None };
                (*person, Err(Ask::Text(text)))
            }
            Step::Redeem { person, campaign, position } => {
                let shown = Presented { amount: Some(900), ..Presented::default() };
                (*person, Err(Ask::Redeem(spot(*campaign, *position), shown)))
            }
            Step::Rollback(of) => {
                let (person, campaign, position) = sold(steps, *of);
                let (reason, provider) = ("model".to_owned(), "till".to_owned());
                let undo = Undo { redemption: self.redemption(*of), reason, refund: None, provider };
                (person, Err(Ask::Rollback(spot(campaign, position), undo)))
            }
            Step::Void { person, campaign, position } => {
                (*person, Err(Ask::Void(spot(*campaign, *position), "model".to_owned())))
            }
            Step::Again(of) => return self.original(house, steps, at, *of),
            Step::Clash(of) => {
                let mut act = self.original(house, steps, at, *of)?;
                act.fingerprint = [1; 32];
                return Some(act);
            }
            Step::Clock(_) => return None,
        };
        let key = format!("model-{}-{at}", self.number);
        let campaign = ask.as_ref().copied().unwrap_or(self.campaign(0));
        let mut act = house.act(campaign, self.phone(person), key);
        act.id = self.id(at).to_be_bytes();
        if let Err(ask) = ask {
            act.ask = ask;
        }
        Some(act)
    }

    /// An earlier act that is no repetition itself.
    fn original(self, house: &House, steps: &[Step], at: usize, of: usize) -> Option<Act> {
        let is_act = !matches!(steps.get(of)?, Step::Again(_) | Step::Clash(_) | Step::Clock(_));
        (of < at && is_act).then(|| self.act(house, steps, of))?
    }
}

/// Whose code, of which campaign, at which position a step wants to sell or take back.
pub(super) fn sold(steps: &[Step], of: usize) -> (u64, usize, u64) {
    match steps.get(of) {
        Some(Step::Redeem { person, campaign, position } | Step::Void { person, campaign, position }) => {
            (*person, *campaign, *position)
        }
        _ => (0, 0, 0),
    }
}
