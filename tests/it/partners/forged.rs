//! Hostile tokens: whatever is wrong with one, its answer is the same to the byte.

use crate::harness::on_both;

on_both! {
    every_hostile_token_gets_the_same_answer,
}

mod bodies {
    use super::super::doors::{Doors, ISSUER};
    use super::super::signed::{base64, house_key, raw, token};
    use crate::harness::House;
    use aws_lc_rs::hmac;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use axum::body::Body;
    use axum::http::{Request, header};
    use codewell::engine::Clock;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    /// A good token taken apart, to be spoilt in one place.
    struct Good {
        key: Ed25519KeyPair,
        header: Value,
        claims: Value,
        text: String,
    }

    impl Good {
        async fn of(house: &House) -> Self {
            let text = house.partner("acme", &[]).await.token;
            let jwks = house.engine.signing_jwks().await.expect("keys");
            let header = json!({"alg": "EdDSA", "kid": jwks["keys"][0]["kid"], "typ": "at+jwt"});
            let now = house.clock.now().timestamp();
            let claims = json!({
                "iss": ISSUER, "sub": "acme", "client_id": "acme", "aud": "partner-api", "exp": now + 600,
                "iat": now, "nbf": now, "jti": "one", "scope": "codes:read", "pv": 1, "env": "live",
            });
            Self { key: house_key(1), header, claims, text }
        }

        fn with_header(&self, member: &str, value: Value) -> String {
            let mut header = self.header.clone();
            header[member] = value;
            token(&self.key, &header, &self.claims)
        }

        fn with_claim(&self, member: &str, value: Value) -> String {
            let mut claims = self.claims.clone();
            claims[member] = value;
            token(&self.key, &self.header, &claims)
        }

        fn without_claim(&self, member: &str) -> String {
            let mut claims = self.claims.clone();
            claims.as_object_mut().expect("an object").remove(member);
            token(&self.key, &self.header, &claims)
        }

        fn hmac(&self, secret: &[u8]) -> String {
            let mut header = self.header.clone();
            header["alg"] = "HS256".into();
            let signed = format!("{}.{}", base64(header.to_string()), base64(self.claims.to_string()));
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
            format!("{signed}.{}", base64(mac))
        }

        fn unsigned(&self, algorithm: &str) -> String {
            let mut header = self.header.clone();
            header["alg"] = algorithm.into();
            format!("{}.{}.", base64(header.to_string()), base64(self.claims.to_string()))
        }

        /// Wrong in their form, their header or their signature.
        fn by_form(&self) -> Vec<(&'static str, String)> {
            let stranger = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).expect("a seed");
            let public = self.key.public_key().as_ref().to_vec();
            let parts: Vec<_> = self.text.split('.').collect();
            let own = json!({"kty": "OKP", "crv": "Ed25519", "x": base64(stranger.public_key())});
            let mut with_own = self.header.clone();
            with_own["jwk"] = own;
            vec![
                ("nothing", String::new()),
                ("a word", "token".to_owned()),
                ("two parts", format!("{}.{}", parts[0], parts[1])),
                ("four parts", format!("{}.x", self.text)),
                ("no signature", format!("{}.{}.", parts[0], parts[1])),
                ("a cut signature", self.text[..self.text.len() - 4].to_owned()),
                ("padding", format!("{}=", self.text)),
                ("a space behind", format!("{} x", self.text)),
                ("two tokens", format!("{},{}", self.text, self.text)),
                ("claims of another token", format!("{}.{}.{}", parts[0], base64(self.claims.to_string()), parts[2])),
                ("64 kB", format!("{}{}", self.text, "A".repeat(65_536))),
                ("5 kB of kid", self.with_header("kid", "a".repeat(5_000).into())),
                ("none", self.unsigned("none")),
                ("None", self.unsigned("None")),
                ("NONE", self.unsigned("NONE")),
                ("HS256 with the public key", self.hmac(&public)),
                ("HS256 with the public key as text", self.hmac(base64(&public).as_bytes())),
                ("HS256 with nothing", self.hmac(&[0])),
                ("ES256", self.with_header("alg", "ES256".into())),
                ("RS256", self.with_header("alg", "RS256".into())),
                ("an unknown alg", self.with_header("alg", "XY512".into())),
                ("alg as a list", self.with_header("alg", json!(["EdDSA"]))),
                ("no kid", self.with_header("kid", Value::Null)),
                ("an unknown kid", self.with_header("kid", "nobody".into())),
                ("a path as kid", self.with_header("kid", "../../etc/passwd".into())),
                ("SQL as kid", self.with_header("kid", "' OR 1=1 --".into())),
                ("a number as kid", self.with_header("kid", 1.into())),
                ("no typ", self.with_header("typ", Value::Null)),
                ("another typ", self.with_header("typ", "JWT".into())),
                ("an assertion's typ", self.with_header("typ", "client-authentication+jwt".into())),
                ("jku", self.with_header("jku", "https://evil.example/jwks".into())),
                ("jwk", token(&stranger, &with_own, &self.claims)),
                ("x5u", self.with_header("x5u", "https://evil.example/cert".into())),
                ("x5c", self.with_header("x5c", json!(["MIIB"]))),
                ("crit", self.with_header("crit", json!(["exp"]))),
                ("b64", self.with_header("b64", false.into())),
                ("a stranger's signature", token(&stranger, &self.header, &self.claims)),
                ("a header that is no object", raw(&self.key, "[]", &self.claims.to_string())),
                ("a header that is no JSON", raw(&self.key, "{", &self.claims.to_string())),
                (
                    "two algs",
                    raw(
                        &self.key,
                        &self.header.to_string().replacen('{', "{\"alg\":\"none\",", 1),
                        &self.claims.to_string(),
                    ),
                ),
            ]
        }

        /// Signed by our own key, and still not what we write.
        fn by_claims(&self, now: i64) -> Vec<(&'static str, String)> {
            let mut all = vec![
                ("expired", self.with_claim("exp", (now - 30).into())),
                ("not yet", self.with_claim("nbf", (now + 31).into())),
                ("made in the future", self.with_claim("iat", (now + 31).into())),
                ("good for a day", self.with_claim("exp", (now + 86_400).into())),
                ("exp for ever", self.with_claim("exp", i64::MAX.into())),
                ("exp as text", self.with_claim("exp", (now + 600).to_string().into())),
                ("nbf as text", self.with_claim("nbf", now.to_string().into())),
                ("exp as a fraction", self.with_claim("exp", 1e300.into())),
                ("exp below zero", self.with_claim("exp", (-1).into())),
                ("another issuer", self.with_claim("iss", "https://evil.example".into())),
                ("our issuer with a slash", self.with_claim("iss", format!("{ISSUER}/").into())),
                ("issuers as a list", self.with_claim("iss", json!([ISSUER]))),
                ("another audience", self.with_claim("aud", "till-api".into())),
                ("audiences as a list", self.with_claim("aud", json!(["partner-api", "till-api"]))),
                ("another sub", self.with_claim("sub", "other".into())),
                ("another client", self.with_claim("client_id", "other".into())),
                ("a client that is none", self.with_claim("client_id", "' OR 1=1".into())),
                ("another environment", self.with_claim("env", "test".into())),
                ("scopes as a list", self.with_claim("scope", json!(["codes:read"]))),
                ("more than we write", self.with_claim("admin", true.into())),
                ("claims that are no object", raw(&self.key, &self.header.to_string(), "\"acme\"")),
                ("claims that are no JSON", raw(&self.key, &self.header.to_string(), "{")),
            ];
            for member in ["iss", "sub", "client_id", "aud", "exp", "iat", "nbf", "jti", "scope", "pv", "env"] {
                all.push((member, self.without_claim(member)));
            }
            all
        }
    }

    pub(super) async fn every_hostile_token_gets_the_same_answer(house: House) {
        let doors = Doors::open(&house).await;
        let good = Good::of(&house).await;
        assert_eq!(doors.call_with(&good.text).await.status, 200);
        let again = token(&good.key, &good.header, &good.claims);
        assert_eq!(doors.call_with(&again).await.status, 200, "what is spoilt below is good before");
        let now = house.clock.now().timestamp();
        let mut hostile = good.by_form();
        hostile.extend(good.by_claims(now));
        assert!(hostile.len() >= 70, "{}", hostile.len());
        let mut answers = BTreeSet::new();
        for (what, token) in &hostile {
            let answer = doors.call_with(token).await;
            assert_eq!(answer.status, 401, "{what}");
            assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{what}");
            answers.insert(answer.body);
            let request = Request::get("/v1/campaigns").header(header::AUTHORIZATION, format!("Bearer {token}"));
            let answer = doors.send(request.body(Body::empty()).expect("a request")).await;
            assert_eq!(answer.status, 401, "{what}");
            assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{what}");
            assert_eq!(answer.header("x-request-id").len(), 32, "{what}: the house can look it up");
            answers.insert(answer.body);
        }
        for none in [None, Some(""), Some("Bearer"), Some("Basic YTpi"), Some(good.text.as_str())] {
            let answer = doors.call(none).await;
            assert_eq!(answer.status, 401, "{none:?}");
            answers.insert(answer.body);
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
}
