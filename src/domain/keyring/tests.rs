#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::HashSet;

use chrono::{DateTime, TimeZone, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::ids::{CampaignId, Spot};

fn keys(root: u8) -> Keys {
    Keys::from_root(&Secret::new([root; 32]))
}

fn phone() -> PhoneNumber {
    PhoneNumber::from_e164("+12025550123").unwrap()
}

#[test]
fn subjects_and_pool_keys_stay_what_they_are() {
    // From a second implementation, written down once: a change here would forget every person and every derived code.
    let keys = keys(1);
    assert_eq!(keys.id().to_string(), "c2df38b2");
    assert_eq!(keys.phone_subject(&phone()).expose_hex(), "09a3a21b7b63fdd1859c3f92b53a61bb");
    assert_eq!(hex(&keys.pool_key(7, 2)), "b27cdf23210e2f5eb9495db4923f06f7879e67bdd4c39a5aa4aee894cfc605e3");
    assert_eq!(hex(&keys.derive("simulator")), "5e68086827c91dd2667d99cc37429129674ea4c726fbffa0dcd3f947d9005b48");
}

#[test]
fn a_subject_depends_on_root_kind_and_material_and_on_where_they_part() {
    let (one, two) = (keys(1), keys(2));
    let subjects: HashSet<Subject> = [
        one.subject("phone/v1", b"+12025550123"),
        two.subject("phone/v1", b"+12025550123"),
        one.subject("phone/v1", b"+12025550124"),
        one.subject("email/v1", b"+12025550123"),
        one.subject("phone/v", b"1+12025550123"),
    ]
    .into();
    assert_eq!(subjects.len(), 5);
    assert_eq!(one.phone_subject(&phone()), one.subject("phone/v1", b"+12025550123"));
}

#[test]
fn no_two_purposes_share_a_key() {
    let keys = keys(1);
    let derived: HashSet<[u8; 32]> = [
        keys.derive("link"),
        keys.derive("pool"),
        keys.derive(""),
        keys.pool_key(1, 2),
        keys.pool_key(2, 1),
        keys.pool_key(0, 258),
        keys.bearer_hash("x"),
        keys.body_hash("x"),
        expand(&keys.prk, "link", &[]),
        expand(&keys.prk, "issuance", &[]),
        expand(&keys.prk, "label", &[]),
        expand(&keys.prk, "seal", &[b"link"]),
        expand(&keys.prk, "seal", &[b"phone"]),
    ]
    .into();
    // derive("") and the bare label are one: an empty label has no detail.
    assert_eq!(derived.len(), 12);
    let spot = Spot { campaign: CampaignId(1), pool: 1, position: 1 };
    let id = keys.issuance_ids().seal(spot);
    assert!(id.expose().starts_with("iss_"));
    assert_ne!(id.expose().strip_prefix("iss_"), Some(keys.link_tokens().seal(spot).expose()));
    assert_eq!(keys.issuance_ids().open(id.expose()), Some(spot));
}

#[test]
fn a_sealed_phone_opens_for_its_subject_and_key_alone() {
    let (one, two) = (keys(1), keys(2));
    let subject = one.phone_subject(&phone());
    let sealed = one.seal_phone(&subject, &phone(), [7; 12]);
    assert_eq!(one.open_phone(&subject, &sealed), Ok(phone()));
    let other = one.subject("phone/v1", b"+12025550124");
    assert_eq!(one.open_phone(&other, &sealed), Err(Unreadable::Damaged));
    assert_eq!(two.open_phone(&subject, &sealed), Err(Unreadable::OtherKey(one.id())));
    assert!(!String::from_utf8_lossy(&sealed).contains("2025550123"));
}

#[test]
fn a_sealed_phone_with_any_bit_changed_or_byte_missing_stays_closed() {
    let keys = keys(1);
    let subject = keys.phone_subject(&phone());
    let sealed = keys.seal_phone(&subject, &phone(), [7; 12]);
    for at in 0..sealed.len() {
        assert!(keys.open_phone(&subject, &sealed[..at]).is_err(), "{at} bytes");
        for bit in 0..8 {
            let mut forged = sealed.clone();
            forged[at] ^= 1 << bit;
            assert!(keys.open_phone(&subject, &forged).is_err(), "byte {at} bit {bit}");
        }
    }
    let mut later = sealed;
    later[0] = 2;
    assert_eq!(keys.open_phone(&subject, &later), Err(Unreadable::Version(2)));
}

#[test]
fn a_sealed_secret_opens_for_its_purpose_row_and_key_alone() {
    let (one, two) = (keys(1), keys(2));
    let sealed = one.seal("webhook", b"we_1", b"secret", [7; 12]);
    assert_eq!(one.open("webhook", b"we_1", &sealed), Ok(b"secret".to_vec()));
    assert_eq!(one.open("webhook", b"we_2", &sealed), Err(Unreadable::Damaged));
    assert_eq!(one.open("other", b"we_1", &sealed), Err(Unreadable::Damaged));
    assert_eq!(two.open("webhook", b"we_1", &sealed), Err(Unreadable::OtherKey(one.id())));
    for at in 0..sealed.len() {
        assert!(one.open("webhook", b"we_1", &sealed[..at]).is_err(), "{at} bytes");
        let mut forged = sealed.clone();
        forged[at] ^= 1;
        assert!(one.open("webhook", b"we_1", &forged).is_err(), "byte {at}");
    }
    assert!(!String::from_utf8_lossy(&sealed).contains("secret"));
}

#[test]
fn the_file_gives_the_same_keys_back_and_shows_tampering() {
    let made = Utc.with_ymd_and_hms(2026, 9, 1, 12, 0, 0).unwrap();
    let file = KeyringFile::new(&Secret::new([1; 32]), made);
    let json = serde_json::to_string(&file).unwrap();
    let read: KeyringFile = serde_json::from_str(&json).unwrap();
    assert_eq!((read.keys().unwrap().id(), read.created_at()), (keys(1).id(), made));
    let tampered = |from: &str, to: &str| {
        assert!(json.contains(from));
        serde_json::from_str::<KeyringFile>(&json.replacen(from, to, 1)).unwrap().keys().err()
    };
    assert_eq!(tampered("0101", "0102"), Some(BadKeyring::Id));
    assert_eq!(tampered("0101", "01"), Some(BadKeyring::Root));
    assert_eq!(tampered("0101", "01é"), Some(BadKeyring::Root));
    assert_eq!(tampered("\"version\":1", "\"version\":2"), Some(BadKeyring::Version(2)));
}

#[test]
fn printing_shows_no_secret() {
    let keys = keys(1);
    let file = KeyringFile::new(&Secret::new([1; 32]), DateTime::UNIX_EPOCH);
    let subject = keys.phone_subject(&phone());
    let printed = format!("{keys:?} {file:?} {subject} {subject:?}");
    assert!(!printed.contains("0101") && !printed.contains(&subject.expose_hex()), "{printed}");
    assert_eq!(subject.to_string(), format!("{}…", &subject.expose_hex()[..4]));
}

proptest! {
    #[test]
    fn every_phone_comes_back_from_its_seal(root: u8, nonce: [u8; 12], digits in "[1-9][0-9]{6,14}") {
        let keys = keys(root);
        let phone = PhoneNumber::from_e164(&digits).unwrap();
        let subject = keys.phone_subject(&phone);
        let sealed = keys.seal_phone(&subject, &phone, nonce);
        prop_assert_eq!(keys.open_phone(&subject, &sealed), Ok(phone));
    }
}
