//! The rules once more, as plainly as they can be told: every answer is worked out from the whole story so far.

use super::steps::{Run, Step, sold};
use super::{DAY_CAP, ONE_AN_HOUR, Said, TWO_A_DAY, WORD_CAP};
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

/// Whose code, of which campaign, at which position.
type Place = (u64, usize, u64);

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
                let redemption = run.redemption(at);
                self.redeem((*person, *campaign, *position), at, redemption)
            }
            Step::Rollback(of) => self.roll_back(sold(steps, *of), *of, run.redemption(*of)),
            Step::Void { person, campaign, position } => self.void((*person, *campaign, *position)),
        })
    }

    fn redeem(&mut self, (person, campaign, position): Place, at: usize, redemption: String) -> Said {
        let now = self.now;
        let no = |why| Said::Declined(campaign, position, why);
        let Some(code) = self.code(person, campaign, position) else {
            return no(TillRefusal::UnknownCode);
        };
        match (state(code, now), is_past(code, now)) {
            (HeldState::Void, _) => no(TillRefusal::UnknownCode),
            (_, true) => no(TillRefusal::Expired),
            (HeldState::Redeemed, _) => no(TillRefusal::AlreadyRedeemed),
            (HeldState::Unused | HeldState::Expired, _) => {
                code.uses.push((at, true));
                Said::Redeemed(campaign, position, redemption)
            }
        }
    }

    fn roll_back(&mut self, (person, campaign, position): Place, of: usize, redemption: String) -> Said {
        let code = self.code(person, campaign, position);
        let used = code.and_then(|code| code.uses.iter_mut().find(|(step, _)| *step == of));
        let Some(used) = used else {
            return Said::Declined(campaign, position, TillRefusal::UnknownCode);
        };
        used.1 = false;
        Said::RolledBack(campaign, position, redemption)
    }

    fn void(&mut self, (person, campaign, position): Place) -> Said {
        let now = self.now;
        let Some(code) = self.code(person, campaign, position) else {
            return Said::Declined(campaign, position, TillRefusal::UnknownCode);
        };
        if state(code, now) == HeldState::Redeemed {
            return Said::Declined(campaign, position, TillRefusal::AlreadyRedeemed);
        }
        code.void = true;
        Said::Voided(campaign, position)
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
        if let Some(newest) = hers().next_back() {
            let state = state(newest, now);
            // Campaign 1 gives another one while the newest is unused or used; campaign 0 never.
            let again = campaign == 1 && matches!(state, HeldState::Unused | HeldState::Redeemed);
            if !again {
                return Said::Repeat(campaign, newest.position, state);
            }
        }
        let unused = hers().rfind(|code| state(code, now) == HeldState::Unused);
        let unused = unused.map(|code| code.position);
        if let Some((cap, (used, resets))) = self.full(run, person, campaign, by_word) {
            return Said::Capped { campaign, cap, used, resets, unused };
        }
        let taken = self.codes.iter().filter(|code| code.campaign == campaign).count();
        let position = u64::try_from(taken).expect("small");
        if position >= run.pool(campaign) {
            return unused.map_or(Said::Empty, |position| Said::Repeat(campaign, position, HeldState::Unused));
        }
        let code = Code { person, campaign, position, by_word, at: now, uses: Vec::new(), void: false };
        self.codes.push(code);
        Said::Issued(campaign, position)
    }

    /// The first cap that is full: which, what it counted, and when there is room again.
    fn full(&self, run: Run, person: u64, campaign: usize, by_word: bool) -> Option<(u32, (i64, Option<i64>))> {
        let (now, today) = (self.now, self.day(self.now));
        let tomorrow = Some((today + 1) * DAY - AHEAD - self.begin);
        let all = || self.codes.iter().filter(|code| code.campaign == campaign);
        let hers = || all().filter(|code| code.person == person);
        let is_today = |code: &&Code| self.day(code.at) == today;
        let oldest = hers().map(|code| code.at).find(|at| *at > now - HOUR);
        let counted = if campaign == 0 {
            vec![(1, hers().count(), None), (DAY_CAP, all().filter(is_today).count(), tomorrow)]
        } else {
            let in_hour = hers().filter(|code| code.at > now - HOUR).count();
            let by_words = all().filter(is_today).filter(|code| code.by_word).count();
            vec![
                (TWO_A_DAY, hers().filter(is_today).count(), tomorrow),
                (ONE_AN_HOUR, in_hour, oldest.map(|at| at + HOUR)),
                (run.money_cap(), 500 * all().count(), None),
                (if by_word { WORD_CAP } else { i64::MAX }, by_words, tomorrow),
            ]
        };
        (0..).zip(counted).find_map(|(cap, (most, used, resets))| {
            let used = i64::try_from(used).expect("small");
            let adds = if (campaign, cap) == (1, 2) { 500 } else { 1 };
            (used > most - adds).then_some((cap, (used, resets)))
        })
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
        let just_said = since(10).any(|one| one.word == word && one.said == *said);
        let in_hour = since(HOUR).filter(|one| one.word == word).count();
        if word == "stop" && !self.may_confirm(person) {
            return false;
        }
        let plain = |one: &&Replied| !of_law(one.word) && !matches!(one.said, Said::Issued(..));
        let in_day = since(DAY).filter(plain).count();
        !just_said && in_hour < if word == "hello" { 1 } else { 10 } && (of_law(word) || in_day < 20)
    }
    /// STOP is confirmed once: again after five minutes, five times a day, or when she came back in between.
    fn may_confirm(&self, person: u64) -> bool {
        let hers = |word| self.replied.iter().filter(move |one| one.person == person && one.word == word);
        let stops = || hers("stop").map(|one| one.at).filter(|at| *at > self.now - DAY);
        let back = hers("start").map(|one| one.at).max().unwrap_or(i64::MIN);
        let confirmed = stops().any(|at| at > self.now - 300 && at > back);
        !confirmed && stops().count() < 5
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
