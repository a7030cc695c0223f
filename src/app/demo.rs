//! The documents of the demo: written once, with dates around the day of its first run, and applied like anyone's.

pub mod creators;
pub mod partner;
pub mod peer;

use crate::domain::pattern::Pattern;
use crate::domain::permutation::Permutation;
use chrono::{Days, NaiveDate};

/// The demo's number.
pub const SENDER: &str = "12345";
/// The redemption system that honours BURGER's codes, as the configuration names it.
pub const PEER: &str = "burger-shop";
/// The zone whose calendar the demo's dates follow.
pub const ZONE: chrono_tz::Tz = chrono_tz::America::New_York;

const DOCUMENTS: [(&str, &str); 7] = [
    ("sender.toml", include_str!("../../config/demo/sender.toml")),
    ("pizza.toml", include_str!("../../config/demo/pizza.toml")),
    ("welcome.toml", include_str!("../../config/demo/welcome.toml")),
    ("burger.toml", include_str!("../../config/demo/burger.toml")),
    ("lucky.toml", include_str!("../../config/demo/lucky.toml")),
    ("morning.toml", include_str!("../../config/demo/morning.toml")),
    ("summer.toml", include_str!("../../config/demo/summer.toml")),
];

/// The file of codes that burger.toml names, and how many it has.
pub(super) const CODES: &str = "burger-codes.csv";
const CODE_COUNT: u128 = 1_000;
const CODE_PATTERN: &str = "BRG-!!!!!-!!!!!";

/// The demo's files, by name: seven documents and a list of codes. `today` is the local date in [`ZONE`] on the first
/// run; `seed` is 32 random bytes that choose the codes.
#[must_use]
pub fn documents(today: NaiveDate, seed: &[u8; 32]) -> Vec<(&'static str, String)> {
    let day = |date: Option<NaiveDate>| date.unwrap_or(today).to_string();
    let later = |days| day(today.checked_add_days(Days::new(days)));
    let earlier = |days| day(today.checked_sub_days(Days::new(days)));
    let slots = [
        ("{today}", day(Some(today))),
        ("{in 14 days}", later(14)),
        ("{in 90 days}", later(90)),
        ("{yesterday}", earlier(1)),
        ("{90 days ago}", earlier(90)),
    ];
    let fill = |text: &str| slots.iter().fold(text.to_owned(), |text, (slot, day)| text.replace(slot, day));
    let mut files: Vec<_> = DOCUMENTS.into_iter().map(|(name, text)| (name, fill(text))).collect();
    files.push((CODES, codes(seed)));
    files
}

/// A list of codes as another system would export it.
fn codes(seed: &[u8; 32]) -> String {
    #[expect(clippy::expect_used, reason = "a test reads the pattern")]
    let pattern = Pattern::parse(CODE_PATTERN).expect("the demo's pattern parses");
    let shuffle = Permutation::new(seed, pattern.space());
    let codes = (0..CODE_COUNT).filter_map(|index| pattern.format(shuffle.forward(index)?));
    codes.fold("code\n".to_owned(), |list, code| list + code.expose() + "\n")
}

#[cfg(test)]
mod tests;
