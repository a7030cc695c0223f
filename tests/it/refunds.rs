//! Money that goes back while a code stays used: what creators and partners keep of it, to the unit.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::harness::on_both;

on_both! {
    three_hundred_refunds_in_two_processes_give_back_no_more_than_the_sale_was,
    a_refund_takes_its_share_of_a_commission_and_a_rollback_the_rest,
    a_partner_hears_of_a_refund_and_its_revenue_shrinks,
    a_refund_of_what_was_taken_back_or_has_no_amount_is_refused,
    the_next_sale_of_a_code_owes_nothing_for_the_refunds_of_the_one_before,
}

mod bodies {
    use crate::apply::written::{apply, pizza};
    use crate::claims::bodies::{doors, send};
    use crate::harness::{House, campaign};
    use axum::body::Body;
    use axum::http::{Request, header};
    use chrono::Duration;
    use codewell::domain::act::{Act, Ask, Deliver, Presented};
    use codewell::domain::campaign::{Attribution, Channel, Partnership};
    use codewell::domain::decision::outcome::Outcome;
    use codewell::domain::feed::Cursor;
    use codewell::domain::ids::{CampaignId, RequestId};
    use codewell::domain::partner::Grant;
    use codewell::domain::till::TillRefusal;
    use codewell::engine::{CreatorIn, draw, fingerprint};
    use serde_json::json;
    use tokio::task::JoinSet;

    fn request(house: &House) -> RequestId {
        RequestId { door: "till-k1".to_owned(), key: house.key() }
    }

    /// PIZZA with Emma, who earns that; the redemption of a follower's code.
    async fn emmas_sale(house: &House, commission: &str, amount: Option<i64>) -> (String, String) {
        let disclosure = None;
        let emma = CreatorIn { handle: "emma".to_owned(), name: "Emma".to_owned(), phone: None, disclosure };
        house.engine.add_creator(&emma).await.expect("she is made");
        let part = format!("[campaign.creators.emma]\ncap = 20\ncommission = {{ {commission} }}\n");
        apply(house, &pizza(100, &part)).await;
        let spot = house.text(1, "EMMA").await.expect("it is settled").outcome.spot().expect("a code");
        let code = house.engine.code_at(spot).await.expect("it is read").expect("it is there").expose().to_owned();
        (sell(house, &code, amount).await, code)
    }

    async fn sell(house: &House, code: &str, amount: Option<i64>) -> String {
        let shown = Presented { amount, order: Some("10023".to_owned()), ..Presented::default() };
        let settled = house.engine.redeem(request(house), code, shown).await.expect("it is settled");
        let Some(Outcome::Redeemed(_, id)) = settled.map(|settled| settled.outcome) else { panic!("it is redeemed") };
        id
    }

    async fn refund(house: &House, sale: &str, amount: i64) -> Outcome {
        let asked = house.engine.refund(request(house), sale.to_owned(), (amount, "dented".to_owned())).await;
        asked.expect("it is settled").expect("it is known").outcome
    }

    async fn roll_back(house: &House, sale: &str) {
        let back = house.engine.roll_back(request(house), sale.to_owned(), "returned".to_owned()).await;
        assert!(matches!(back.expect("settled").expect("known").outcome, Outcome::RolledBack(..)));
    }

    /// What the rollups say: the creator's revenue, and what she earned.
    async fn counted(house: &House) -> (i64, i64) {
        let sum = |what: &str| format!("SELECT CAST(COALESCE(SUM({what}), 0) AS BIGINT) FROM rollup_credit");
        (house.number(&sum("amount_minor")).await, house.number(&sum("commission_minor")).await)
    }

    pub(super) async fn three_hundred_refunds_in_two_processes_give_back_no_more_than_the_sale_was(house: House) {
        let (sale, _) = emmas_sale(&house, "percent = 10", Some(1_000)).await;
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for n in 0..300 {
            let (house, sale) = (houses[n % 2].clone(), sale.clone());
            tasks.spawn(async move { refund(&house, &sale, 7).await });
        }
        let outcomes = tasks.join_all().await;
        let done = outcomes.iter().filter(|one| matches!(one, Outcome::Refunded(..))).count();
        let refused = |one: &&Outcome| matches!(one, Outcome::Declined(_, TillRefusal::ConditionsNotMet));
        assert_eq!((done, outcomes.iter().filter(refused).count()), (142, 158), "142 times 7 is 994");
        assert_eq!(counted(&house).await, (6, 1), "a tenth of what is left, rounded");
        house.audited().await;
        roll_back(&houses[1], &sale).await;
        assert_eq!(counted(&house).await, (0, 0));
        house.audited().await;
    }

    pub(super) async fn a_refund_takes_its_share_of_a_commission_and_a_rollback_the_rest(house: House) {
        let (sale, code) = emmas_sale(&house, "flat = 100", Some(1_000)).await;
        let earned = async || {
            let emma = house.engine.creator("emma").await.expect("she is there").row;
            let report = house.engine.desk_report(&emma, "PIZZA", 30).await.expect("it is read").expect("her part");
            let (_, earned, reversals) = report.commission.clone().expect("she earns");
            let back: Vec<_> = reversals.iter().map(|one| one.amount).collect();
            ((earned.pending, earned.confirmed, earned.reversed), back, (report.now.revenue, report.now.redeemed))
        };
        assert_eq!(earned().await, ((100, 0, 0), vec![], (1_000, 1)));
        house.clock.forward(Duration::minutes(1));
        assert!(matches!(refund(&house, &sale, 300).await, Outcome::Refunded(..)));
        assert_eq!(earned().await, ((70, 0, 30), vec![30], (700, 1)));
        assert!(house.engine.validate(&code, &Presented::default()).await.expect("read").is_err(), "it stays used");
        house.clock.forward(Duration::days(20));
        refund(&house, &sale, 200).await;
        house.clock.forward(Duration::days(20));
        assert_eq!(earned().await.0, (0, 50, 50), "confirmed is what was kept");
        roll_back(&house, &sale).await;
        let (sums, back, _) = earned().await;
        assert_eq!((sums, back), ((0, 0, 100), vec![50, 20, 30]));
        assert_eq!(counted(&house).await, (0, 0));
        house.audited().await;
    }

    pub(super) async fn a_partner_hears_of_a_refund_and_its_revenue_shrinks(house: House) {
        campaign(1).write(&house).await;
        let acme = house.partner("acme", &[Grant::free(CampaignId(1))]).await;
        let by = Partnership { id: acme.id, version: 0 };
        let from = Attribution { partner: Some(by), ..Attribution::by(Channel::Api) };
        let asked = RequestId { door: "api-acme".to_owned(), key: house.key() };
        let ask = Ask::Issue(CampaignId(1), from, Deliver::Here);
        let act = Act { partner: Some(acme.id), ..Act::new(draw(), asked, fingerprint(&[]), Some(house.who(1)), ask) };
        let spot = house.engine.settle(act).await.expect("settled").outcome.spot().expect("a code");
        let code = house.engine.code_at(spot).await.expect("it is read").expect("it is there").expose().to_owned();
        let sale = sell(&house, &code, Some(2_500)).await;
        refund(&house, &sale, 400).await;
        let heard = house.engine.feed(acme.id, Cursor::default(), 10).await.expect("it is read").events;
        let told: Vec<_> = heard.iter().map(|event| event.kind).collect();
        assert_eq!(told, ["issued", "redeemed", "refunded"]);
        assert_eq!((&heard[2].data["redemption_id"], &heard[2].data["amount"]), (&json!(sale), &json!(400)));
        let revenue = "SELECT CAST(SUM(amount_minor) AS BIGINT) FROM rollup_credit WHERE kind = 'partner'";
        assert_eq!(house.number(revenue).await, 2_100);
        let today = house.engine.now().format("%F");
        let path = format!("/v1/reports/daily?from={today}&to={today}");
        let bearer = format!("Bearer {}", acme.token);
        let call = Request::get(&path).header(header::AUTHORIZATION, bearer).body(Body::empty()).expect("a request");
        let answer = send(&doors(&house), call).await;
        let report: serde_json::Value = serde_json::from_str(&answer.body).expect("it is JSON");
        assert_eq!((&report["data"][0]["redeemed"], &report["data"][0]["revenue"]), (&json!(1), &json!(2_100)));
        house.audited().await;
    }

    pub(super) async fn a_refund_of_what_was_taken_back_or_has_no_amount_is_refused(house: House) {
        let (sale, code) = emmas_sale(&house, "flat = 100", None).await;
        let refused = |outcome| assert!(matches!(outcome, Outcome::Declined(_, TillRefusal::ConditionsNotMet)));
        refused(refund(&house, &sale, 1).await);
        roll_back(&house, &sale).await;
        let second = sell(&house, &code, Some(500)).await;
        refused(refund(&house, &sale, 1).await);
        refused(refund(&house, &second, 501).await);
        assert!(matches!(refund(&house, &second, 500).await, Outcome::Refunded(..)), "all of it may go back");
        refused(refund(&house, &second, 1).await);
        assert_eq!(counted(&house).await, (0, 0));
        let none = house.engine.refund(request(&house), "rd_none".to_owned(), (1, "x".to_owned())).await;
        assert_eq!(none.expect("it is asked"), None);
        house.audited().await;
    }

    pub(super) async fn the_next_sale_of_a_code_owes_nothing_for_the_refunds_of_the_one_before(house: House) {
        let (first, code) = emmas_sale(&house, "percent = 10", Some(1_000)).await;
        refund(&house, &first, 400).await;
        roll_back(&house, &first).await;
        let second = sell(&house, &code, Some(1_000)).await;
        assert_eq!(counted(&house).await, (1_000, 100));
        refund(&house, &second, 1_000).await;
        assert_eq!(counted(&house).await, (0, 0));
        house.audited().await;
    }
}
