//! How long the pages of lists are.

use crate::http::problem::Problem;

/// Rows on one page, unless asked otherwise.
const PAGE: u16 = 100;
/// Rows on the longest page.
const LONGEST_PAGE: u16 = 500;

/// How many rows a page has.
///
/// # Errors
/// 400 for a page that cannot be.
pub(super) fn rows(asked: Option<u16>) -> Result<u16, Problem> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=LONGEST_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::invalid(&[format!("limit is a number from 1 to {LONGEST_PAGE}")]))
    }
}
