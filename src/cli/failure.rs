//! What a command says when it fails: what happened, why, and what to do next.

use super::console::Console;
use crate::app::OpenError;
use crate::app::carriers::CarriersError;
use crate::app::demo_dir::DemoError;
use crate::app::keyring::KeyringError;
use crate::app::lock::LockError;
use crate::app::server::ServeError;
use crate::engine::StatusError;
use crate::store::StoreError;

/// A failure that the commands find themselves.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(super) struct Refused {
    what: String,
    next: String,
}

impl Refused {
    /// `what`: lower case, without a full stop; `next`: a sentence.
    pub(super) fn because(what: impl Into<String>, next: impl Into<String>) -> anyhow::Error {
        let (what, next) = (what.into(), next.into());
        Self { what, next }.into()
    }
}

/// Prints a failure with its whole chain, then what to do next.
pub(super) fn report(error: &anyhow::Error, console: &mut Console<'_>) {
    console.note(&format!("codewell: {}", chain(error)));
    if let Some(next) = next_step(error) {
        console.note(&format!("  {next}"));
    }
}

/// A failure with all its causes, in one line.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let mut chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    // Some libraries repeat their cause in their own words.
    chain.dedup_by(|cause, effect| effect.ends_with(cause.as_str()));
    chain.join(": ")
}

/// What to do about a failure, as a sentence.
pub(super) fn next_step(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return Some(refused.next.clone());
        }
        let next = if let Some(error) = cause.downcast_ref::<ServeError>() {
            after_serving(error)
        } else if let Some(error) = cause.downcast_ref::<DemoError>() {
            after_demo(error)
        } else if let Some(error) = cause.downcast_ref::<OpenError>() {
            after_opening(error)
        } else if let Some(error) = cause.downcast_ref::<LockError>() {
            Some(after_locking(error))
        } else if let Some(error) = cause.downcast_ref::<KeyringError>() {
            Some(after_keyring(error))
        } else if let Some(error) = cause.downcast_ref::<StatusError>() {
            after_status(error)
        } else {
            cause.downcast_ref::<StoreError>().and_then(after_store)
        };
        next.map(str::to_owned)
    })
}

fn after_serving(error: &ServeError) -> Option<&'static str> {
    match error {
        ServeError::Listen { .. } => {
            Some("Another program may have this port: stop it, or choose another with --listen 127.0.0.1:8081.")
        }
        ServeError::Open(error) => after_opening(error),
        ServeError::Lock(error) => Some(after_locking(error)),
        ServeError::Store(error) => after_store(error),
        ServeError::Spool(_) => Some("Check who owns the directory; it must be writable, or `spool.max_bytes = 0`."),
        ServeError::Carriers(CarriersError::Account { .. }) => {
            Some("Every key of [[carriers]] is in config/default.toml; `codewell doctor` checks an account.")
        }
        ServeError::Carriers(CarriersError::Client(_)) | ServeError::Client(_) | ServeError::Io(_) => None,
    }
}

fn after_demo(error: &DemoError) -> Option<&'static str> {
    match error {
        DemoError::Foreign(_) => Some(
            "Name another directory with --dir: one that is empty or not there yet. Demo campaigns do not belong beside real ones.",
        ),
        DemoError::Serve(error) => after_serving(error),
        DemoError::Io { .. } => Some("Check who owns it."),
        DemoError::Engine(_) => None,
    }
}

fn after_opening(error: &OpenError) -> Option<&'static str> {
    match error {
        OpenError::Nothing(_) => Some(
            "Start with `codewell demo`, `codewell serve` or `codewell apply FILE`, or name another place with --dir or --config.",
        ),
        OpenError::Directory { .. } => Some("Make it yourself with mode 0700, or name another place with --dir."),
        OpenError::Keyring(error) => Some(after_keyring(error)),
        OpenError::OtherKeyring(_) => Some(
            "Put the keyring that this database was made with there. With this one, phone numbers and coupon links cannot be read.",
        ),
        OpenError::OldTables(_) => {
            Some("Back up the database, then run `codewell migrate` with the same --dir or --config.")
        }
        OpenError::Peers(_) => {
            Some("Correct its row of [[peers]] in the configuration; docs/redemption-peers.md tells each key.")
        }
        OpenError::Store(error) => after_store(error),
    }
}

fn after_locking(error: &LockError) -> &'static str {
    match error {
        LockError::Taken(_) => {
            "Use that server, stop it first, or name another place with --dir. Other commands work beside it."
        }
        LockError::Io { .. } => "Check who owns the directory.",
    }
}

fn after_keyring(error: &KeyringError) -> &'static str {
    match error {
        KeyringError::Missing(_) => {
            "Restore the keyring from its backup, or copy it from another server of this database. A new one could not read its phone numbers and coupon links, so none is made."
        }
        KeyringError::Exposed { .. } => {
            "Run chmod 600 on it. If others may have read it, they can name the people behind this database's rows."
        }
        KeyringError::Unreadable(_) | KeyringError::Bad { .. } => "Restore the file from its backup.",
        KeyringError::Io { .. } => "Check who owns the file.",
    }
}

fn after_status(error: &StatusError) -> Option<&'static str> {
    match error {
        StatusError::NoCampaign { .. } => Some("`codewell campaign list` shows every campaign."),
        StatusError::Draft(_) => Some("Wait for the command that writes them, or run it again."),
        StatusError::Ended(_) => Some("Apply a new campaign under another name."),
        StatusError::Engine(_) => None,
    }
}

fn after_store(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Unavailable(_) => {
            Some("Check that the database runs and that its address is right, then try again.")
        }
        StoreError::Conflict(_) | StoreError::CommitUnknown(_) | StoreError::Stale => {
            Some("Run the command again; doing it twice does no harm.")
        }
        StoreError::BadRow { .. } | StoreError::Miscounted { .. } => {
            Some("`codewell audit` says what else does not fit.")
        }
        StoreError::Configuration(_) => {
            Some("Correct the campaign's file and apply it again, or go back to the public_url it was applied under.")
        }
        StoreError::Constraint(_) | StoreError::Database(_) | StoreError::Orm(_) => None,
    }
}
