//! How pulls end: by an acknowledgement, by their time, by a suspension; and streams that run meanwhile.

use crate::harness::on_both;

on_both! {
    an_acknowledgement_ends_a_pull_and_what_was_not_streamed_goes_back,
    acknowledgements_streams_and_ends_of_leases_leave_no_code_between_them,
    a_suspension_that_is_answered_cuts_every_stream,
    a_code_that_waits_in_a_pull_and_is_shown_is_told_to_its_partner_without_the_code,
}

mod bodies {
    use super::super::bodies::{client, found, free, partner, pulled, step, stream};
    use crate::harness::{House, campaign};
    use chrono::Duration;
    use codewell::domain::act::{LeaseStep, Presented};
    use codewell::domain::decision::outcome::{Bar, Outcome};
    use codewell::domain::feed::Cursor;
    use codewell::domain::ids::{CampaignId, RequestId, Spot};
    use codewell::domain::partner::{Edit, Grant, PartnerStatus};
    use codewell::engine::{EngineError, Piece, Which};
    use serde_json::json;
    use tokio::task::JoinSet;

    pub(super) async fn an_acknowledgement_ends_a_pull_and_what_was_not_streamed_goes_back(house: House) {
        campaign(1).size(1_000).write(&house).await;
        let id = partner(&house, "acme", vec![Grant { total: Some(1_000), ..free(1) }]).await;
        let (one, none) = (pulled(&house, id, 400).await, pulled(&house, id, 300).await);
        assert_eq!(stream(&house, &one, 100).await.len(), 100);
        assert_eq!(step(&house, &one, LeaseStep::Acknowledged(100)).await, Outcome::Leased(one.id, 100));
        assert_eq!(step(&house, &none, LeaseStep::Acknowledged(0)).await, Outcome::Leased(none.id, 0));
        for (pull, out) in [(&one, 100), (&none, 0)] {
            assert_eq!(house.engine.pull_piece(pull, out).await.unwrap(), Piece::End, "there is nothing to come");
            let after = found(&house, id, pull.id).await;
            assert_eq!((after.exposed, after.exposed + after.restocked), (out, after.count));
        }
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 900);
        let partners = "SELECT used FROM quota WHERE cap_id IN (SELECT cap_id FROM cap WHERE scope = 'partner')";
        assert_eq!(house.number(partners).await, 100, "what went back was given back");
        house.clock.forward(Duration::hours(2));
        house.engine.end_leases().await.unwrap();
        assert_eq!(house.number("SELECT COUNT(*) FROM code_event").await, 0, "what is acknowledged stays good");
        assert_eq!(pulled(&house, id, 900).await.count, 900);
        house.audited().await;
    }

    pub(super) async fn a_code_that_waits_in_a_pull_and_is_shown_is_told_to_its_partner_without_the_code(house: House) {
        campaign(1).size(1_000).write(&house).await;
        let id = partner(&house, "acme", vec![free(1)]).await;
        let pull = pulled(&house, id, 100).await;
        let spot = Spot { campaign: CampaignId(1), pool: 1, position: 70 };
        let code = house.engine.code_at(spot).await.unwrap().unwrap().expose().to_owned();
        let show = |house: &House, door: &str| {
            let request = RequestId { door: door.to_owned(), key: house.key() };
            let (house, code) = (house.clone(), code.clone());
            async move { house.engine.redeem(request, &code, Presented::default()).await.unwrap() }
        };
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for n in 0..200 {
            tasks.spawn(show(&houses[n % 2], &format!("till-{}", n % 2)));
        }
        assert!(tasks.join_all().await.iter().all(Option::is_none), "nobody was given it");
        let open = house.engine.alerts(Which::Open, 10).await.unwrap();
        let [alert] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((alert.about.as_str(), alert.times), (format!("campaign C1, partner {id}").as_str(), 2));
        let heard = house.engine.feed(id, Cursor::default(), 10).await.unwrap().events;
        let told = heard.iter().filter(|event| event.kind == "leak_suspected").map(|event| &event.data);
        let wanted = |n: u32| {
            let data = json!({"campaign": "C1", "allocation": pull.id.text(), "attempts": n});
            data.as_object().unwrap().clone()
        };
        assert_eq!(told.cloned().collect::<Vec<_>>(), [wanted(1), wanted(2)]);
        // Once it is streamed it is a sale like any other.
        assert_eq!(stream(&house, &pull, 100).await.len(), 100);
        assert!(show(&house, "till-3").await.is_some(), "it is out now");
        house.audited().await;
    }

    pub(super) async fn acknowledgements_streams_and_ends_of_leases_leave_no_code_between_them(house: House) {
        campaign(1).size(20_000).write(&house).await;
        let id = partner(&house, "acme", vec![free(1)]).await;
        let second = house.second().await;
        let mut pulls = Vec::new();
        for _ in 0..70 {
            pulls.push(pulled(&house, id, 150).await);
        }
        house.clock.forward(Duration::milliseconds(3_599_999));
        let mut tasks = JoinSet::new();
        for (n, one) in pulls.iter().enumerate() {
            for house in [house.clone(), second.clone()] {
                let one = one.clone();
                tasks.spawn(async move { drop(stream(&house, &one, 150).await) });
            }
            let (house, one) = (if n % 2 == 0 { house.clone() } else { second.clone() }, one.clone());
            tasks.spawn(async move {
                // Whatever is out just now; mostly the streams have gone on meanwhile.
                for out in [0, 50, 100, 150] {
                    step(&house, &one, LeaseStep::Acknowledged(out)).await;
                }
                house.clock.forward(Duration::milliseconds(1));
                house.engine.end_leases().await.unwrap();
            });
        }
        tasks.join_all().await;
        house.engine.end_leases().await.unwrap();
        let open = "SELECT COUNT(*) FROM allocation WHERE acked_at IS NULL AND ended_at IS NULL";
        assert_eq!(house.number(open).await, 0);
        let lost = "SELECT COUNT(*) FROM allocation WHERE exposed + restocked <> count";
        assert_eq!(house.number(lost).await, 0, "every code is out or went back");
        let out = house.number("SELECT CAST(SUM(exposed) AS BIGINT) FROM allocation").await;
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 20_000 - out);
        let voided = house.number("SELECT COUNT(*) FROM code_event WHERE kind = 'voided'").await;
        let ended = "SELECT CAST(COALESCE(SUM(exposed), 0) AS BIGINT) FROM allocation WHERE ended_at IS NOT NULL";
        assert_eq!(voided, house.number(ended).await, "what nobody acknowledged is void");
        house.audited().await;
    }

    pub(super) async fn a_suspension_that_is_answered_cuts_every_stream(house: House) {
        campaign(1).write(&house).await;
        let id = partner(&house, "acme", vec![free(1)]).await;
        let second = house.second().await;
        let mut streams = JoinSet::new();
        for n in 0..20 {
            let one = pulled(&house, id, 2_000).await;
            let house = if n % 2 == 0 { house.clone() } else { second.clone() };
            streams.spawn(async move {
                let mut out = 0;
                loop {
                    match house.engine.pull_piece(&one, out).await {
                        Ok(Piece::Codes(codes)) => out += codes.len() as u64,
                        Ok(Piece::End | Piece::Over) => return None,
                        Err(error) => return Some(error),
                    }
                }
            });
        }
        let stop = [Edit::Status(PartnerStatus::Suspended)];
        house.engine.change_partner(&client("acme"), &stop).await.unwrap();
        let out = house.number("SELECT COUNT(*) FROM issuance").await;
        let ends = streams.join_all().await;
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, out, "not one code after the answer");
        let is_cut = |end: &Option<EngineError>| matches!(end, Some(EngineError::Barred(Bar::Suspended)));
        assert!(ends.iter().any(is_cut), "{ends:?}");
        assert!(ends.iter().all(|end| end.is_none() || is_cut(end)), "{ends:?}");
        house.audited().await;
    }
}
