//! What a partner asks of its endpoints happens once for an Idempotency-Key, however many ask at once.

use crate::harness::on_both;

on_both! {
    hundreds_with_one_key_rotate_a_secret_once_and_the_old_one_still_signs,
    a_late_retry_of_a_rotation_gets_its_first_answer_and_brings_no_old_secret_back,
    hundreds_that_make_endpoints_at_once_make_ten,
    an_endpoint_that_was_changed_is_known_by_what_was_asked_first,
}

mod bodies {
    use super::super::bodies::{PARTNER_ID, believes, due, endpoint, happened, partner};
    use super::super::receiver::{Receiver, Says};
    use crate::harness::House;
    use chrono::TimeDelta;
    use codewell::domain::feed::Codes;
    use codewell::domain::webhook::WantedEvents;
    use codewell::engine::{Clock as _, EndpointChange, EngineError, NewEndpoint, NewEndpointError};
    use std::collections::BTreeSet;
    use tokio::task::JoinSet;

    pub(super) async fn hundreds_with_one_key_rotate_a_secret_once_and_the_old_one_still_signs(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let (made, old) = endpoint(&house, "k", receiver.url()).await;
        let mut tasks = JoinSet::new();
        for _ in 0..200 {
            let (engine, id) = (house.engine.clone(), made.id.clone());
            tasks.spawn(async move { engine.rotate_endpoint_secret(PARTNER_ID, &id, "same").await.unwrap().unwrap() });
        }
        let answers = tasks.join_all().await;
        let answers: BTreeSet<_> = answers.into_iter().map(|(new, until)| (new.expose().clone(), until)).collect();
        assert_eq!(answers.len(), 1, "one answer");
        let (new, until) = answers.first().unwrap();
        assert_eq!(*until, house.clock.now() + TimeDelta::hours(24));
        happened(&house, 1, 1).await;
        due(&house).await;
        let [taken] = &receiver.taken()[..] else { panic!("one call") };
        assert!(believes(&old, taken) && believes(new, taken), "both sign");
    }

    pub(super) async fn a_late_retry_of_a_rotation_gets_its_first_answer_and_brings_no_old_secret_back(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let (made, oldest) = endpoint(&house, "k", receiver.url()).await;
        let rotate = async |key: &str| {
            let rotated = house.engine.rotate_endpoint_secret(PARTNER_ID, &made.id, key).await.unwrap();
            rotated.map(|(secret, until)| (secret.expose().clone(), until)).unwrap()
        };
        let first = rotate("r1").await;
        house.clock.forward(TimeDelta::days(2));
        let second = rotate("r2").await;
        for days in [0, 8] {
            house.clock.forward(TimeDelta::days(days));
            // Whatever is asked anew sweeps out keys that are a week old.
            house.engine.try_endpoint(PARTNER_ID, &made.id, &format!("t{days}")).await.unwrap().expect("it is there");
            assert_eq!((rotate("r1").await, rotate("r2").await), (first.clone(), second.clone()), "{days} days later");
            due(&house).await;
            let last = receiver.taken().pop().unwrap();
            let believed = [&oldest, &first.0, &second.0].map(|secret| believes(secret, &last));
            assert_eq!(believed, [false, days == 0, true], "{days} days later");
        }
        let reused = house.engine.rotate_endpoint_secret(PARTNER_ID, &made.id, "t8").await;
        assert!(matches!(reused, Err(EngineError::KeyReused)), "{reused:?}");
    }

    fn new(host: &str) -> NewEndpoint {
        let url = format!("https://{host}.example/");
        NewEndpoint { url, events: WantedEvents::default(), codes: Codes::Ending }
    }

    pub(super) async fn hundreds_that_make_endpoints_at_once_make_ten(house: House) {
        partner(&house).await;
        let other = house.second().await;
        // The moment at which one too many could be made comes once a round.
        for round in 0..8 {
            let mut tasks = JoinSet::new();
            for no in 0..200 {
                let engine = [&house, &other][no % 2].engine.clone();
                tasks.spawn(async move {
                    // Every key comes five times.
                    match engine.add_endpoint(PARTNER_ID, &format!("{round} {}", no % 40), new("hooks")).await {
                        Ok((made, secret)) => Some((made.id, secret.expose().clone())),
                        Err(NewEndpointError::TooMany) => None,
                        Err(NewEndpointError::Engine(error)) => panic!("{error}"),
                    }
                });
            }
            let answers = tasks.join_all().await;
            let made: BTreeSet<_> = answers.iter().flatten().collect();
            assert_eq!((made.len(), answers.iter().flatten().count()), (10, 50), "each key has one answer");
            assert_eq!(house.number("SELECT COUNT(*) FROM webhook_endpoint").await, 10);
            house.sql("DELETE FROM webhook_endpoint").await;
        }
    }

    pub(super) async fn an_endpoint_that_was_changed_is_known_by_what_was_asked_first(house: House) {
        partner(&house).await;
        let (made, secret) = house.engine.add_endpoint(PARTNER_ID, "k", new("first")).await.unwrap();
        let change = EndpointChange { url: Some(new("second").url), ..EndpointChange::default() };
        house.engine.change_endpoint(PARTNER_ID, &made.id, &change).await.unwrap().expect("it is there");
        let (again, same) = house.engine.add_endpoint(PARTNER_ID, "k", new("first")).await.unwrap();
        assert_eq!((&again.id, same.expose()), (&made.id, secret.expose()));
        assert_eq!(again.url, new("second").url, "it stays changed");
        let other = house.engine.add_endpoint(PARTNER_ID, "k", new("second")).await;
        let is_refused = matches!(other, Err(NewEndpointError::Engine(EngineError::KeyReused)));
        assert!(is_refused, "what it is now was not asked for: {other:?}");
        // One that an earlier release made is known by what it is.
        house.sql("UPDATE webhook_endpoint SET asked = NULL").await;
        house.engine.add_endpoint(PARTNER_ID, "k", new("second")).await.unwrap();
    }
}
