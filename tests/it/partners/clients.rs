//! How partners prove themselves at the token endpoint.

use crate::harness::on_both;

on_both! {
    a_secret_is_answered_with_a_token,
    what_proves_nothing_gets_the_same_answer,
    secrets_rotate_two_at_a_time,
    an_assertion_of_either_kind_of_key_is_answered_with_a_token,
    an_assertion_is_good_for_one_request_in_all_processes,
    an_assertion_that_is_not_quite_right_proves_nothing,
    requests_that_are_none_are_named_in_the_words_of_oauth,
    who_asks_too_often_waits_and_nobody_else,
}

mod bodies {
    use super::super::doors::{Answer, Doors, ISSUER};
    use super::super::signed::TestKey;
    use crate::harness::House;
    use chrono::Duration;
    use codewell::engine::{Clock, CredentialError, CredentialKind};
    use codewell::http::oauth::TokenLimits;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use std::sync::Arc;

    const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    async fn assert_with(doors: &Doors, assertion: &str) -> Answer {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
        ];
        doors.form("/oauth2/token", None, &fields).await
    }

    fn claims(house: &House, jti: &str) -> Value {
        let now = house.clock.now().timestamp();
        json!({"iss": "acme", "sub": "acme", "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti})
    }

    fn header(key: &TestKey) -> Value {
        json!({"alg": key.algorithm(), "typ": "client-authentication+jwt"})
    }

    pub(super) async fn a_secret_is_answered_with_a_token(house: House) {
        let doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        let answer = doors.token("acme", &acme.secret).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let out = answer.json();
        assert_eq!((&out["token_type"], &out["expires_in"]), (&"Bearer".into(), &600.into()));
        let all = "codes:issue codes:bulk codes:read events:read reports:read webhooks:manage";
        assert_eq!(out["scope"], all);
        let token = out["access_token"].as_str().expect("a token");
        assert_eq!(doors.call_with(token).await.status, 200);
        house.clock.forward(Duration::seconds(629));
        assert_eq!(doors.call_with(token).await.status, 200, "clocks may differ by 30 s");
        house.clock.forward(Duration::seconds(1));
        assert_eq!(doors.call_with(token).await.status, 401);
    }

    pub(super) async fn what_proves_nothing_gets_the_same_answer(house: House) {
        let doors = Doors::open(&house).await;
        let (acme, other) = (house.partner("acme", &[]).await, house.partner("other", &[]).await);
        let mut answers = BTreeSet::new();
        let longer = format!("{}x", acme.secret);
        for (client, secret) in [
            ("acme", other.secret.as_str()),
            ("acme", ""),
            ("acme", "cwp_short"),
            ("acme", &longer),
            ("nobody", &acme.secret),
            ("No Client", &acme.secret),
            ("", ""),
        ] {
            let answer = doors.token(client, secret).await;
            assert_eq!(answer.status, 401, "{client}");
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"codewell\"");
            assert_eq!(answer.header("cache-control"), "no-store");
            answers.insert(answer.body);
        }
        answers.insert(doors.form("/oauth2/token", None, &[("grant_type", "client_credentials")]).await.body);
        answers.insert(assert_with(&doors, "a.b.c").await.body);
        let fields = [("grant_type", "client_credentials"), ("client_id", "other")];
        answers.insert(doors.form("/oauth2/token", Some(("acme", &acme.secret)), &fields).await.body);
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(answers.first().expect("one").contains("\"invalid_client\""));
    }

    pub(super) async fn secrets_rotate_two_at_a_time(house: House) {
        let doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        let next = house.engine.add_partner_secret(&acme.client, "next").await.expect("a second");
        let third = house.engine.add_partner_secret(&acme.client, "third").await.expect_err("two are the most");
        assert!(matches!(third, CredentialError::Full(2)), "{third:?}");
        assert_eq!(doors.token("acme", &acme.secret).await.status, 200);
        assert_eq!(doors.token("acme", next.expose()).await.status, 200);
        let all = house.engine.partner_credentials(&acme.client).await.expect("they are read");
        let first = all.iter().find(|secret| secret.name == "test").expect("the first").id.clone();
        let revoke = async |id: &str| house.engine.revoke_credential(&acme.client, CredentialKind::Secret, id).await;
        revoke(&first).await.expect("it is taken back");
        assert!(matches!(revoke(&first).await, Err(CredentialError::NoneSuch(_))));
        assert_eq!(doors.token("acme", &acme.secret).await.status, 401);
        assert_eq!(doors.token("acme", next.expose()).await.status, 200);
        house.engine.add_partner_secret(&acme.client, "third").await.expect("there is room again");
        assert_eq!(house.number("SELECT COUNT(*) FROM partner_key WHERE material LIKE 'cwp_%'").await, 0);
    }

    pub(super) async fn an_assertion_of_either_kind_of_key_is_answered_with_a_token(house: House) {
        let doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        for (key, jti) in [(TestKey::ed(3), "one"), (TestKey::ec(), "two")] {
            let jwk = key.jwk().to_string();
            let added = house.engine.add_partner_key(&acme.client, "k", &jwk).await.expect("it is registered");
            let again = house.engine.add_partner_key(&acme.client, "k", &jwk).await.expect_err("it is known");
            assert!(matches!(again, CredentialError::Known), "{again:?}");
            let answer = assert_with(&doors, &key.sign(&header(&key), &claims(&house, jti))).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let plain = json!({"alg": key.algorithm(), "kid": added.id});
            let one = json!([ISSUER]);
            let mut said = claims(&house, &format!("{jti} again"));
            said["aud"] = one;
            let answer = assert_with(&doors, &key.sign(&plain, &said)).await;
            assert_eq!(answer.status, 200, "without a typ, by its thumbprint, one audience in a list: {}", answer.body);
            house.engine.revoke_credential(&acme.client, CredentialKind::Key, &added.id).await.expect("taken back");
            let answer = assert_with(&doors, &key.sign(&header(&key), &claims(&house, "late"))).await;
            assert_eq!(answer.status, 401);
        }
    }

    pub(super) async fn an_assertion_is_good_for_one_request_in_all_processes(house: House) {
        let doors = [Arc::new(Doors::open(&house).await), Arc::new(Doors::open(&house.second().await).await)];
        let acme = house.partner("acme", &[]).await;
        let key = TestKey::ed(3);
        house.engine.add_partner_key(&acme.client, "", &key.jwk().to_string()).await.expect("it is registered");
        let assertion = key.sign(&header(&key), &claims(&house, "once"));
        let mut tasks = tokio::task::JoinSet::new();
        for at in 0..200 {
            let (doors, assertion) = (Arc::clone(&doors[at % 2]), assertion.clone());
            tasks.spawn(async move { assert_with(&doors, &assertion).await.status.as_u16() });
        }
        let statuses = tasks.join_all().await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 199);
    }

    pub(super) async fn an_assertion_that_is_not_quite_right_proves_nothing(house: House) {
        let mut doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        house.partner("other", &[]).await;
        let (key, stranger, ec) = (TestKey::ed(3), TestKey::ed(4), TestKey::ec());
        house.engine.add_partner_key(&acme.client, "", &key.jwk().to_string()).await.expect("it is registered");
        let now = house.clock.now().timestamp();
        let with = |member: &str, value: Value| {
            let mut claims = claims(&house, member);
            claims[member] = value;
            key.sign(&header(&key), &claims)
        };
        let headed = |member: &str, value: Value| {
            let mut header = header(&key);
            header[member] = value;
            key.sign(&header, &claims(&house, "headed"))
        };
        let endpoint = format!("{ISSUER}/oauth2/token");
        for (reason, assertion) in [
            ("the audience is another one, or not the only one", with("aud", endpoint.into())),
            ("the audience is another one, or not the only one", with("aud", format!("{ISSUER}/").into())),
            ("the audience is another one, or not the only one", with("aud", json!([ISSUER, "https://x.example"]))),
            ("it would be good for too long", with("exp", (now + 61).into())),
            ("it has expired", with("exp", (now - 30).into())),
            ("it is not good yet", with("nbf", (now + 31).into())),
            ("the issuer is another one", with("iss", "other".into())),
            ("the kid names no key that signs now", with("sub", "other".into())),
            ("there is no such client", with("sub", "nobody".into())),
            ("the claims are not those we write: jti has 1 to 128 characters", with("jti", "".into())),
            ("the claims are not those we write: jti has 1 to 128 characters", with("jti", "j".repeat(129).into())),
            ("the claims are not those we write: a member is missing or of another type", with("jti", Value::Null)),
            ("the claims are not those we write: a member is missing or of another type", with("exp", "1".into())),
            ("the header's typ is another one", headed("typ", "at+jwt".into())),
            ("the kid names no key that signs now", headed("kid", "nobody".into())),
            ("the header's alg is not the key's", headed("alg", "ES256".into())),
            ("the header names jku, which is never followed", headed("jku", "https://x.example".into())),
            ("the signature does not hold", stranger.sign(&header(&stranger), &claims(&house, "stranger"))),
            ("the header's alg is not the key's", ec.sign(&header(&ec), &claims(&house, "ec"))),
        ] {
            let answer = assert_with(&doors, &assertion).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (401, &"invalid_client".into()), "{reason}");
            assert!(doors.notes.write().await.expect("it is written"));
            let told = house.engine.refused_call(answer.header("x-request-id")).await.expect("a read");
            assert_eq!(told.expect("it is known").reason, reason);
        }
        let good = assert_with(&doors, &key.sign(&header(&key), &claims(&house, "good"))).await;
        assert_eq!(good.status, 200, "{}", good.body);
    }

    pub(super) async fn requests_that_are_none_are_named_in_the_words_of_oauth(house: House) {
        let doors = Doors::open(&house).await;
        let acme = house.partner("acme", &[]).await;
        let basic = Some(("acme", acme.secret.as_str()));
        let grant = ("grant_type", "client_credentials");
        for (error, fields) in [
            ("invalid_request", vec![]),
            ("unsupported_grant_type", vec![("grant_type", "password")]),
            ("invalid_scope", vec![grant, ("scope", "codes:everything")]),
            ("invalid_scope", vec![grant, ("scope", "codes:read admin")]),
            ("invalid_request", vec![grant, ("scope", "codes:read"), ("scope", "codes:issue")]),
            ("invalid_request", vec![grant, ("client_secret", acme.secret.as_str())]),
            ("invalid_request", vec![grant, ("client_assertion", "a.b.c"), ("client_assertion_type", JWT_BEARER)]),
        ] {
            let answer = doors.form("/oauth2/token", basic, &fields).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &error.into()), "{fields:?}");
            assert_eq!(answer.header("content-type"), "application/json");
        }
    }

    pub(super) async fn who_asks_too_often_waits_and_nobody_else(house: House) {
        let doors = Doors::limited(&house, TokenLimits::new(3, 0)).await;
        let (acme, other) = (house.partner("acme", &[]).await, house.partner("other", &[]).await);
        for _ in 0..10 {
            assert_eq!(doors.token("acme", &other.secret).await.status, 401, "a stranger uses nobody's budget");
        }
        for _ in 0..3 {
            assert_eq!(doors.token("acme", &acme.secret).await.status, 200);
        }
        let full = doors.token("acme", &acme.secret).await;
        assert_eq!(full.status, 429);
        assert!(full.header("retry-after").parse::<u32>().expect("seconds") > 0);
        assert_eq!(doors.token("other", &other.secret).await.status, 200);
    }
}
