//! Access tokens: scopes, suspension, the end of one token, the rotation of the keys.

use crate::harness::on_both;

on_both! {
    a_token_opens_what_it_and_the_partner_both_allow,
    a_suspension_on_one_process_is_felt_by_the_next_call_on_another,
    a_token_that_was_taken_back_opens_nothing_anywhere,
    signing_keys_rotate_without_one_failed_call,
    a_key_in_the_wrong_hands_is_gone_at_once,
    the_operator_hears_why_a_call_was_refused,
    a_stranger_verifies_our_tokens_by_what_is_published,
    what_is_over_is_dropped,
}

mod bodies {
    use super::super::doors::{Doors, ISSUER};
    use crate::harness::House;
    use axum::body::Body;
    use axum::http::Request;
    use chrono::Duration;
    use codewell::domain::partner::{Edit, PartnerScope, PartnerStatus};
    use codewell::engine::{Clock, TakeOver};
    use serde_json::{Value, json};

    pub(super) async fn a_token_opens_what_it_and_the_partner_both_allow(house: House) {
        let doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        let answer = doors.call_with(&acme.token).await;
        assert_eq!((answer.status.as_u16(), answer.body), (200, format!("{} api-acme", acme.id)));
        let fields = [("grant_type", "client_credentials"), ("scope", "codes:issue events:read")];
        let narrow = doors.form("/oauth2/token", Some(("acme", &acme.secret)), &fields).await.json();
        assert_eq!(narrow["scope"], "codes:issue events:read");
        let refused = doors.call_with(narrow["access_token"].as_str().expect("a token")).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"insufficient_scope\", scope=\"codes:read\"");
        assert_eq!(
            (&refused.json()["code"], &refused.json()["scope"]),
            (&"insufficient_scope".into(), &"codes:read".into())
        );
        let less = [Edit::Scopes(vec![PartnerScope::Issue])];
        house.engine.change_partner(&acme.client, &less).await.expect("it is changed");
        assert_eq!(doors.call_with(&acme.token).await.status, 403, "what the row lost, its tokens lost");
    }

    pub(super) async fn a_suspension_on_one_process_is_felt_by_the_next_call_on_another(house: House) {
        let second = house.second().await;
        let doors = Doors::open(&second).await;
        let acme = house.partner("acme", &[]).await;
        let contact = Edit::Contact(Some("partners@acme.example".to_owned()));
        house.engine.change_partner(&acme.client, &[contact]).await.expect("it is changed");
        for _ in 0..50 {
            assert_eq!(doors.call_with(&acme.token).await.status, 200);
            let since = house.engine.now();
            let suspend = [Edit::Status(PartnerStatus::Suspended)];
            house.engine.change_partner(&acme.client, &suspend).await.expect("it is suspended");
            house.clock.forward(Duration::seconds(1));
            let renamed = [Edit::Name(format!("Acme at {}", house.engine.now()))];
            house.engine.change_partner(&acme.client, &renamed).await.expect("it is changed");
            let refused = doors.call_with(&acme.token).await;
            assert_eq!(refused.status, 403);
            assert_eq!(refused.json()["code"], "partner_suspended");
            assert_eq!(refused.json()["contact"], "partners@acme.example");
            assert_eq!(refused.json()["since"], json!(since), "a later change of it moves nothing");
            let none = doors.token("acme", &acme.secret).await;
            assert_eq!((none.status.as_u16(), &none.json()["error"]), (400, &"unauthorized_client".into()));
            let resume = [Edit::Status(PartnerStatus::Active)];
            house.engine.change_partner(&acme.client, &resume).await.expect("it is resumed");
        }
    }

    pub(super) async fn a_token_that_was_taken_back_opens_nothing_anywhere(house: House) {
        let (doors, elsewhere) = (Doors::open(&house).await, Doors::open(&house.second().await).await);
        let (acme, other) = (house.partner("acme", &[]).await, house.partner("other", &[]).await);
        let revoke = async |client: &str, secret: &str, token: &str| {
            doors.form("/oauth2/revoke", Some((client, secret)), &[("token", token)]).await.status.as_u16()
        };
        assert_eq!(revoke("other", &other.secret, &acme.token).await, 200);
        assert_eq!(doors.call_with(&acme.token).await.status, 200, "nobody takes another's token back");
        assert_eq!(revoke("acme", &acme.secret, "nonsense").await, 200);
        assert_eq!(revoke("acme", &other.secret, &acme.token).await, 401);
        assert_eq!(revoke("acme", &acme.secret, "").await, 400);
        assert_eq!(revoke("acme", &acme.secret, &acme.token).await, 200);
        assert_eq!(revoke("acme", &acme.secret, &acme.token).await, 200);
        assert_eq!(doors.call_with(&acme.token).await.status, 401);
        assert_eq!(elsewhere.call_with(&acme.token).await.status, 401);
        let fresh = house.token("acme", &acme.secret).await;
        assert_eq!(elsewhere.call_with(&fresh).await.status, 200);
    }

    pub(super) async fn signing_keys_rotate_without_one_failed_call(house: House) {
        let second = house.second().await;
        let (doors, elsewhere) = (Doors::open(&house).await, Doors::open(&second).await);
        let acme = house.partner("acme", &[]).await;
        let keys = async || house.engine.signing_jwks().await.expect("keys")["keys"].as_array().expect("a list").len();
        assert_eq!(keys().await, 1);
        assert_eq!(second.engine.rotate_signing_key(TakeOver::Smoothly).await.expect("it rotates"), 2);
        assert_eq!(keys().await, 2, "the next one is published before it signs");
        let (mut held, mut kids) = (acme.token, std::collections::BTreeSet::new());
        // Each minute for two hours; a token is used until it ends.
        for minute in 0..120 {
            for doors in [&doors, &elsewhere] {
                assert_eq!(doors.call_with(&held).await.status, 200, "minute {minute}");
            }
            house.clock.forward(Duration::minutes(1));
            if minute % 10 == 9 {
                let fresh = doors.token("acme", &acme.secret).await.json();
                fresh["access_token"].as_str().expect("one").clone_into(&mut held);
                kids.insert(held.split('.').next().expect("a header").to_owned());
            }
        }
        assert_eq!(kids.len(), 2, "both have signed");
        assert_eq!(keys().await, 1, "the old one is gone");
    }

    pub(super) async fn a_key_in_the_wrong_hands_is_gone_at_once(house: House) {
        let second = house.second().await;
        let doors = Doors::open(&second).await;
        let acme = house.partner("acme", &[]).await;
        assert_eq!(doors.call_with(&acme.token).await.status, 200);
        house.engine.rotate_signing_key(TakeOver::AtOnce).await.expect("it rotates");
        assert_eq!(doors.call_with(&acme.token).await.status, 401);
        let fresh = doors.token("acme", &acme.secret).await.json();
        assert_eq!(doors.call_with(fresh["access_token"].as_str().expect("a token")).await.status, 200);
    }

    pub(super) async fn the_operator_hears_why_a_call_was_refused(house: House) {
        let mut doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        house.clock.forward(Duration::seconds(630));
        assert_eq!(doors.call_with(&acme.token).await.status, 401);
        assert!(doors.notes.write().await.expect("it is written"));
        let told = house.engine.refused_call("call-0").await.expect("a read").expect("it is known");
        assert_eq!((told.reason.as_str(), told.client.as_deref()), ("it has expired", Some("acme")));
        assert_eq!(told.failed_at, house.clock.now());
        let wrong = doors.token("acme", "cwp_nonsense").await;
        let id = wrong.header("x-request-id").to_owned();
        assert!(doors.notes.write().await.expect("it is written"));
        let told = house.engine.refused_call(&id).await.expect("a read").expect("it is known");
        assert_eq!(told.reason, "the secret is not one of the client's live ones");
        assert!(house.engine.refused_call("nobody").await.expect("a read").is_none());
    }

    pub(super) async fn a_stranger_verifies_our_tokens_by_what_is_published(house: House) {
        let doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        let get = async |path: &str| doors.send(Request::get(path).body(Body::empty()).expect("a request")).await;
        let found = get("/.well-known/oauth-authorization-server").await;
        assert_eq!(found.json()["issuer"], ISSUER);
        assert_eq!(found.json()["token_endpoint"], format!("{ISSUER}/oauth2/token"));
        let jwks = get("/.well-known/jwks.json").await;
        assert_eq!(jwks.header("cache-control"), "public, max-age=900");
        let jwk = serde_json::from_value(jwks.json()["keys"][0].clone()).expect("a JWK");
        let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key");
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
        rules.set_audience(&["partner-api"]);
        rules.set_issuer(&[ISSUER]);
        // The clock of the test stands in another year than the library's.
        rules.validate_exp = false;
        let read = jsonwebtoken::decode::<Value>(&acme.token, &key, &rules).expect("it holds");
        assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(read.header.kid.as_deref(), jwks.json()["keys"][0]["kid"].as_str());
        let claims = read.claims;
        assert_eq!((&claims["sub"], &claims["client_id"]), (&"acme".into(), &"acme".into()));
        assert_eq!((&claims["env"], &claims["pv"]), (&"live".into(), &1.into()));
        assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|at| at + 600));
    }

    pub(super) async fn what_is_over_is_dropped(house: House) {
        let mut doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        doors.form("/oauth2/revoke", Some(("acme", &acme.secret)), &[("token", &acme.token)]).await;
        doors.call(None).await;
        assert!(doors.notes.write().await.expect("it is written"));
        let rows = async |table: &str| house.number(&format!("SELECT COUNT(*) FROM {table}")).await;
        house.engine.prune_partners().await.expect("it prunes");
        assert_eq!((rows("revoked_token").await, rows("auth_failure").await), (1, 1));
        house.clock.forward(Duration::days(8));
        house.engine.prune_partners().await.expect("it prunes");
        assert_eq!((rows("revoked_token").await, rows("auth_failure").await), (0, 0));
    }
}
