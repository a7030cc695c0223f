//! What a partner asks of its endpoints happens once for an Idempotency-Key, however many ask at once.

use crate::harness::on_both;

on_both! {
    hundreds_with_one_key_rotate_a_secret_once_and_the_old_one_still_signs,
    a_late_retry_of_a_rotation_gets_its_first_answer_and_brings_no_old_secret_back,
}

mod bodies {
    use super::super::bodies::{PARTNER_ID, believes, due, endpoint, happened, partner};
    use super::super::receiver::{Receiver, Says};
    use crate::harness::House;
    use chrono::TimeDelta;
    use codewell::engine::{Clock as _, EngineError};
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
}
