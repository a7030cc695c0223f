//! `codewell partner key` and `secret`, and the house's own signing keys.

use super::client;
use super::said::Said;
use crate::cli::console::Console;
use crate::engine::{Credential, CredentialKind, Engine, TakeOver};
use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

/// What to do with public keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeyWhat {
    /// Register a public key: Ed25519 or P-256, as a PEM or a JWK
    Add {
        /// The partner's client id
        client_id: String,
        /// The file with the public key
        file: PathBuf,
        /// What to call it
        #[arg(long, default_value = "")]
        name: String,
    },
    /// List the keys of a partner
    List {
        /// The partner's client id
        client_id: String,
    },
    /// Take a key back: from now on it opens nothing
    Revoke {
        /// The partner's client id
        client_id: String,
        /// The key's id, as `partner key list` shows it
        id: String,
    },
}

/// What to do with client secrets.
#[derive(Debug, Subcommand)]
pub(super) enum SecretWhat {
    /// Make a secret and print it, this once; a partner has two at most
    New {
        /// The partner's client id
        client_id: String,
        /// What to call it
        #[arg(long, default_value = "")]
        name: String,
    },
    /// List the secrets of a partner, never a secret itself
    List {
        /// The partner's client id
        client_id: String,
    },
    /// Take a secret back: from now on it opens nothing
    Revoke {
        /// The partner's client id
        client_id: String,
        /// The secret's id, as `partner secret list` shows it
        id: String,
    },
}

pub(super) async fn key(engine: &Engine, what: &KeyWhat, said: Said, console: &mut Console<'_>) -> anyhow::Result<()> {
    match what {
        KeyWhat::Add { client_id, file, name } => {
            let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
            let added = engine.add_partner_key(&client(client_id)?, name, &text).await?;
            list(&[added], said, console)
        }
        KeyWhat::List { client_id } => {
            let all = engine.partner_credentials(&client(client_id)?).await?;
            list(&only(all, CredentialKind::Key), said, console)
        }
        KeyWhat::Revoke { client_id, id } => {
            engine.revoke_credential(&client(client_id)?, CredentialKind::Key, id).await?;
            revoked(id, said, console)
        }
    }
}

pub(super) async fn secret(
    engine: &Engine,
    what: &SecretWhat,
    said: Said,
    console: &mut Console<'_>,
) -> anyhow::Result<()> {
    match what {
        SecretWhat::New { client_id, name } => {
            let secret = engine.add_partner_secret(&client(client_id)?, name).await?;
            if said == Said::Json {
                let out = json!({ "id": secret.id(), "client_id": client_id, "client_secret": secret.expose() });
                return console.say(&out.to_string());
            }
            console.say(secret.expose())?;
            console.note("Keep it: it is shown this once. It is the password of HTTP Basic at /oauth2/token.");
            Ok(())
        }
        SecretWhat::List { client_id } => {
            let all = engine.partner_credentials(&client(client_id)?).await?;
            list(&only(all, CredentialKind::Secret), said, console)
        }
        SecretWhat::Revoke { client_id, id } => {
            engine.revoke_credential(&client(client_id)?, CredentialKind::Secret, id).await?;
            revoked(id, said, console)
        }
    }
}

fn only(all: Vec<Credential>, kind: CredentialKind) -> Vec<Credential> {
    all.into_iter().filter(|credential| credential.kind == kind).collect()
}

fn revoked(id: &str, said: Said, console: &mut Console<'_>) -> anyhow::Result<()> {
    match said {
        Said::Json => console.say(&json!({ "id": id, "revoked": true }).to_string()),
        Said::Words => console.say(&format!("{id} opens nothing any more.")),
    }
}

fn list(credentials: &[Credential], said: Said, console: &mut Console<'_>) -> anyhow::Result<()> {
    if said == Said::Json {
        let shown = credentials.iter().map(|credential| {
            let Credential { id, name, created_at, revoked_at, .. } = credential;
            json!({ "id": id, "name": name, "created_at": created_at, "revoked_at": revoked_at })
        });
        return console.say(&json!({ "data": shown.collect::<Vec<_>>() }).to_string());
    }
    for credential in credentials {
        let day = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d").to_string();
        let state = match credential.revoked_at {
            None => format!("made {}", day(credential.created_at)),
            Some(at) => format!("revoked {}", day(at)),
        };
        console.say(&format!("{}  {state}  {}", credential.id, credential.name))?;
    }
    Ok(())
}

/// Brings in a new signing key, and lists those that are published.
pub(super) async fn rotate(engine: &Engine, now: bool, said: Said, console: &mut Console<'_>) -> anyhow::Result<()> {
    let number = engine.rotate_signing_key(if now { TakeOver::AtOnce } else { TakeOver::Smoothly }).await?;
    let keys = engine.signing_keys().await?;
    if said == Said::Json {
        let shown = keys.iter().map(|key| {
            json!({
                "number": key.number,
                "kid": key.kid,
                "signs_from": key.signs_from,
                "retired_at": key.retired_at,
            })
        });
        return console.say(&json!({ "new": number, "data": shown.collect::<Vec<_>>() }).to_string());
    }
    for key in keys {
        let time = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let end = key.retired_at.map(|at| format!(", gone by {}", time(at))).unwrap_or_default();
        console.say(&format!("{}  signs from {}{end}", key.kid, time(key.signs_from)))?;
    }
    Ok(())
}
