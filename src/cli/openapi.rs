//! `codewell openapi`.

use super::console::Console;
use clap::Args;

/// Print the description of the HTTP API: OpenAPI 3.1, as JSON
///
/// The same stands at /openapi.json of a running server, and is read at /docs.
#[derive(Debug, Args)]
pub(super) struct OpenapiArgs {}

pub(super) fn openapi(_: &OpenapiArgs, console: &mut Console<'_>) -> anyhow::Result<()> {
    console.say(crate::http::openapi::text().trim_end())
}
