//! The words and figures of a creator's desk.

use crate::domain::campaign::Status;
use crate::domain::catalog::CreatorRow;
use crate::domain::creator::{Rate, WhenEmpty, share_kit};
use crate::domain::money::{Currency, Money};
use crate::domain::reply::{day_words, full_words, show_link};
use crate::engine::{DeskReport, Engine, EngineError, Figures, MOST_SUBS};
use crate::http::web::charts::{DailyChart, Day, Line, Series, number};
use crate::http::web::creator_desk::{
    Choice, CommissionView, DeskNumbers, DeskView, FigureCard, KitView, LeakView, PoolView, PostRow, SubRow, Trend,
};
use crate::http::web::qr;
use chrono::{DateTime, Duration, Utc};

/// Where "Sign out" posts.
pub(super) const SIGN_OUT: &str = "/creator/sign-out";
/// The ranges of days that can be chosen.
pub(super) const RANGES: [u64; 3] = [7, 30, 90];
/// Beyond so many days a chart shows weeks.
const MOST_DAYS: usize = 62;

/// What she finds at her desk.
pub(super) enum Found {
    /// Her part in a campaign.
    Desk(Box<DeskView>),
    /// She has no part in any, or none that can be asked for yet.
    NoCampaign,
    /// She has parts in these, and not in the one of that name.
    NotHers(String, Vec<Choice>),
}

/// Her desk, or why there is none.
pub(super) async fn desk(
    engine: &Engine,
    creator: &CreatorRow,
    campaign: Option<&str>,
    days: u64,
) -> Result<Found, EngineError> {
    let campaigns = engine.desk_campaigns(creator.id);
    let Some(first) = campaigns.first().cloned() else {
        return Ok(Found::NoCampaign);
    };
    let chosen = campaign.map_or(first, str::to_owned);
    let href = |campaign: &str, days: u64| format!("/creator?campaign={}&days={days}", encoded(campaign));
    let choice = |words: String, href, is_current| Choice { words, href, is_current };
    let hers = || campaigns.iter().map(|name| choice(name.clone(), href(name, days), *name == chosen)).collect();
    let Some(report) = engine.desk_report(creator, &chosen, days).await? else {
        let hers = hers();
        return Ok(Found::NotHers(chosen, hers));
    };
    let now = engine.parts().clock.now();
    let Some(kit) = kit(engine, creator, &report) else {
        return Ok(Found::NoCampaign);
    };
    Ok(Found::Desk(Box::new(DeskView {
        name: creator.name.clone(),
        monogram: creator.name.chars().take(1).flat_map(char::to_uppercase).collect(),
        handle: creator.handle.clone(),
        campaigns: hers(),
        ranges: RANGES.map(|one| choice(format!("Last {one} days"), href(&chosen, one), one == days)).to_vec(),
        pause: pause(&report, now),
        leak: report.leak.map(|(n, since)| leak(&report, n, since)),
        numbers: (!report.is_new).then(|| numbers(&report, days, now)),
        opened: opened(report.opens, days),
        pool: Some(pool(&report)),
        kit,
        sign_out: SIGN_OUT.to_owned(),
    })))
}

/// Her link in full.
pub(super) fn link(engine: &Engine, creator: &CreatorRow, campaign: Option<&str>) -> Option<String> {
    let campaigns = engine.desk_campaigns(creator.id);
    let name = campaign.or_else(|| campaigns.first().map(String::as_str))?;
    let catalog = engine.catalog();
    let record = catalog.rows.campaigns.iter().find(|record| record.doc.name == name)?;
    let part = record.doc.creators.get(&creator.handle)?;
    let base = engine.parts().public_url.trim_end_matches('/').to_owned();
    Some(format!("{base}/x/{}", part.slug(&creator.handle)))
}

fn kit(engine: &Engine, creator: &CreatorRow, report: &DeskReport) -> Option<KitView> {
    let catalog = engine.catalog();
    let word = report.part.word(&creator.handle)?;
    let (sender, _) = catalog.word_of(report.campaign.id)?;
    let sender = catalog.senders.get(&sender)?.address.clone();
    let benefit = report.campaign.offers.last().map(|offer| offer.title.clone()).unwrap_or_default();
    let path = format!("/x/{}", report.part.slug(&creator.handle));
    let link_shown = show_link(&engine.parts().public_url, &path);
    let link = format!("{}{path}", engine.parts().public_url.trim_end_matches('/'));
    let lines = share_kit(&word, &sender, &benefit, &link_shown, &creator.disclosure);
    let query = format!("?campaign={}", encoded(&report.campaign.name));
    Some(KitView {
        spoken: lines.spoken,
        caption: lines.caption,
        link_shown,
        qr: qr::link_svg(&link).ok()?,
        link,
        qr_png: format!("/creator/qr.png{query}"),
        qr_svg: format!("/creator/qr.svg{query}"),
    })
}

fn pause(report: &DeskReport, now: DateTime<Utc>) -> Option<String> {
    let campaign = &report.campaign;
    let kept = "Codes your followers have stay valid.";
    let over = campaign.status == Status::Ended || campaign.ends_at.is_some_and(|end| end <= now);
    let name = &campaign.name;
    if over {
        return Some(format!("{name} is over: no more codes are given out. {kept}"));
    }
    (campaign.status == Status::Paused).then(|| format!("{name} is on a break: no codes are given out now. {kept}"))
}

fn leak(report: &DeskReport, n: i64, since: DateTime<Utc>) -> LeakView {
    let tried = match n {
        1 => "One of your codes was tried by people it was not given to".to_owned(),
        n => format!("{} of your codes were tried by people they were not given to", count(n)),
    };
    let since = full_words(since, report.campaign.zone);
    LeakView { words: format!("{tried}, first on {since}.") }
}

fn opened(opens: i64, days: u64) -> Option<String> {
    let times = match opens {
        ..=0 => return None,
        1 => "once".to_owned(),
        n => format!("{} times", count(n)),
    };
    Some(format!("Your link was opened {times} in the last {days} days."))
}

fn numbers(report: &DeskReport, days: u64, now: DateTime<Utc>) -> DeskNumbers {
    let Figures { requests, issued, redeemed, .. } = report.now;
    let course = |of: fn(&Figures) -> i64| {
        report.days.iter().map(|(_, figures)| u64::try_from(of(figures)).ok()).collect::<Vec<_>>()
    };
    let card = |label, figure: String, note, (is, was): (i64, i64), course| FigureCard {
        label,
        figure: Some(figure),
        note,
        change: change(is, was),
        course,
    };
    let before = report.before;
    let cards = [
        card("Requests", count(requests), String::new(), (requests, before.requests), course(|one| one.requests)),
        card(
            "Issued",
            count(issued),
            share(issued, requests, "requests"),
            (issued, before.issued),
            course(|one| one.issued),
        ),
        card(
            "Redeemed",
            count(redeemed),
            share(redeemed, issued, "codes"),
            (redeemed, before.redeemed),
            course(|one| one.redeemed),
        ),
        card(
            "Revenue",
            money(report, report.now.revenue),
            String::new(),
            (report.now.revenue, before.revenue),
            course(|one| one.revenue),
        ),
    ];
    DeskNumbers {
        cards,
        period: format!("Last {days} days, compared with the {days} days before"),
        complete_to: None,
        chart: chart(report),
        commission: commission(report, now),
        posts: report.posts.iter().map(|(post, figures)| row(report, post.as_ref(), figures)).collect(),
        subs: report.subs.iter().map(sub).collect(),
        subs_note: (report.subs.len() == MOST_SUBS).then(|| format!("The {MOST_SUBS} best are shown.")),
        assists: (report.now.assists > 0).then(|| {
            format!(
                "{} you sent had a code already from somebody else. The first to reach a follower has the credit; these count as assists.",
                if report.now.assists == 1 { "One follower".to_owned() } else { format!("{} followers", count(report.now.assists)) }
            )
        }),
    }
}

fn chart(report: &DeskReport) -> DailyChart {
    let days = report
        .days
        .iter()
        .map(|(day, _)| Day { short: day.format("%-d %b").to_string(), long: day.format("%a %-d %b %Y").to_string() });
    let series = |name: &str, of: fn(&Figures) -> i64| Series {
        name: name.to_owned(),
        values: report.days.iter().map(|(_, figures)| Some(u64::try_from(of(figures)).unwrap_or(0))).collect(),
        line: Line::Solid,
    };
    let daily = DailyChart {
        title: "Codes issued and redeemed per day".to_owned(),
        days: days.collect(),
        series: vec![series("Issued", |one| one.issued), series("Redeemed", |one| one.redeemed)],
    };
    if report.days.len() > MOST_DAYS { daily.by_weeks("Codes issued and redeemed per week".to_owned()) } else { daily }
}

fn commission(report: &DeskReport, now: DateTime<Utc>) -> Option<CommissionView> {
    let (terms, earned, reversals) = report.commission.as_ref()?;
    let zone = report.campaign.zone;
    let days = terms.hold.num_days();
    let next = earned.next.map(|(at, minor)| {
        let day = day_words(at + terms.hold, zone, now);
        format!("; the next {} on {day}", money(report, minor))
    });
    let reversal = |one: &crate::engine::Reversal| {
        let order = one.order.as_ref().map(|order| format!(", order {order}")).unwrap_or_default();
        format!("{} on {}{order}", money(report, one.amount), day_words(one.at, zone, now))
    };
    Some(CommissionView {
        rate: match terms.rate {
            Rate::Flat { minor } => format!("{} a redemption", money(report, minor)),
            Rate::Percent { basis_points } => format!("{} % of every sale", f64::from(basis_points) / 100.0),
        },
        pending: money(report, earned.pending),
        pending_note: format!("{days} days after the sale{}", next.unwrap_or_default()),
        confirmed: money(report, earned.confirmed),
        reversed: money(report, earned.reversed),
        reversals: reversals.iter().map(reversal).collect(),
    })
}

fn row(report: &DeskReport, post: Option<&(String, String)>, figures: &Figures) -> PostRow {
    let rate = if figures.issued > 0 { percent(figures.redeemed, figures.issued) } else { "–".to_owned() };
    PostRow {
        name: post.map_or_else(|| "Everything else".to_owned(), |(name, _)| name.clone()),
        keyword: post.map(|(_, word)| word.clone()).filter(|word| !word.is_empty()),
        opens: if post.is_none() { count(report.opens) } else { "–".to_owned() },
        requests: count(figures.requests),
        issued: count(figures.issued),
        redeemed: count(figures.redeemed),
        rate,
        revenue: money(report, figures.revenue),
    }
}

fn sub(row: &crate::engine::SubRow) -> SubRow {
    SubRow {
        name: row.sub_id.clone(),
        opens: count(row.opens),
        issued: count(row.issued),
        redeemed: count(row.redeemed),
    }
}

fn pool(report: &DeskReport) -> PoolView {
    let (left, cap) = (report.left, report.of);
    let then = match report.part.when_empty {
        WhenEmpty::HousePool | WhenEmpty::SoldOut if left == 0 => "Your followers hear that it is sold out.",
        WhenEmpty::HousePool | WhenEmpty::SoldOut => "Ask for more before they are gone.",
    };
    let is_low = left * 10 <= cap;
    let ends = report.terms.ends_at.into_iter().chain(report.campaign.ends_at).min();
    PoolView {
        words: format!("{} of {} codes left", number(left), number(cap)),
        left,
        cap,
        ends: ends.map(|end| {
            format!("Codes are given out until {}", full_words(end - Duration::seconds(1), report.campaign.zone))
        }),
        warning: is_low
            .then(|| format!("{} {then}", if left == 0 { "All codes are gone." } else { "Few codes are left." })),
    }
}

fn change(is: i64, was: i64) -> Option<(Trend, String)> {
    if was <= 0 {
        return None;
    }
    let tenths = tenths(is - was, was);
    let (sign, trend) = match tenths {
        1.. => ("+", Trend::Up),
        0 => ("±", Trend::Level),
        i64::MIN..=-1 => ("−", Trend::Down),
    };
    Some((trend, format!("{sign}{}.{} %", tenths.abs() / 10, tenths.abs() % 10)))
}

/// Tenths of a percent, rounded half away from zero.
fn tenths(part: i64, whole: i64) -> i64 {
    (part * 2_000 + part.signum() * whole) / (2 * whole)
}

fn percent(part: i64, whole: i64) -> String {
    let tenths = tenths(part.max(0), whole.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn share(part: i64, whole: i64, of: &str) -> String {
    if whole > 0 { format!("{} of {} {of}", percent(part, whole), count(whole)) } else { String::new() }
}

fn count(n: i64) -> String {
    number(u64::try_from(n).unwrap_or(0))
}

fn money(report: &DeskReport, minor: i64) -> String {
    let offer = report.campaign.offers.last();
    let currency = offer.and_then(|offer| Currency::parse(&offer.currency).ok()).unwrap_or(Currency::USD);
    Money::new(minor, currency).words()
}

/// A text as part of a query.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_changes_are_rounded_to_the_nearest_tenth() {
        assert_eq!(
            [percent(2, 3), percent(1, 3), percent(378, 1_204), percent(0, 5)].join(", "),
            "66.7 %, 33.3 %, 31.4 %, 0.0 %"
        );
        let changes = [change(5, 3), change(1, 3), change(2_001, 2_000), change(3, 3), change(3, 0)];
        let words = changes.map(|one| one.map_or_else(|| "none".to_owned(), |(_, words)| words));
        assert_eq!(words.join(", "), "+66.7 %, −66.7 %, +0.1 %, ±0.0 %, none");
    }
}
