//! The commands. Each is one more process beside a running server: it commits under the same locks.

mod alerts;
mod apply;
mod audit;
mod campaign;
mod codes;
mod console;
mod creator;
mod demo;
mod doctor;
mod failure;
mod keys;
mod migrate;
mod numbers;
mod openapi;
mod partner;
mod place;
mod report;
mod serve;
mod verify;
mod words;

use clap::{Parser, Subcommand};
use console::Console;
use std::ffi::OsString;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
To try it:        codewell demo            a phone in the browser, demo campaigns, an embedded database
To run it:        codewell serve --config codewell.toml
To make an offer: codewell apply pizza.toml

Commands work beside a running server; it sees what they change on the next text.
Exit codes: 0 done · 1 failed or refused · 2 the command line is wrong · 3 the audit or the doctor found a fault.";

/// Hands out single-use coupon codes, and can prove where each one went
#[derive(Debug, Parser)]
#[command(name = "codewell", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Apply(apply::ApplyArgs),
    Campaign(campaign::CampaignArgs),
    Import(codes::ImportArgs),
    Generate(codes::GenerateArgs),
    Void(codes::VoidArgs),
    Verify(verify::VerifyArgs),
    Words(words::WordsArgs),
    Numbers(numbers::NumbersArgs),
    Keys(keys::KeysArgs),
    Partner(partner::PartnerArgs),
    Creator(creator::CreatorArgs),
    Report(report::ReportArgs),
    Alerts(alerts::AlertsArgs),
    Audit(audit::AuditArgs),
    Explain(audit::ExplainArgs),
    Doctor(doctor::DoctorArgs),
    Openapi(openapi::OpenapiArgs),
    Migrate(migrate::MigrateArgs),
}

/// How a command ended well enough to say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It did what was asked.
    Done,
    /// The audit found what must not be.
    Breached,
    /// The doctor found what is wrong.
    Unwell,
}

impl Ending {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Breached | Self::Unwell => 3,
        }
    }
}

/// Runs the command of this process.
#[must_use]
pub fn main() -> ExitCode {
    let mut input = std::io::stdin().lock();
    // Not locked: log lines go to stderr from other threads.
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let mut console = Console::of_process(&mut out, &mut err, &mut input);
    ExitCode::from(run(std::env::args_os(), &mut console))
}

/// Parses and runs one command line, and gives its exit code.
fn run(line: impl Iterator<Item = OsString>, console: &mut Console<'_>) -> u8 {
    let cli = match Cli::try_parse_from(line) {
        Ok(cli) => cli,
        Err(error) => return console.usage(&error),
    };
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(Box::pin(dispatch(cli.command, console))));
    match ended.and_then(|ending| console.flush().map(|()| ending)) {
        Ok(ending) => ending.code(),
        Err(error) => {
            failure::report(&error, console);
            1
        }
    }
}

async fn dispatch(command: Command, console: &mut Console<'_>) -> anyhow::Result<Ending> {
    match command {
        Command::Audit(args) => return audit::audit(&args, console).await,
        Command::Doctor(args) => return doctor::doctor(&args, console).await,
        Command::Demo(args) => Box::pin(demo::demo(args, console)).await,
        Command::Serve(args) => Box::pin(serve::serve(&args, console)).await,
        Command::Apply(args) => apply::apply(&args, console).await,
        Command::Campaign(args) => campaign::campaign(&args, console).await,
        Command::Import(args) => codes::import(&args, console).await,
        Command::Generate(args) => Box::pin(codes::generate(&args, console)).await,
        Command::Verify(args) => Box::pin(verify::verify(&args, console)).await,
        Command::Void(args) => codes::void(&args, console).await,
        Command::Alerts(args) => alerts::alerts(&args, console).await,
        Command::Numbers(args) => numbers::numbers(&args, console).await,
        Command::Words(args) => words::words(&args, console).await,
        Command::Partner(args) => Box::pin(partner::partner(&args, console)).await,
        Command::Creator(args) => Box::pin(creator::creator(&args, console)).await,
        Command::Report(args) => report::report(&args, console).await,
        Command::Keys(args) => keys::keys(&args, console).await,
        Command::Explain(args) => Box::pin(audit::explain(&args, console)).await,
        Command::Openapi(args) => openapi::openapi(&args, console),
        Command::Migrate(args) => migrate::migrate(&args, console).await,
    }?;
    Ok(Ending::Done)
}

#[cfg(test)]
mod tests;
