//! Changes by people while texts pour in: what is acknowledged holds from then on, in every process.

use crate::harness::on_both;

on_both! {
    a_total_lowered_by_apply_under_load_holds_from_its_acknowledgement_on,
    a_cap_across_campaigns_lowered_under_load_holds_from_its_acknowledgement_on,
    an_end_under_load_retires_every_code_that_was_not_issued,
}

#[cfg(feature = "faults")]
on_both! {
    an_apply_waits_for_the_batch_that_is_parked_and_the_next_one_obeys_it,
}

mod bodies {
    use crate::apply::written::{SENDER, apply, ask, pizza};
    use crate::harness::{House, issued};
    use codewell::domain::campaign::Status;
    use codewell::domain::decision::outcome::{Outcome, Refusal};
    use std::ops::Range;
    use tokio::task::JoinSet;

    const OUT: &str = "SELECT COUNT(*) FROM issuance";

    fn total(most: u64) -> String {
        pizza(2_000, &format!("caps.campaign.total = {most}\n"))
    }

    /// Phones that text a word, half of them to another process.
    async fn texted(houses: &[House; 2], phones: Range<u64>, word: &'static str) -> Vec<Outcome> {
        let mut tasks = JoinSet::new();
        for phone in phones {
            let house = houses[usize::from(phone % 2 == 1)].clone();
            tasks.spawn(async move { ask(&house, phone, word).await });
        }
        tasks.join_all().await
    }

    pub(super) async fn a_total_lowered_by_apply_under_load_holds_from_its_acknowledgement_on(house: House) {
        apply(&house, &total(1_000)).await;
        let houses = [house.clone(), house.second().await];
        let people = async {
            apply(&house, &total(50)).await;
            house.number(OUT).await
        };
        let (acknowledged, crowd) = tokio::join!(people, texted(&houses, 0..400, "pizza"));
        let late = texted(&houses, 1_000..1_100, "pizza").await;
        let out = issued(&crowd).len() + issued(&late).len();
        assert_eq!(i64::try_from(out), Ok(acknowledged.max(50)), "{acknowledged} were out when it was acknowledged");
        house.audited().await;
    }

    pub(super) async fn a_cap_across_campaigns_lowered_under_load_holds_from_its_acknowledgement_on(house: House) {
        let campaign = |name: &str| {
            format!(
                "[[campaign]]\nname = \"{name}\"\noffer = {{ type = \"amount_off\", value = 500 }}\n\
                 code.pattern = \"{}-????-????*\"\npool = {{ source = \"derive\", size = 2000 }}\nkeywords.main = \"{name}\"\n",
                name.get(..3).expect("a prefix")
            )
        };
        let most = |codes: u32| {
            let cap = format!("[[cap]]\nscope = \"person\"\ntotal = {codes}\n");
            format!("{SENDER}{}{}{cap}", campaign("PIZZA"), campaign("DRINK"))
        };
        apply(&house, &most(2)).await;
        let houses = [house.clone(), house.second().await];
        let people = async {
            apply(&house, &most(1)).await;
            house.number(OUT).await
        };
        let first = texted(&houses, 200..250, "pizza").await;
        assert_eq!(issued(&first).len(), 50);
        let (acknowledged, crowd) = tokio::join!(people, texted(&houses, 0..300, "pizza"));
        assert!(issued(&crowd).len() == 250 && acknowledged <= 350, "each of the others has one");
        let late = texted(&houses, 0..300, "drink").await;
        assert!(issued(&late).is_empty(), "none has a second one from now on");
        house.audited().await;
    }

    pub(super) async fn an_end_under_load_retires_every_code_that_was_not_issued(house: House) {
        apply(&house, &pizza(2_000, "")).await;
        let houses = [house.clone(), house.second().await];
        let people = async {
            house.engine.set_status("PIZZA", Status::Ended).await.expect("it is ended");
            house.number(OUT).await
        };
        let (acknowledged, crowd) = tokio::join!(people, texted(&houses, 0..400, "pizza"));
        let late = texted(&houses, 1_000..1_100, "pizza").await;
        assert!(late.iter().all(|outcome| *outcome == Outcome::Refused(Refusal::Ended, None)));
        assert_eq!(i64::try_from(issued(&crowd).len()), Ok(acknowledged));
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 0);
        house.audited().await;
    }

    #[cfg(feature = "faults")]
    pub(super) async fn an_apply_waits_for_the_batch_that_is_parked_and_the_next_one_obeys_it(house: House) {
        apply(&house, &total(1_000)).await;
        let second = house.second().await;
        let parked = house.faults.park("after_locks");
        let asked = {
            let house = house.clone();
            tokio::spawn(async move { ask(&house, 1, "pizza").await })
        };
        parked.reached.await.expect("the batch comes to its locks");
        let acknowledged = std::cell::Cell::new(false);
        let people = async {
            apply(&second, &total(1)).await;
            acknowledged.set(true);
        };
        let release = async {
            house.until_somebody_waits().await;
            assert!(!acknowledged.get(), "nothing is acknowledged yet");
            drop(parked.resume);
        };
        tokio::join!(people, release);
        assert_eq!(issued(&[asked.await.expect("no task dies")]).len(), 1);
        for house in [&house, &second] {
            let late = ask(house, 2, "pizza").await;
            assert!(matches!(late, Outcome::Refused(Refusal::CapReached(cap), None) if cap.cap == 1), "{late:?}");
        }
        house.audited().await;
    }
}
