//! How every report is asked for and written.

use crate::engine::BadDays;
use crate::http::problem::Problem;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

/// How a report is written.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum FormatIn {
    /// As JSON.
    #[default]
    Json,
    /// As a table with a head, for spreadsheets.
    Csv,
}

impl From<BadDays> for Problem {
    fn from(error: BadDays) -> Self {
        Self::invalid(&[error.to_string()])
    }
}

/// A table with its head, to be kept under that name.
///
/// # Errors
/// 503 when it cannot be written.
pub(super) fn table<const N: usize>(
    name: &str,
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Response, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = writer.write_record(head);
    let written = written.and_then(|()| rows.into_iter().try_for_each(|row| writer.write_record(row)));
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).ok_or_else(Problem::busy)?;
    let kept = HeaderValue::try_from(format!("attachment; filename=\"{name}.csv\"")).map_err(|_| Problem::busy())?;
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, kept),
    ];
    Ok((head, bytes).into_response())
}

/// A cell that a spreadsheet would take for a formula is made text.
pub(super) fn guarded(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}
