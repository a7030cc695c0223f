//! `X-Twilio-Signature`: base64 of an HMAC over the address as Twilio was told it, then every form field, sorted.

use super::super::form::Fields;
use super::super::{Forged, Method, Webhook};
use crate::domain::secret::Secret;
use crate::net::Url;
use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};

const HEADER: &str = "x-twilio-signature";
/// Which key signed and how; absent with the auth token.
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";

/// The secrets that sign an account's webhooks.
#[derive(Debug)]
pub(super) struct Keys {
    /// The auth token.
    pub(super) token: Secret<String>,
    /// The other one while it is being changed.
    pub(super) before: Option<Secret<String>>,
    /// The shared key of the newer scheme.
    pub(super) shared: Option<Secret<String>>,
}

/// How a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// HMAC-SHA1 with the auth token.
    Token,
    /// HMAC-SHA256 with the shared key.
    SharedKey,
}

impl Keys {
    /// Checks a webhook's signature in constant time.
    ///
    /// # Errors
    /// [`Forged`].
    pub(super) fn verify(&self, hook: &Webhook<'_>) -> Result<(), Forged> {
        let mark = hook.header(HEADER).filter(|mark| !mark.is_empty()).ok_or(Forged::Unsigned)?;
        let mark = STANDARD.decode(mark).map_err(|_| Forged::Unsigned)?;
        let keys = self.of(scheme(hook.header(SETTINGS)).ok_or(Forged::Mismatch)?);
        let fields = signed_fields(hook)?;
        let holds = |url: &String| {
            let bytes = [url.as_bytes(), &fields].concat();
            keys.iter().any(|key| hmac::verify(key, &bytes, &mark).is_ok())
        };
        if addresses(hook.url).iter().any(holds) { Ok(()) } else { Err(Forged::Mismatch) }
    }

    fn of(&self, scheme: Scheme) -> Vec<hmac::Key> {
        let (algorithm, secrets) = match scheme {
            Scheme::Token => (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, [Some(&self.token), self.before.as_ref()]),
            Scheme::SharedKey => (hmac::HMAC_SHA256, [self.shared.as_ref(), None]),
        };
        let key = |secret: &Secret<String>| hmac::Key::new(algorithm, secret.expose().as_bytes());
        secrets.into_iter().flatten().map(key).collect()
    }
}

/// The scheme that the settings header names; `None` for one we do not know, which must not pass.
pub(super) fn scheme(settings: Option<&str>) -> Option<Scheme> {
    let parts = settings.unwrap_or_default().split(',');
    let named = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim() == "algorithm");
    match named.map_or("", |(_, algorithm)| algorithm.trim()) {
        "" | "HMAC_SHA1" => Some(Scheme::Token),
        "HMAC_SHA256" => Some(Scheme::SharedKey),
        _ => None,
    }
}

/// What is signed after the address: every form field; of a GET nothing; of another body its hash, which then stands in
/// the address.
fn signed_fields(hook: &Webhook<'_>) -> Result<Vec<u8>, Forged> {
    if let Some(hash) = Fields::read(hook.query().as_bytes()).get("bodySHA256") {
        let own = super::super::hex(digest::digest(&digest::SHA256, hook.body).as_ref());
        let same = constant_time::verify_slices_are_equal(own.as_bytes(), hash.to_ascii_lowercase().as_bytes());
        return same.map(|()| Vec::new()).map_err(|_| Forged::Mismatch);
    }
    match hook.method {
        Method::Get => Ok(Vec::new()),
        Method::Post => Ok(joined(&Fields::read(hook.body)).into_bytes()),
    }
}

/// Names sorted, each with its values, sorted and none twice.
fn joined(fields: &Fields) -> String {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in fields.iter() {
        sorted.entry(name).or_default().insert(value);
    }
    let mut joined = String::new();
    for (name, values) in sorted {
        for value in values {
            joined.push_str(name);
            joined.push_str(value);
        }
    }
    joined
}

/// The forms in which Twilio may have signed the address it was told: as it is, without its port, with the usual one,
/// and each of them with what an address may not hold percent-encoded.
fn addresses(url: &str) -> BTreeSet<String> {
    let encoded = Url::parse(url).ok().map(String::from);
    let forms = [Some(url.to_owned()), encoded].into_iter().flatten();
    forms.flat_map(|url| ports(&url)).collect()
}

fn ports(url: &str) -> Vec<String> {
    let mut forms = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return forms;
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let port = if scheme == "https" { 443 } else { 80 };
    match authority.rsplit_once(':') {
        Some((host, digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            forms.push(format!("{scheme}://{host}{path}"));
        }
        Some(_) | None => forms.push(format!("{scheme}://{authority}:{port}{path}")),
    }
    forms
}
