//! The chart over days.

use std::fmt::Write as _;

use super::{DailyChart, Line, MOST_POINTS, Series, Svg, at, escape, number, place, real, ticks::ticks};

/// The room of a chart, in its own pixels; the stylesheet shows it at that size or smaller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    class: &'static str,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    /// Days named on the axis at most.
    names: usize,
}

pub(super) const WIDE: Room = Room { class: "wide", width: 736.0, height: 352.0, left: 48.0, right: 88.0, names: 6 };
pub(super) const NARROW: Room =
    Room { class: "narrow", width: 296.0, height: 232.0, left: 36.0, right: 84.0, names: 3 };
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;
/// Least distance between two names beside the last points.
const LINE: f64 = 16.0;
/// Width of the card with a day's values, and where its numbers end.
const CARD: f64 = 152.0;
const VALUE: f64 = 140.0;
/// Above so many days points would touch: only the line is drawn, the day's own points show on focus.
const MANY_DAYS: usize = 45;

/// Where things of one chart stand.
struct Plan<'a> {
    chart: &'a DailyChart,
    room: Room,
    ticks: Vec<u64>,
}

pub(super) fn draw(chart: &DailyChart, room: Room) -> Svg {
    let most = chart.series.iter().flat_map(|series| series.values.iter().flatten()).copied().max();
    let plan = Plan { chart, room, ticks: ticks(most.unwrap_or(0)) };
    let mut out = format!(
        r#"<svg class="chart chart-{}" viewBox="0 0 {} {}" role="group" aria-label="{}">"#,
        room.class,
        room.width,
        room.height,
        escape(&chart.title)
    );
    plan.axis(&mut out);
    plan.names_of_days(&mut out);
    for (index, series) in chart.series.iter().enumerate() {
        plan.line(&mut out, index, series);
    }
    plan.names_of_series(&mut out);
    if chart.days.len() <= MOST_POINTS {
        for day in 0..chart.days.len() {
            plan.day(&mut out, day);
        }
    }
    out.push_str("</svg>");
    Svg(out)
}

/// Each series has a mark of its own: colour is never the only sign.
fn mark(out: &mut String, index: usize, x: f64, y: f64) {
    let shape = match index {
        0 => format!(r#"<circle class="chart-mark series-0" cx="{}" cy="{}" r="3"/>"#, at(x), at(y)),
        1 => format!(
            r#"<rect class="chart-mark series-1" x="{}" y="{}" width="6" height="6"/>"#,
            at(x - 3.0),
            at(y - 3.0)
        ),
        2 => format!(r#"<path class="chart-mark series-2" d="M{} {}l4 7h-8z"/>"#, at(x), at(y - 4.0)),
        _ => format!(r#"<path class="chart-mark series-3" d="M{} {}l4 4-4 4-4-4z"/>"#, at(x), at(y - 4.0)),
    };
    out.push_str(&shape);
}

// Writing into a String cannot fail: every `write!` below is that.
impl Plan<'_> {
    fn x(&self, day: usize) -> f64 {
        let days = self.chart.days.len();
        let width = self.room.width - self.room.left - self.room.right;
        if days < 2 { self.room.left + width / 2.0 } else { self.room.left + width * place(day) / place(days - 1) }
    }

    fn y(&self, value: u64) -> f64 {
        let top = self.ticks.last().copied().unwrap_or(1).max(1);
        let height = self.room.height - TOP - BOTTOM;
        TOP + height * (1.0 - real(value) / real(top))
    }

    fn base(&self) -> f64 {
        self.room.height - BOTTOM
    }

    fn axis(&self, out: &mut String) {
        let (left, right) = (self.room.left, self.room.width - self.room.right);
        for tick in &self.ticks {
            let y = at(self.y(*tick));
            let class = if *tick == 0 { "chart-zero" } else { "chart-grid" };
            let _ = write!(out, r#"<path class="{class}" d="M{left} {y}H{right}"/>"#);
            let words = number(*tick);
            let _ = write!(out, r#"<text class="chart-tick" x="{}" y="{y}" dy="4">{words}</text>"#, left - 8.0);
        }
    }

    fn names_of_days(&self, out: &mut String) {
        let days = self.chart.days.len();
        let shown = self.room.names.min(days);
        let mut last = None;
        for index in 0..shown {
            // Evenly from the first to the last day, rounded to whole days.
            let day = (index * (days - 1) + shown.saturating_sub(1) / 2) / shown.saturating_sub(1).max(1);
            let Some(name) = self.chart.days.get(day).filter(|_| last != Some(day)) else {
                continue;
            };
            last = Some(day);
            let (x, y) = (at(self.x(day)), self.room.height - 8.0);
            let _ = write!(out, r#"<text class="chart-day" x="{x}" y="{y}">{}</text>"#, escape(&name.short));
        }
    }

    fn line(&self, out: &mut String, index: usize, series: &Series) {
        let dashed = if series.line == Line::Dashed { " is-dashed" } else { "" };
        let mut path = String::new();
        let mut is_open = false;
        for (day, value) in series.values.iter().enumerate() {
            if let Some(value) = value {
                let _ = write!(path, "{}{} {}", if is_open { 'L' } else { 'M' }, at(self.x(day)), at(self.y(*value)));
            }
            is_open = value.is_some();
        }
        let _ = write!(out, r#"<path class="chart-line series-{index}{dashed}" d="{path}"/>"#);
        if series.values.len() <= MANY_DAYS {
            for (day, value) in series.values.iter().enumerate() {
                if let Some(value) = value {
                    mark(out, index, self.x(day), self.y(*value));
                }
            }
        }
    }

    /// Beside the last points, moved apart where they would touch.
    fn names_of_series(&self, out: &mut String) {
        let last = |series: &Series| series.values.iter().rev().flatten().next().copied();
        // Where a line ends with its last day, the name stands beside its last mark and needs none of its own.
        let ends = |series: &Series| matches!(series.values.last(), Some(Some(_)));
        let mut names: Vec<(f64, usize, &Series)> = (self.chart.series.iter().enumerate())
            .filter_map(|(index, series)| last(series).map(|value| (self.y(value), index, series)))
            .collect();
        names.sort_by(|one, other| one.0.total_cmp(&other.0));
        // From the bottom up, so that the lowest stays above the axis of days.
        let mut floor = self.base() + LINE / 2.0;
        for (y, _, _) in names.iter_mut().rev() {
            *y = y.min(floor - LINE / 2.0);
            floor = *y - LINE / 2.0;
        }
        let x = self.room.width - self.room.right + 12.0;
        for (y, index, series) in names {
            let is_beside = ends(series) && last(series).is_some_and(|value| (self.y(value) - y).abs() < 1.0);
            if !is_beside {
                mark(out, index, x, y);
            }
            let _ = write!(
                out,
                r#"<text class="chart-name" x="{}" y="{}" dy="4">{}</text>"#,
                if is_beside { x - 2.0 } else { x + 8.0 },
                at(y),
                escape(&series.name)
            );
        }
    }

    /// A day: a column to point at or to focus, and what it shows then. Short markup: a page has many of them.
    fn day(&self, out: &mut String, day: usize) {
        let Some(name) = self.chart.days.get(day) else {
            return;
        };
        let value =
            |series: &Series| series.values.get(day).copied().flatten().map_or_else(|| "no data".to_owned(), number);
        let values: Vec<(String, String)> =
            self.chart.series.iter().map(|series| (escape(&series.name), value(series))).collect();
        let title = escape(&name.long);
        let _ = write!(out, r#"<g class="chart-point" tabindex="0" role="img" aria-label="{title}"#);
        for (series, value) in &values {
            let _ = write!(out, ", {series} {value}");
        }
        out.push_str("\">");
        self.column(out, day);
        self.card(out, day, &title, &values);
        out.push_str("</g>");
    }

    fn column(&self, out: &mut String, day: usize) {
        let days = self.chart.days.len();
        let plot = self.room.width - self.room.left - self.room.right;
        let width = if days < 2 { plot } else { plot / place(days - 1) };
        let (x, height) = (self.x(day), self.base() - TOP);
        let (left, width) = (at(x - width / 2.0), at(width));
        let _ = write!(out, r#"<rect x="{left}" y="{TOP}" width="{width}" height="{height}"/>"#);
        let _ = write!(out, r#"<path d="M{} {TOP}V{}"/>"#, at(x), self.base());
    }

    fn card(&self, out: &mut String, day: usize, title: &str, values: &[(String, String)]) {
        let height = 28 + 18 * values.len();
        let x = self.x(day);
        let left = if x + 12.0 + CARD > self.room.width { x - 12.0 - CARD } else { x + 12.0 };
        let left = at(left.max(0.0));
        let _ = write!(
            out,
            r#"<g transform="translate({left},{TOP})"><rect width="{CARD}" height="{height}" rx="8"/><text x="12" y="20">{title}</text>"#
        );
        for (line, (series, value)) in values.iter().enumerate() {
            let y = 38 + 18 * line;
            let _ = write!(out, r#"<text x="12" y="{y}">{series}</text><text x="{VALUE}" y="{y}">{value}</text>"#);
        }
        out.push_str("</g>");
    }
}
