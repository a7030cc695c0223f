//! The rules once more, as plainly as they can be told: every answer is worked out from the whole story so far.

use super::steps::{Run, Step, sold};
use super::{DAY_CAP, Said, TWO_A_DAY, TWO_AN_HOUR, WORD_CAP};
use codewell::domain::till::TillRefusal;
use codewell::domain::world::HeldState;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Codes of campaign 0 end after so long.
const LIFE: i64 = 2 * DAY;
/// Kathmandu is ahead of UTC by this, all year.
const AHEAD: i64 = 5 * HOUR + 45 * 60;

#[derive(Debug, Clone)]
struct Code {
    person: u64,
    campaign: usize,
    position: u64,
    by_word: bool,
    at: i64,
    /// The steps that redeemed it and took that back: (step, still stands).
    uses: Vec<(usize, bool)>,
    void: bool,
}

#[derive(Debug, Clone)]
struct Replied {
    at: i64,
    person: u64,
    word: &'static str,
    said: Said,
}

/// The story so far. Times are seconds since the begin of the list, `begin` that many after 1970.
#[derive(Debug, Default)]
pub(super) struct Reference {
    begin: i64,
    now: i64,
    codes: Vec<Code>,
    said: Vec<Option<Said>>,
    replied: Vec<Replied>,
}

impl Reference {
    pub(super) fn at(begin: i64) -> Self {
        Self { begin, ..Self::default() }
    }

    /// How many texts went out.
    pub(super) fn replies(&self) -> usize {
        self.replied.len()
    }

    /// How many codes were given.
    pub(super) fn issued(&self) -> usize {
        self.codes.len()
    }

    /// What is said to the next step; `None` where nothing is asked.
    pub(super) fn step(&mut self, run: Run, steps: &[Step], at: usize) -> Option<Said> {
        let said = self.answer(run, steps, at);
        self.said.push(said.clone());
        said
    }

    fn answer(&mut self, run: Run, steps: &[Step], at: usize) -> Option<Said> {
        Some(match steps.get(at)? {
            Step::Clock(seconds) => {
                self.now += seconds;
                return None;
            }
            Step::Again(of) | Step::Clash(of) => {
                let original = steps.get(*of).filter(|_| *of < at)?;
                if matches!(original, Step::Again(_) | Step::Clash(_) | Step::Clock(_)) {
                    return None;
                }
                if matches!(steps.get(at), Some(Step::Clash(_))) {
                    return Some(Said::KeyReused);
                }
                return self.said.get(*of)?.clone();
            }
            Step::Issue { person, campaign } => self.issue(run, *person, *campaign, false),
            Step::Text { person, word } => self.text(run, *person, word),
            Step::Redeem { person, campaign, position } => {
                let (now, unknown) = (self.now, Said::Declined(*campaign, *position, TillRefusal::UnknownCode));
                let Some(code) = self.code(*person, *campaign, *position) else {
                    return Some(unknown);
                };
                let no = |why| Said::Declined(*campaign, *position, why);
                match state(code, now) {
                    HeldState::Void => unknown,
                    _ if is_past(code, now) => no(TillRefusal::Expired),
                    HeldState::Redeemed => no(TillRefusal::AlreadyRedeemed),
                    _ => {
                        code.uses.push((at, true));
                        Said::Redeemed(*campaign, *position, run.redemption(at))
                    }
                }
            }
            Step::Rollback(of) => {
                let (person, campaign, position) = sold(steps, *of);
                let unknown = Said::Declined(campaign, position, TillRefusal::UnknownCode);
                let Some(code) = self.code(person, campaign, position) else {
                    return Some(unknown);
                };
                let Some(used) = code.uses.iter_mut().find(|(step, _)| step == of) else {
                    return Some(unknown);
                };
                used.1 = false;
                Said::RolledBack(campaign, position, run.redemption(*of))
            }
            Step::Void { person, campaign, position } => {
                let (now, unknown) = (self.now, Said::Declined(*campaign, *position, TillRefusal::UnknownCode));
                let Some(code) = self.code(*person, *campaign, *position) else {
                    return Some(unknown);
                };
                if state(code, now) == HeldState::Redeemed {
                    return Some(Said::Declined(*campaign, *position, TillRefusal::AlreadyRedeemed));
                }
                code.void = true;
                Said::Voided(*campaign, *position)
            }
        })
    }

    fn code(&mut self, person: u64, campaign: usize, position: u64) -> Option<&mut Code> {
        let is = |code: &&mut Code| (code.person, code.campaign, code.position) == (person, campaign, position);
        self.codes.iter_mut().find(is)
    }

    fn day(&self, at: i64) -> i64 {
        (self.begin + at + AHEAD).div_euclid(DAY)
    }

    fn issue(&mut self, run: Run, person: u64, campaign: usize, by_word: bool) -> Said {
        let now = self.now;
        let hers = || self.codes.iter().filter(|code| (code.person, code.campaign) == (person, campaign));
        if let Some(newest) = hers().last() {
            let state = state(newest, now);
            // Campaign 1 gives another one while the newest is unused or used; campaign 0 never.
            let again = campaign == 1 && matches!(state, HeldState::Unused | HeldState::Redeemed);
            if !again {
                return Said::Repeat(campaign, newest.position, state);
            }
        }
        let unused = hers().filter(|code| state(code, now) == HeldState::Unused).last();
        let unused = unused.map(|code| code.position);
        let all = || self.codes.iter().filter(|code| code.campaign == campaign);
        let count = |most: i64, used: usize, resets: Option<i64>| {
            let used = i64::try_from(used).expect("small");
            (used >= most).then_some((used, resets))
        };
        let today = self.day(now);
        let tomorrow = Some((today + 1) * DAY - AHEAD - self.begin);
        let oldest = hers().rfind(|_| true).and(hers().filter(|code| code.at > now - HOUR).map(|code| code.at).next());
        let full = if campaign == 0 {
            [
                count(1, hers().count(), None),
                count(DAY_CAP, all().filter(|code| self.day(code.at) == today).count(), tomorrow),
                None,
                None,
            ]
        } else {
            let word_today = all().filter(|code| code.by_word && self.day(code.at) == today).count();
            [
                count(TWO_A_DAY, hers().filter(|code| self.day(code.at) == today).count(), tomorrow),
                count(TWO_AN_HOUR, hers().filter(|code| code.at > now - HOUR).count(), oldest.map(|at| at + HOUR)),
                count(run.money_cap() / 500, all().count(), None).map(|(used, resets)| (used * 500, resets)),
                count(WORD_CAP, word_today, tomorrow).filter(|_| by_word),
            ]
        };
        if let Some((cap, (used, resets))) = (0..).zip(full).find_map(|(cap, full)| Some((cap, full?))) {
            return Said::Capped { campaign, cap, used, resets, unused };
        }
        let position = u64::try_from(all().count()).expect("small");
        if position >= run.pool(campaign) {
            return unused.map_or(Said::Empty, |position| Said::Repeat(campaign, position, HeldState::Unused));
        }
        let code = Code { person, campaign, position, by_word, at: now, uses: Vec::new(), void: false };
        self.codes.push(code);
        Said::Issued(campaign, position)
    }

    fn text(&mut self, run: Run, person: u64, word: &'static str) -> Said {
        let said = match word {
            "one" => self.issue(run, person, 0, true),
            "two" => self.issue(run, person, 1, true),
            word => Said::Told(word),
        };
        if self.may_reply(person, word, &said) {
            self.replied.push(Replied { at: self.now, person, word, said: said.clone() });
        }
        said
    }

    fn may_reply(&self, person: u64, word: &str, said: &Said) -> bool {
        if matches!(said, Said::Issued(..)) {
            return true;
        }
        let since = |age: i64| self.replied.iter().filter(move |one| one.person == person && one.at > self.now - age);
        let of_law = |word: &str| matches!(word, "stop" | "start" | "help");
        let same_code =
            |one: &&Replied| one.said == *said || one.said.code().is_some() && one.said.code() == said.code();
        let just_said = since(10).filter(|one| one.word == word).any(|one| same_code(&one));
        let in_hour = since(HOUR).filter(|one| one.word == word).count();
        let plain = |one: &&Replied| !of_law(one.word) && !matches!(one.said, Said::Issued(..));
        let in_day = since(DAY).filter(plain).count();
        !just_said && in_hour < if word == "hello" { 1 } else { 10 } && (of_law(word) || in_day < 20)
    }
}

fn is_past(code: &Code, now: i64) -> bool {
    code.campaign == 0 && now >= code.at + LIFE
}

fn state(code: &Code, now: i64) -> HeldState {
    if code.void {
        HeldState::Void
    } else if code.uses.iter().any(|(_, stands)| *stands) {
        HeldState::Redeemed
    } else if is_past(code, now) {
        HeldState::Expired
    } else {
        HeldState::Unused
    }
}
