//! The demo's affiliate partner: its key and secret are kept, so that what was pasted stays good.

use crate::app::keyring::write_private;
use crate::domain::partner::{AcrossCaps, ClientId, Grant, PartnerDoc, PartnerScope};
use crate::engine::{CredentialError, Engine, PartnerError};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Its name at the token endpoint.
const CLIENT: &str = "acme-deals";
/// The campaigns it may give codes of, and how many of each a day.
const GRANTS: [(&str, i64); 2] = [("PIZZA", 500), ("WELCOME", 100)];
/// Codes of all campaigns together.
const TOTAL: i64 = 20_000;

/// Files of the demo's directory.
pub(in crate::app) const FILES: [&str; 2] = ["partner.key", "partner.pem"];

/// A partner with its credentials.
#[derive(Clone)]
pub struct DemoPartner {
    /// Its name at the token endpoint.
    pub client_id: String,
    /// For `client_secret_basic`.
    pub client_secret: String,
    /// For `private_key_jwt`: PKCS #8 in PEM.
    pub private_key_pem: String,
}

impl std::fmt::Debug for DemoPartner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DemoPartner({})", self.client_id)
    }
}

/// Why there is no partner.
#[derive(Debug, Error)]
pub enum DemoPartnerError {
    /// It cannot be made.
    #[error(transparent)]
    Partner(#[from] PartnerError),
    /// Its key or secret is not taken.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A file.
    #[error("{path} cannot be used")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system draws no key.
    #[error("no key can be made")]
    NoKey,
}

/// The demo's partner: made the first time, with the credentials that are kept in `dir` from then on.
///
/// # Errors
/// [`DemoPartnerError`].
pub async fn open(dir: &Path, engine: &Engine) -> Result<DemoPartner, DemoPartnerError> {
    let client = ClientId::parse(CLIENT).map_err(|_| DemoPartnerError::NoKey)?;
    let [secret_file, key_file] = FILES.map(|name| dir.join(name));
    let kept = |path: &Path| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let (secret, pem) = (kept(&secret_file), kept(&key_file));
    let is_known = match engine.partner(&client).await {
        Ok(_) => true,
        Err(PartnerError::Unknown(_)) => false,
        Err(error) => return Err(error.into()),
    };
    if is_known && !secret.is_empty() && !pem.is_empty() {
        return Ok(DemoPartner { client_id: CLIENT.to_owned(), client_secret: secret, private_key_pem: pem + "\n" });
    }
    if !is_known {
        engine.create_partner(client.clone(), document(engine)).await?;
    }
    let (pem, jwk) = new_key().ok_or(DemoPartnerError::NoKey)?;
    engine.add_partner_key(&client, "demo", &jwk).await?;
    let secret = engine.add_partner_secret(&client, "demo").await?;
    for (path, text) in [(&secret_file, secret.expose()), (&key_file, &pem)] {
        write_private(path, text).map_err(|source| DemoPartnerError::Io { path: path.clone(), source })?;
    }
    let client_secret = secret.expose().to_owned();
    Ok(DemoPartner { client_id: CLIENT.to_owned(), client_secret, private_key_pem: pem + "\n" })
}

fn document(engine: &Engine) -> PartnerDoc {
    let catalog = engine.catalog();
    let grant = |(name, day): (&str, i64)| {
        let campaign = catalog.campaign_named(name)?;
        Some(Grant { day: Some(day), ..Grant::free(campaign.id) })
    };
    PartnerDoc {
        name: "Acme Deals".to_owned(),
        scopes: PartnerScope::ALL.to_vec(),
        contact: Some("partners@acme.example".to_owned()),
        caps: AcrossCaps { total: Some(TOTAL), day: None },
        rate: None,
        grants: GRANTS.into_iter().filter_map(grant).collect(),
    }
}

/// A fresh Ed25519 key: PKCS #8 in PEM without a line feed at its end, and its public half as a JWK.
fn new_key() -> Option<(String, String)> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok()?;
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).ok()?;
    let body = BASE64_STANDARD.encode(document.as_ref());
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", lines.join("\n"));
    let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    Some((pem, format!("{{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"{x}\"}}")))
}
