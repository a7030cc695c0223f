//! The small line beside a figure: its course, without numbers.

use std::fmt::Write as _;

use super::{Svg, at, place, real};

const WIDTH: f64 = 112.0;
const HEIGHT: f64 = 32.0;
/// Room for the stroke and the last point.
const EDGE: f64 = 4.0;

/// Draws a course; its words are the figure and the change beside it, so it is hidden from assistive technology.
#[must_use]
pub fn spark(values: &[Option<u64>]) -> Svg {
    let most = real(values.iter().flatten().copied().max().unwrap_or(0).max(1));
    let step = (WIDTH - 2.0 * EDGE) / place(values.len().saturating_sub(1).max(1));
    let mut path = String::new();
    let mut is_open = false;
    let mut last = None;
    for (index, value) in values.iter().enumerate() {
        let Some(value) = value else {
            is_open = false;
            continue;
        };
        let (x, y) = (EDGE + step * place(index), HEIGHT - EDGE - (HEIGHT - 2.0 * EDGE) * real(*value) / most);
        // Writing into a String cannot fail.
        let _ = write!(path, "{}{} {}", if is_open { 'L' } else { 'M' }, at(x), at(y));
        is_open = true;
        last = Some((x, y));
    }
    let point = last.map(|(x, y)| format!(r#"<circle class="spark-end" cx="{}" cy="{}" r="3"/>"#, at(x), at(y)));
    Svg(format!(
        r#"<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" aria-hidden="true"><path class="spark-base" d="M{EDGE} {base}H{end}"/><path class="spark-line" d="{path}"/>{point}</svg>"#,
        base = HEIGHT - EDGE,
        end = WIDTH - EDGE,
        point = point.unwrap_or_default(),
    ))
}
