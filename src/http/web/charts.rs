//! Charts as inline SVG, drawn by us: colours are classes of the stylesheet, words are escaped, nothing is inline.
//!
//! A chart's title says subject and unit; its axis begins at zero and has four to six round ticks; series are named
//! beside their last point; a day without data is a gap. Every day can be reached with the tabulator and says its
//! values; below each chart the same numbers stand in a table.

mod daily;
mod spark;
mod ticks;

use std::fmt;

use askama::filters::HtmlSafe;

pub use spark::spark;

/// A finished `<svg>` element: safe to put into a page as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svg(String);

impl fmt::Display for Svg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Svg {}

/// One day of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// For the axis: "14 Nov".
    pub short: String,
    /// For the day's values and the table: "Sat 14 Nov 2026".
    pub long: String,
}

/// One line of a chart. The first four have colours and marks of their own; more belong into a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// "Issued"; stands beside the last point and heads the table's column.
    pub name: String,
    /// One a day, in the order of the days; none where nothing was measured.
    pub values: Vec<Option<u64>>,
    /// What it is drawn as.
    pub line: Line,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// What the chart is about.
    Solid,
    /// What it is compared with, such as the period before.
    Dashed,
}

/// Most days, or weeks, that can be pointed at: more would touch, and the page would be heavy. A longer range is shown
/// [by weeks](DailyChart::by_weeks).
pub const MOST_POINTS: usize = 62;

/// Numbers of days, as a chart and as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyChart {
    /// Subject and unit: "Codes issued and redeemed per day".
    pub title: String,
    /// Oldest first.
    pub days: Vec<Day>,
    /// At most four.
    pub series: Vec<Series>,
}

impl DailyChart {
    /// Whether any day has a number; without one there is nothing to draw.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.series.iter().any(|series| series.values.iter().any(Option::is_some))
    }

    /// The same numbers summed over weeks, the last of which ends with the last day; a week is named by its first day.
    /// `title` says the new unit: "Codes issued per week".
    #[must_use]
    pub fn by_weeks(&self, title: String) -> Self {
        let first = self.days.len() % 7;
        let starts: Vec<usize> =
            (first > 0).then_some(0).into_iter().chain((first..self.days.len()).step_by(7)).collect();
        let ends = starts.iter().skip(1).copied().chain([self.days.len()]);
        let weeks: Vec<(usize, usize)> = starts.iter().copied().zip(ends).collect();
        let sum = |values: &[Option<u64>], (from, to): (usize, usize)| {
            let measured = values.get(from..to.min(values.len())).unwrap_or_default().iter().flatten();
            measured.copied().reduce(u64::saturating_add)
        };
        let days = weeks.iter().filter_map(|(from, _)| self.days.get(*from));
        let days = days.map(|day| Day { short: day.short.clone(), long: format!("Week from {}", day.long) }).collect();
        let series = self.series.iter().map(|series| Series {
            name: series.name.clone(),
            values: weeks.iter().map(|week| sum(&series.values, *week)).collect(),
            line: series.line,
        });
        Self { title, days, series: series.collect() }
    }

    /// For pages of at least 720 px.
    #[must_use]
    pub fn wide(&self) -> Svg {
        daily::draw(self, daily::WIDE)
    }

    /// For phones: the same data in fewer words, letters at their full size.
    #[must_use]
    pub fn narrow(&self) -> Svg {
        daily::draw(self, daily::NARROW)
    }

    /// The rows of the table, the newest day first: the day and a cell for each series.
    #[must_use]
    pub fn rows(&self) -> Vec<(&str, Vec<String>)> {
        let cells = |day: usize| {
            let value = |series: &Series| series.values.get(day).copied().flatten();
            self.series.iter().map(|series| value(series).map_or_else(|| "no data".to_owned(), number)).collect()
        };
        self.days.iter().enumerate().rev().map(|(day, name)| (name.long.as_str(), cells(day))).collect()
    }
}

/// A whole number as people read it: 12,480; from a million on 1.2 M.
#[must_use]
pub fn number(value: u64) -> String {
    if value >= 1_000_000 {
        let tenths = value / 100_000;
        return if tenths.is_multiple_of(10) {
            format!("{} M", tenths / 10)
        } else {
            format!("{}.{} M", tenths / 10, tenths % 10)
        };
    }
    let (thousands, rest) = (value / 1_000, value % 1_000);
    if thousands > 0 { format!("{thousands},{rest:03}") } else { rest.to_string() }
}

/// Words that may stand in markup.
fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for sign in words.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// A coordinate with one decimal.
fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

#[expect(clippy::cast_precision_loss, reason = "a pixel is coarser than the 53rd bit")]
fn real(value: u64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "days of a chart are few")]
fn place(index: usize) -> f64 {
    index as f64
}

#[cfg(test)]
mod tests;
