//! The codes of a pull as a body: a piece is made known when the caller has taken the one before, never ahead of it.

use crate::engine::{Allocation, Engine, EngineError, Partner, Piece};
use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use thiserror::Error;
use tokio_stream::Stream;
use utoipa::ToSchema;

/// The form of a list of codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// One JSON object.
    Json,
    /// A JSON object a line.
    Ndjson,
    /// Two columns with a head.
    Csv,
}

impl Format {
    /// The first form that the caller names; JSON where it names none of ours.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kinds = accepted.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
        let ours = kinds.filter_map(|kind| match kind {
            "application/json" => Some(Self::Json),
            "application/x-ndjson" | "application/ndjson" => Some(Self::Ndjson),
            "text/csv" => Some(Self::Csv),
            _ => None,
        });
        ours.into_iter().next().unwrap_or(Self::Json)
    }

    /// What it is called.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    fn head(self) -> &'static str {
        match self {
            Self::Json => "{\"data\":[",
            Self::Ndjson => "",
            Self::Csv => "no,code\r\n",
        }
    }

    fn tail(self) -> &'static str {
        match self {
            Self::Json => "]}",
            Self::Ndjson | Self::Csv => "",
        }
    }

    /// Codes from number `first` on; `is_first` where none stands before them.
    fn rows(self, codes: &[String], first: u64, is_first: bool) -> String {
        let mut text = String::with_capacity(codes.len() * 40);
        for (no, code) in (first..).zip(codes) {
            // Codes have no quotes, commas or controls, and writing to a string cannot fail.
            let _ = match self {
                Self::Json if is_first && no == first => write!(text, "{{\"no\":{no},\"code\":\"{code}\"}}"),
                Self::Json => write!(text, ",{{\"no\":{no},\"code\":\"{code}\"}}"),
                Self::Ndjson => writeln!(text, "{{\"no\":{no},\"code\":\"{code}\"}}"),
                Self::Csv => write!(text, "{no},{}\r\n", guarded(code)),
            };
        }
        text
    }
}

/// A spreadsheet takes what begins like this for a formula; no code of a pattern of ours does, an imported one may.
fn guarded(code: &str) -> String {
    if code.starts_with(['=', '+', '-', '@']) { format!("'{code}") } else { code.to_owned() }
}

/// The stream was cut before its end.
#[derive(Debug, Error)]
pub(super) enum Cut {
    /// The lease ended while it ran.
    #[error("the lease of the allocation is over")]
    Over,
    /// The engine failed; the caller goes on with `after`.
    #[error("the codes cannot be read")]
    Engine(#[from] EngineError),
}

type NextPiece = Pin<Box<dyn Future<Output = Result<Piece, EngineError>> + Send>>;

/// A pull's codes in a form.
pub(super) struct CodeStream {
    caller: (Engine, Partner),
    pull: Allocation,
    format: Format,
    after: u64,
    began_after: u64,
    next: Option<NextPiece>,
    head: Option<&'static str>,
}

impl CodeStream {
    /// The stream that begins with the piece `first`.
    pub(super) fn new(
        caller: (Engine, Partner),
        pull: Allocation,
        (format, after): (Format, u64),
        first: Piece,
    ) -> Self {
        let next: NextPiece = Box::pin(std::future::ready(Ok(first)));
        Self { caller, pull, format, after, began_after: after, next: Some(next), head: Some(format.head()) }
    }

    fn ask(&self) -> NextPiece {
        let ((engine, partner), pull, after) = (self.caller.clone(), self.pull.clone(), self.after);
        Box::pin(async move { engine.piece_for_partner(&partner, &pull, after).await })
    }
}

impl Stream for CodeStream {
    type Item = Result<Bytes, Cut>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(next) = self.next.as_mut() else {
            return Poll::Ready(None);
        };
        let piece = match next.as_mut().poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(piece) => piece,
        };
        self.next = None;
        let mut text = self.head.take().unwrap_or_default().to_owned();
        match piece {
            Ok(Piece::Codes(codes)) => {
                let is_first = self.after == self.began_after;
                text.push_str(&self.format.rows(&codes, self.after + 1, is_first));
                self.after += codes.len() as u64;
                self.next = Some(self.ask());
            }
            Ok(Piece::End) => text.push_str(self.format.tail()),
            Ok(Piece::Over) => return Poll::Ready(Some(Err(Cut::Over))),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a stream of codes is cut");
                return Poll::Ready(Some(Err(error.into())));
            }
        }
        Poll::Ready(Some(Ok(text.into())))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_first_form_that_is_named_and_ours_is_taken() {
        for (accept, format) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/html, text/csv;q=0.9", Format::Csv),
            ("application/x-ndjson", Format::Ndjson),
        ] {
            let headers = [(header::ACCEPT, HeaderValue::from_str(accept).unwrap())].into_iter().collect();
            assert_eq!(Format::accepted(&headers), format, "{accept}");
        }
    }

    #[test]
    fn rows_are_written_in_three_forms() {
        let codes = ["A-1".to_owned(), "=B".to_owned()];
        let json = Format::Json;
        let whole =
            format!("{}{}{}{}", json.head(), json.rows(&codes, 1, true), json.rows(&codes, 3, false), json.tail());
        let read: serde_json::Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(read.get("data").and_then(serde_json::Value::as_array).unwrap().len(), 4);
        assert_eq!(Format::Ndjson.rows(&codes, 8, true), "{\"no\":8,\"code\":\"A-1\"}\n{\"no\":9,\"code\":\"=B\"}\n");
        assert_eq!(Format::Csv.rows(&codes, 1, true), "1,A-1\r\n2,'=B\r\n");
    }
}
