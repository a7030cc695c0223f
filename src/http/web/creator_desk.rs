//! `/creator`: the desk of a creator. Only her own numbers, never a follower's.
//!
//! Three pages lead to it: [`DeskStartView`] (not signed in), [`DeskOpenView`] (the link of a text: a GET never uses
//! it up, the button posts) and [`DeskClosedView`] (403: her desk is suspended). [`DeskNoneView`] stands for it where
//! there is nothing to show.

use askama::Template;

use super::{
    charts::{self, DailyChart},
    icons::Icon,
    qr::QrSvg,
};

/// Why somebody stands before the desk again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskNotice {
    /// The link was opened before.
    LinkUsed,
    /// The link is older than ten minutes.
    LinkExpired,
    /// The session ended by itself.
    SessionEnded,
    /// She signed out.
    SignedOut,
}

impl DeskNotice {
    /// The sentence above the page's own.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::LinkUsed => "This link has been used. Each one opens the desk once; text for a new one.",
            Self::LinkExpired => "This link is older than 10 minutes. Text for a new one.",
            Self::SessionEnded => "Your time at the desk is over. Text for a new link to go on.",
            Self::SignedOut => "You are signed out.",
        }
    }
}

/// How to get in.
#[derive(Debug, Template)]
#[template(path = "creator_start.html", config = ".askama.toml")]
pub struct DeskStartView {
    /// The number to text: "12345".
    pub sender: String,
    /// The word to text: "DESK".
    pub keyword: String,
    /// What brought her here, if anything.
    pub notice: Option<DeskNotice>,
}

/// The page behind the link of a text.
#[derive(Debug, Template)]
#[template(path = "creator_open.html", config = ".askama.toml")]
pub struct DeskOpenView {
    /// Where the button posts: the address of this page.
    pub action: String,
    /// Her name; none when it is not to be said before the link is used.
    pub name: Option<String>,
}

/// Her desk is closed to her: she is suspended. Answered with 403.
#[derive(Debug, Template)]
#[template(path = "creator_closed.html", config = ".askama.toml")]
pub struct DeskClosedView {
    /// Her name.
    pub name: String,
    /// Who can say more: "Acme" or "partners@acme.example".
    pub contact: String,
}

/// There is no desk to show her: no campaign yet (200), or none of that name (404).
#[derive(Debug, Template)]
#[template(path = "creator_none.html", config = ".askama.toml")]
pub struct DeskNoneView {
    /// Her name.
    pub name: String,
    /// Who can say more.
    pub contact: String,
    /// What was asked for and is not hers; none where she has no campaign.
    pub unknown: Option<String>,
    /// Her campaigns.
    pub campaigns: Vec<Choice>,
    /// Where "Sign out" posts.
    pub sign_out: String,
}

/// A choice that lives in the address: a campaign or a range of dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// "Last 30 days".
    pub words: String,
    /// The desk with this choice and the others kept.
    pub href: String,
    /// Whether it is the one shown.
    pub is_current: bool,
}

/// Which way a figure went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// More than before.
    Up,
    /// Less than before.
    Down,
    /// The same.
    Level,
}

/// One of the four figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureCard {
    /// "Issued".
    pub label: &'static str,
    /// "1,312" or "$512.40"; none where nothing was measured.
    pub figure: Option<String>,
    /// What it is of: "91.2 % of 1,438 requests". May be empty.
    pub note: String,
    /// The change to the period before: (trend, "+12.4 %"); none without one.
    pub change: Option<(Trend, String)>,
    /// Its course, oldest first.
    pub course: Vec<Option<u64>>,
}

impl FigureCard {
    fn spark(&self) -> charts::Svg {
        charts::spark(&self.course)
    }
}

/// What she earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommissionView {
    /// "10 % of every sale" or "$2 a redemption".
    pub rate: String,
    /// "$51.24".
    pub pending: String,
    /// When what is pending is confirmed: "30 days after the sale; the next $12.40 on Wed 2 Dec 2026".
    pub pending_note: String,
    /// "$312.00".
    pub confirmed: String,
    /// "$4.10".
    pub reversed: String,
    /// The newest reversals: "$4.10 on 14 Nov 2026, order 10023 returned".
    pub reversals: Vec<String>,
}

/// What is left of her codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolView {
    /// "688 of 2,000 codes left".
    pub words: String,
    /// Codes left.
    pub left: u64,
    /// Codes in all; the meter's end.
    pub cap: u64,
    /// "Codes are given out until Thu 31 Dec 2026, 11:59 PM ET"; none without an end.
    pub ends: Option<String>,
    /// Said when it runs low or out, with what happens then.
    pub warning: Option<String>,
}

impl PoolView {
    /// Tenths of a percent, for the bar.
    fn share(&self) -> u64 {
        (u128::from(self.left.min(self.cap)) * 1_000 / u128::from(self.cap.max(1))).try_into().unwrap_or(0)
    }
}

/// One placement or post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostRow {
    /// "Reel 7" or "Everything else".
    pub name: String,
    /// Its keyword; none where there is only a link.
    pub keyword: Option<String>,
    /// How often its link was opened: "2,310"; "–" without a link.
    pub opens: String,
    /// "96".
    pub requests: String,
    /// "90".
    pub issued: String,
    /// "21".
    pub redeemed: String,
    /// "23.3 %"; "–" where nothing was issued.
    pub rate: String,
    /// "$512.40".
    pub revenue: String,
}

/// What came of her link with one `?sub=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubRow {
    /// "story1".
    pub name: String,
    /// "2,310".
    pub opens: String,
    /// "90".
    pub issued: String,
    /// "21".
    pub redeemed: String,
}

/// Signs that codes of hers are tried by others. It blames nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeakView {
    /// "3 of your codes were tried by people they were not given to, first on Sat 14 Nov 2026, 6:22 PM ET."
    pub words: String,
}

/// What to say and to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitView {
    /// "Text ANNA to 12345 for your own $5 off code".
    pub spoken: String,
    /// The caption with disclosure and link.
    pub caption: String,
    /// As shown: "acme.example/x/anna".
    pub link_shown: String,
    /// In full.
    pub link: String,
    /// The link as a picture (`qr::link_svg`).
    pub qr: QrSvg,
    /// Where the PNG is (`qr::png_file`).
    pub qr_png: String,
    /// Where the SVG is (`qr::svg_file`).
    pub qr_svg: String,
}

/// What was counted; there only once somebody asked for a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskNumbers {
    /// Requests, issued, redeemed, revenue.
    pub cards: [FigureCard; 4],
    /// "Last 30 days, compared with the 30 days before".
    pub period: String,
    /// "Data complete to 14:30"; none when it is complete to now.
    pub complete_to: Option<String>,
    /// Codes per day.
    pub chart: DailyChart,
    /// What she earned; none in a campaign without commission.
    pub commission: Option<CommissionView>,
    /// By placement and post, the best first.
    pub posts: Vec<PostRow>,
    /// By what her link's address said of a post, the best first; empty where it said nothing.
    pub subs: Vec<SubRow>,
    /// Said where more are not shown.
    pub subs_note: Option<String>,
    /// "18 followers you sent had their code already from somebody else. The first to reach a follower has the credit;
    /// these count as assists."
    pub assists: Option<String>,
}

/// The desk.
#[derive(Debug, Template)]
#[template(path = "creator_desk.html", config = ".askama.toml")]
pub struct DeskView {
    /// "Anna".
    pub name: String,
    /// "A".
    pub monogram: String,
    /// "anna".
    pub handle: String,
    /// Her campaigns; shown from two on.
    pub campaigns: Vec<Choice>,
    /// The ranges of dates.
    pub ranges: Vec<Choice>,
    /// A pause of hers or of the campaign, in words: what is stopped and what goes on.
    pub pause: Option<String>,
    /// Signs of a leak.
    pub leak: Option<LeakView>,
    /// None until somebody asked for a code.
    pub numbers: Option<DeskNumbers>,
    /// "Your link was opened 12 times in the last 30 days.", for as long as nobody asked; none where nobody opened it.
    pub opened: Option<String>,
    /// Her pool; none where she hands out the house's codes without a cap of her own.
    pub pool: Option<PoolView>,
    /// Her lines, link and picture.
    pub kit: KitView,
    /// Where "Sign out" posts.
    pub sign_out: String,
}

#[cfg(test)]
mod tests;
