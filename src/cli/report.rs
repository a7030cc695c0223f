//! `codewell report`.

use super::console::Console;
use super::failure::Refused;
use super::place::PlaceArgs;
use crate::domain::money::{Currency, Money};
use crate::engine::{CreditLine, Engine, Grouping, Party, ReportAsk};
use crate::http::admin::CreditReportOut;
use chrono::{Days, Duration, NaiveDate};
use clap::{Args, ValueEnum};

/// Days of a report when nobody says.
const DAYS: u64 = 30;
/// Where a day begins first on Earth: Kiribati's UTC+14.
const FIRST_ZONE_H: i64 = 14;

/// Say who brought what: partners, creators and the house, and everything together
///
/// Codes, sales and commissions of some days, counted with each fact. The lines add up to the total to the unit: a
/// partner's line is the sum of its own daily report, a creator's what her desk shows, and the house's is what is neither.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// The first day, in the zone of each campaign [default: 30 days with the last]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// The last day; at most 92 together [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<NaiveDate>,
    /// Only this campaign
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// Who has a line each
    #[arg(long, value_enum, default_value = "party")]
    by: By,
    /// Print it as one JSON object, as the admin API answers
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// Every partner, every creator and the house
    Party,
    /// Every partner; the creators together
    Partner,
    /// Every creator; the partners together
    Creator,
    /// By the door that codes were asked for at
    Channel,
}

impl From<By> for Grouping {
    fn from(by: By) -> Self {
        match by {
            By::Party => Self::Party,
            By::Partner => Self::Partner,
            By::Creator => Self::Creator,
            By::Channel => Self::Channel,
        }
    }
}

pub(super) async fn report(args: &ReportArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    let house = args.place.open(console).await?;
    let engine = house.desk().await?;
    let (from, to) = days(args, &engine);
    let campaign = match &args.campaign {
        Some(name) => Some(engine.campaign(name).await?.doc.name),
        None => None,
    };
    let of = campaign.as_deref().unwrap_or("all campaigns").to_owned();
    let ask = ReportAsk::new(from, to, campaign);
    let ask = ask.map_err(|error| Refused::because(error.to_string(), "`codewell report --help` says more."))?;
    let Some(report) = engine.credit_report(&ask, args.by.into()).await? else {
        return Err(Refused::because(format!("there is no campaign {of}"), "`codewell campaign list` names them."));
    };
    if args.json {
        return console.say(&serde_json::to_string(&CreditReportOut::from(report))?);
    }
    console.note(&format!("{from} to {to}, {of}"));
    if report.totals.is_empty() {
        console.note("Nobody brought anything.");
        return Ok(());
    }
    let lines: Vec<_> = report.lines.iter().chain(&report.totals).map(|line| cells(line, report.by)).collect();
    aligned(&[vec![HEAD.map(str::to_owned)], lines].concat()).iter().try_for_each(|line| console.say(line))
}

/// The days that are asked for; today is where it has come first.
fn days(args: &ReportArgs, engine: &Engine) -> (NaiveDate, NaiveDate) {
    let today = (engine.parts().clock.now() + Duration::hours(FIRST_ZONE_H)).date_naive();
    let to = args.to.unwrap_or(today);
    (args.from.unwrap_or_else(|| to.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(to)), to)
}

const HEAD: [&str; 9] =
    ["", "issued", "repeats", "assists", "refused", "redeemed", "rolled back", "revenue", "commission"];

fn cells(line: &CreditLine, by: Grouping) -> [String; HEAD.len()] {
    let CreditLine { party, currency, figures, commission } = line;
    let money = |minor: i64| match Currency::parse(currency) {
        Ok(currency) => Money::new(minor, currency).words(),
        Err(_) => format!("{minor} {currency}"),
    };
    let assists = if by == Grouping::Channel { String::new() } else { figures.assists.to_string() };
    [
        name(party),
        figures.issued.to_string(),
        figures.repeats.to_string(),
        assists,
        figures.refused.to_string(),
        figures.redeemed.to_string(),
        figures.rolled_back.to_string(),
        money(figures.revenue),
        commission.map(money).unwrap_or_default(),
    ]
}

fn name(party: &Party) -> String {
    match party {
        Party::Partner(client) => format!("partner {client}"),
        Party::Partners => "partners".to_owned(),
        Party::Creator(handle) => format!("creator {handle}"),
        Party::Creators => "creators".to_owned(),
        Party::Channel(channel) => channel.word().to_owned(),
        Party::House => "house".to_owned(),
        Party::Total => "total".to_owned(),
    }
}

/// Rows as lines: names to the left, numbers to the right of columns as wide as their widest cell.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let wide = |cell: &String| cell.chars().count();
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(wide).max().unwrap_or_default();
    let line = |row: &[String; N]| {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let width = width(at);
            if at == 0 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::cli::tests::{called, talked, written};
    use crate::engine::ReportFigures;
    use insta::assert_snapshot;

    #[test]
    fn names_stand_to_the_left_and_numbers_to_the_right_with_their_money() {
        let line = |party, currency: &str, issued, revenue, commission| {
            let figures = ReportFigures { issued, revenue, ..ReportFigures::default() };
            CreditLine { party, currency: currency.to_owned(), figures, commission }
        };
        let lines = [
            line(Party::Partner("acme-deals".to_owned()), "USD", 12_345, 2_550, None),
            line(Party::Creator("emma".to_owned()), "USD", 7, -100, Some(10)),
            line(Party::House, "EUR", 0, 450, None),
            line(Party::Total, "JPY", 1, 5, Some(0)),
        ];
        let rows: Vec<_> = lines.iter().map(|line| cells(line, Grouping::Party)).collect();
        assert_snapshot!(aligned(&[vec![HEAD.map(str::to_owned)], rows].concat()).join("\n"), @r"
                            issued  repeats  assists  refused  redeemed  rolled back   revenue  commission
        partner acme-deals   12345        0        0        0         0            0    $25.50
        creator emma             7        0        0        0         0            0       -$1       $0.10
        house                    0        0        0        0         0            0  4.50 EUR
        total                    1        0        0        0         0            0        ¥5          ¥0
        ");
        let [_, _, _, assists, ..] = cells(&lines[0], Grouping::Channel);
        assert_eq!(assists, "", "the count by door does not know who only helped");
    }

    #[test]
    fn a_report_of_nothing_says_so_and_wrong_ones_what_to_mend() {
        let dir = tempfile::tempdir().unwrap();
        let (house, file) = written(dir.path());
        called(&["apply", &file, "--yes", "--dir", &house]);
        let (code, out, err) = called(&["report", "--dir", &house]);
        assert!(
            code == 0 && out.is_empty() && err.ends_with("all campaigns\nNobody brought anything.\n"),
            "{out}{err}"
        );
        let days = ["--from", "2026-11-01", "--to", "2026-11-30"];
        let talk = talked(
            dir.path(),
            &house,
            &[
                &[&["report", "--campaign", "shoes", "--by", "channel"][..], &days].concat(),
                &[&["report", "--json"][..], &days].concat(),
                &[&["report", "--campaign", "SHOE"][..], &days].concat(),
                &["report", "--from", "2026-11-30", "--to", "2026-11-01"],
                &["report", "--from", "2026-01-01", "--to", "2026-11-30"],
                &["report", "--from", "yesterday"],
                &["report", "--by", "keyword"],
            ],
        );
        assert_snapshot!(talk, @r#"
        $ codewell report --campaign shoes --by channel --from DAY --to DAY
        DAY to DAY, SHOES
        Nobody brought anything.
        [0]
        $ codewell report --json --from DAY --to DAY
        {"data":[],"totals":[]}
        [0]
        $ codewell report --campaign SHOE --from DAY --to DAY
        codewell: there is no campaign SHOE; did you mean SHOES?
          `codewell campaign list` shows every campaign.
        [1]
        $ codewell report --from DAY --to DAY
        codewell: from, to: DAY comes after 2026-11-01; name the first day first
          `codewell report --help` says more.
        [1]
        $ codewell report --from DAY --to DAY
        codewell: from, to: 334 days together, at most 92; ask for fewer at a time
          `codewell report --help` says more.
        [1]
        $ codewell report --from yesterday
        error: invalid value 'yesterday' for '--from <YYYY-MM-DD>': input contains invalid characters

        For more information, try '--help'.
        [2]
        $ codewell report --by keyword
        error: invalid value 'keyword' for '--by <BY>'
          [possible values: party, partner, creator, channel]

        For more information, try '--help'.
        [2]
        "#);
    }
}
