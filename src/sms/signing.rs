//! The signature of our own webhooks and of carriers that let us choose:
//! `X-Signature: t=<unix seconds>,v1=<hex>`, where v1 = HMAC-SHA256(secret, `<t>.<raw body>`).

use super::{Forged, Webhook};
use crate::domain::secret::Secret;
use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};

/// The header that carries it.
pub(super) const HEADER: &str = "x-signature";
/// How old a signature may be, and how far ahead: clocks differ, and a replay after that is refused.
const WINDOW_S: u64 = 300;
/// More marks than this in one header are no signature of a carrier that is changing its secret.
const MAX_MARKS: usize = 4;

/// The secrets of one carrier account: one, or two while it is being changed.
#[derive(Clone)]
pub struct Signing {
    current: hmac::Key,
    previous: Option<hmac::Key>,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing(…)")
    }
}

impl Signing {
    /// One secret.
    #[must_use]
    pub fn new(secret: &Secret<[u8; 32]>) -> Self {
        Self { current: key(secret), previous: None }
    }

    /// Also believes what the secret before this one signed.
    #[must_use]
    pub fn or_before(mut self, secret: &Secret<[u8; 32]>) -> Self {
        self.previous = Some(key(secret));
        self
    }

    /// One secret as people choose them, of any length.
    #[must_use]
    pub fn of_text(secret: &Secret<String>) -> Self {
        Self { current: text_key(secret), previous: None }
    }

    /// Also believes what the secret before this one signed.
    #[must_use]
    pub fn or_text_before(mut self, secret: &Secret<String>) -> Self {
        self.previous = Some(text_key(secret));
        self
    }

    /// The header's value for a body that leaves `now`.
    #[must_use]
    pub fn sign(&self, body: &[u8], now: DateTime<Utc>) -> String {
        let at = now.timestamp();
        let mark = super::hex(hmac::sign(&self.current, &signed(at, body)).as_ref());
        format!("t={at},v1={mark}")
    }

    /// Checks a webhook's signature in constant time over its bytes as received.
    ///
    /// # Errors
    /// [`Forged`].
    pub fn verify(&self, hook: &Webhook<'_>, now: DateTime<Utc>) -> Result<(), Forged> {
        let header = hook.header(HEADER).ok_or(Forged::Unsigned)?;
        let (at, marks) = read(header).ok_or(Forged::Unsigned)?;
        if at.abs_diff(now.timestamp()) > WINDOW_S {
            return Err(Forged::OutOfTime);
        }
        let bytes = signed(at, hook.body);
        let holds = |key: &hmac::Key| marks.iter().any(|mark| hmac::verify(key, &bytes, mark).is_ok());
        if holds(&self.current) || self.previous.as_ref().is_some_and(holds) { Ok(()) } else { Err(Forged::Mismatch) }
    }
}

fn key(secret: &Secret<[u8; 32]>) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose())
}

fn text_key(secret: &Secret<String>) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes())
}

fn signed(at: i64, body: &[u8]) -> Vec<u8> {
    [at.to_string().as_bytes(), b".", body].concat()
}

/// The time and every `v1`; `None` when there is not exactly one time and at least one mark. Other schemes are
/// skipped, so that a carrier can add one.
fn read(header: &str) -> Option<(i64, Vec<[u8; 32]>)> {
    let (mut at, mut marks) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", _) if at.is_some() => return None,
            ("t", digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                at = Some(digits.parse().ok()?);
            }
            ("t", _) => return None,
            ("v1", _) if marks.len() == MAX_MARKS => return None,
            ("v1", hex) => marks.push(unhex(hex)?),
            (_, _) => {}
        }
    }
    (!marks.is_empty()).then_some((at?, marks))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::Method;
    use super::*;
    use chrono::TimeDelta;

    const BODY: &[u8] = br#"{"id":"m1","from":"+12025550123","to":"12345","text":"PIZZA"}"#;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000, 0).unwrap()
    }

    fn signing(secret: u8) -> Signing {
        Signing::new(&Secret::new([secret; 32]))
    }

    fn verify(signing: &Signing, header: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), Forged> {
        let headers = [(HEADER.to_owned(), header.to_owned())];
        let hook = Webhook {
            method: Method::Post,
            url: "https://c.example/sms/12345/inbound",
            headers: &headers,
            body,
            remote: None,
        };
        signing.verify(&hook, now)
    }

    #[test]
    fn what_was_signed_here_holds_here() {
        let header = signing(1).sign(BODY, now());
        assert_eq!(verify(&signing(1), &header, BODY, now()), Ok(()));
    }

    #[test]
    fn the_signature_is_the_one_written_down_for_carriers() {
        // openssl: printf '1795000000.{}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101…01
        let header = signing(1).sign(b"{}", now());
        assert_eq!(header, "t=1795000000,v1=6a99b8ae4da398a74db2b98b221ea15e248c137ebd0237cdcfc74602391712b1");
    }

    #[test]
    fn another_secret_does_not_hold() {
        let header = signing(2).sign(BODY, now());
        assert_eq!(verify(&signing(1), &header, BODY, now()), Err(Forged::Mismatch));
    }

    #[test]
    fn an_altered_body_does_not_hold() {
        let header = signing(1).sign(BODY, now());
        for at in 0..BODY.len() {
            let mut body = BODY.to_vec();
            if let Some(byte) = body.get_mut(at) {
                *byte ^= 1;
            }
            assert_eq!(verify(&signing(1), &header, &body, now()), Err(Forged::Mismatch), "byte {at}");
        }
    }

    #[test]
    fn an_altered_time_does_not_hold() {
        let header = signing(1).sign(BODY, now()).replace("t=1795000000", "t=1795000001");
        assert_eq!(verify(&signing(1), &header, BODY, now()), Err(Forged::Mismatch));
    }

    #[test]
    fn a_webhook_played_again_after_five_minutes_is_refused_and_so_is_one_from_the_future() {
        let header = signing(1).sign(BODY, now());
        let told = [-301, -300, 300, 301]
            .map(|seconds| verify(&signing(1), &header, BODY, now() + TimeDelta::seconds(seconds)));
        assert_eq!(told, [Err(Forged::OutOfTime), Ok(()), Ok(()), Err(Forged::OutOfTime)]);
    }

    #[test]
    fn both_secrets_hold_while_one_replaces_the_other() {
        let both = signing(2).or_before(&Secret::new([1; 32]));
        let told = [1, 2, 3].map(|secret| verify(&both, &signing(secret).sign(BODY, now()), BODY, now()).is_ok());
        assert_eq!(told, [true, true, false]);
    }

    #[test]
    fn a_carrier_that_changes_its_secret_may_send_both_marks() {
        let [old, new] = [1, 2].map(|secret| signing(secret).sign(BODY, now()));
        let header = format!("{old},v1={}", new.split_once("v1=").unwrap().1);
        assert_eq!(verify(&signing(2), &header, BODY, now()), Ok(()));
    }

    #[test]
    fn what_is_no_signature_is_refused_as_unsigned() {
        let mark = "0".repeat(64);
        for header in [
            "",
            "t=1795000000",
            &format!("v1={mark}"),
            &format!("t=,v1={mark}"),
            &format!("t=-1,v1={mark}"),
            &format!("t=+1,v1={mark}"),
            &format!("t=1795000000,t=1795000000,v1={mark}"),
            "t=1795000000,v1=00",
            &format!("t=1795000000,v1={}", "é".repeat(32)),
            &format!("t=1795000000,v1={}", "+f".repeat(32)),
            &format!("t=99999999999999999999,v1={mark}"),
            &format!("t=1795000000{}", format!(",v1={mark}").repeat(5)),
        ] {
            let told = verify(&signing(1), header, BODY, now());
            assert_eq!(told, Err(Forged::Unsigned), "{header}");
        }
        let hook = Webhook { method: Method::Post, url: "", headers: &[], body: BODY, remote: None };
        assert_eq!(signing(1).verify(&hook, now()), Err(Forged::Unsigned));
    }
}
