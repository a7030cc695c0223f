//! The partners' feed as it is read and as it is sent, on both databases.

use crate::harness::on_both;

mod doors;
mod killed;
mod once;
mod receiver;

on_both! {
    an_event_is_signed_so_that_another_hand_believes_it,
    after_a_rotation_both_secrets_sign_for_a_day,
    an_event_goes_out_at_each_step_of_the_schedule_and_then_its_endpoint_is_disabled,
    an_event_that_alone_is_refused_is_given_up_and_the_others_go_on,
    an_endpoint_that_is_gone_is_disabled_and_told_of,
    a_busy_endpoint_is_left_alone_as_long_as_it_asks,
    a_receiver_that_was_away_gets_everything_in_order,
    an_endpoint_that_hangs_delays_no_other,
    two_processes_lose_nothing_and_each_event_goes_to_one,
    an_address_inside_is_never_called,
    a_replay_sends_everything_after_the_cursor_again,
    what_a_process_sent_and_could_not_write_down_goes_out_again,
}

/// A partner with an endpoint.
pub(crate) const PARTNER: u32 = 7;

mod bodies {
    use super::PARTNER;
    use super::receiver::{Receiver, Says, Taken, client, guarded};
    use crate::harness::{House, campaign, sender};
    use chrono::TimeDelta;
    use codewell::domain::feed::{Codes, Cursor};
    use codewell::domain::ids::{CampaignId, PartnerId, Spot, millis};
    use codewell::domain::webhook::{Disabled, WantedEvents, wait_after};
    use codewell::engine::{Clock as _, Endpoint, EndpointChange, NewEndpoint};
    use codewell::workers::webhooks::{deliver_due, run};
    use standardwebhooks::Webhook;
    use std::collections::BTreeSet;
    use std::time::Duration;

    pub(super) const PARTNER_ID: PartnerId = PartnerId(PARTNER);

    /// A partner's row, without keys and grants.
    pub(super) async fn partner(house: &House) {
        house
            .sql(&format!(
                "INSERT INTO partner (partner_id, client_id, name, environment, status, version, created_at)
                 VALUES ({PARTNER}, 'acme', 'Acme', 'live', 'active', 1, 0)"
            ))
            .await;
        house.sql(&format!("INSERT INTO feed_counter VALUES ({PARTNER}, 0)")).await;
    }

    /// Writes events `first..=last` as a batch does: the rows and the counter in one transaction.
    pub(super) async fn happened(house: &House, first: u64, last: u64) {
        use sea_orm::ConnectionTrait as _;
        let now = millis(house.clock.now());
        let row = |no: u64| format!("({PARTNER}, {no}, 'redeemed', {now}, NULL, NULL, NULL, '{{\"amount\":{no}}}')");
        let rows: Vec<_> = (first..=last).map(row).collect();
        let tx = house.store.begin_change().await.unwrap();
        let sql = format!(
            "INSERT INTO feed (partner_id, event_no, kind, happened_at, campaign_id, pool_no, position, data) VALUES {}",
            rows.join(", ")
        );
        tx.execute_unprepared(&sql).await.unwrap();
        let sql = format!("UPDATE feed_counter SET last_no = {last} WHERE partner_id = {PARTNER}");
        tx.execute_unprepared(&sql).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(super) async fn endpoint(house: &House, key: &str, url: String) -> (Endpoint, String) {
        let new = NewEndpoint { url, events: WantedEvents::default(), codes: Codes::Ending };
        let (endpoint, secret) = house.engine.add_endpoint(PARTNER_ID, key, new).await.unwrap();
        (endpoint, secret.expose().clone())
    }

    async fn now(house: &House, endpoint: &Endpoint) -> Endpoint {
        house.engine.endpoint(PARTNER_ID, &endpoint.id).await.unwrap().expect("it is there")
    }

    pub(super) async fn due(house: &House) -> usize {
        deliver_due(&house.engine, &client()).await.unwrap()
    }

    /// Whether the library of the specification believes a call; its clock is the machine's, so only the time is
    /// taken for granted.
    pub(super) fn believes(secret: &str, taken: &Taken) -> bool {
        let at_s = taken.header("webhook-timestamp").parse().unwrap();
        let signed = Webhook::new(secret).unwrap().sign(taken.header("webhook-id"), at_s, &taken.body).unwrap();
        taken.header("webhook-signature").split(' ').any(|signature| signature == signed)
    }

    pub(super) async fn an_event_is_signed_so_that_another_hand_believes_it(house: House) {
        partner(&house).await;
        sender(&house).await;
        campaign(1).write(&house).await;
        let receiver = Receiver::start(Says::Status(204)).await;
        let (made, secret) = endpoint(&house, "k", receiver.url()).await;
        let issued = house.issue(1, 1).await.unwrap();
        let spot = Spot { campaign: CampaignId(1), pool: 1, position: 0 };
        assert!(format!("{:?}", issued.outcome).contains("position: 0"), "{issued:?}");
        let note = r#"{"click_id":"c9","metadata":{"a":1},"other":1}"#;
        house.sql(&format!("UPDATE issuance SET partner_id = {PARTNER}, sub_id = 's1', note = '{note}'")).await;
        let at = millis(house.clock.now());
        house.sql(&format!("UPDATE feed_counter SET last_no = 1 WHERE partner_id = {PARTNER}")).await;
        house
            .sql(&format!(
                "INSERT INTO feed VALUES ({PARTNER}, 1, 'redeemed', {at}, 1, 1, 0, '{{\"amount\":500,\"currency\":\"USD\"}}')"
            ))
            .await;
        assert_eq!(due(&house).await, 1);
        let [taken] = &receiver.taken()[..] else { panic!("one call") };
        assert!(believes(&secret, taken));
        assert!(!believes(&format!("whsec_{}", "AAAA".repeat(11)), taken));
        assert_eq!(taken.header("webhook-id"), "evt_acme_1");
        assert_eq!(taken.header("content-type"), "application/json");
        assert_eq!(taken.header("webhook-timestamp"), house.clock.now().timestamp().to_string());
        let code = house.engine.code_at(spot).await.unwrap().unwrap();
        let expected = serde_json::json!({
            "id": "evt_acme_1", "type": "redeemed", "timestamp": "2026-11-20T16:00:00Z",
            "data": {
                "amount": 500, "currency": "USD", "campaign": "C1", "code_ending": code.ending(), "sub_id": "s1",
                "click_id": "c9", "metadata": {"a": 1},
                "issuance": house.engine.parts().keys.issuance_ids().seal(spot).expose(),
            },
        });
        assert_eq!(taken.json(), expected);
        assert_eq!(now(&house, &made).await.taken_no, 1);
        // Who wants whole codes gets them; the next event of another kind is not wanted.
        let change = EndpointChange { codes: Some(Codes::Full), ..EndpointChange::default() };
        house.engine.change_endpoint(PARTNER_ID, &made.id, &change).await.unwrap();
        house.engine.replay_endpoint(PARTNER_ID, &made.id, "replay-1", Cursor(0)).await.unwrap();
        assert_eq!(due(&house).await, 1);
        assert_eq!(receiver.taken()[1].json()["data"]["code"], code.expose());
        assert!(receiver.taken()[1].json()["data"]["code_ending"].is_null());
        let change = EndpointChange { events: WantedEvents::parse("issued"), ..EndpointChange::default() };
        house.engine.change_endpoint(PARTNER_ID, &made.id, &change).await.unwrap();
        house.engine.replay_endpoint(PARTNER_ID, &made.id, "replay-2", Cursor(0)).await.unwrap();
        assert_eq!(due(&house).await, 0);
        assert_eq!(now(&house, &made).await.taken_no, 1);
    }

    pub(super) async fn after_a_rotation_both_secrets_sign_for_a_day(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let (made, old) = endpoint(&house, "k", receiver.url()).await;
        let (new, until) = house.engine.rotate_endpoint_secret(PARTNER_ID, &made.id, "r1").await.unwrap().unwrap();
        assert_eq!(until, house.clock.now() + TimeDelta::hours(24));
        happened(&house, 1, 1).await;
        due(&house).await;
        house.clock.forward(TimeDelta::hours(25));
        happened(&house, 2, 2).await;
        due(&house).await;
        let taken = receiver.taken();
        let believed: Vec<_> = taken.iter().map(|one| (believes(&old, one), believes(new.expose(), one))).collect();
        assert_eq!(believed, [(true, true), (false, true)]);
    }

    pub(super) async fn an_event_goes_out_at_each_step_of_the_schedule_and_then_its_endpoint_is_disabled(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(302)).await;
        let (made, _) = endpoint(&house, "k", receiver.url()).await;
        happened(&house, 1, 1).await;
        for attempt in 1..=10 {
            assert_eq!(due(&house).await, 1, "attempt {attempt}");
            assert_eq!(due(&house).await, 0, "attempt {attempt} is made once");
            let waiting = house.engine.waiting_deliveries(&made, "acme", None, 9).await.unwrap();
            let [one] = &waiting[..] else { panic!("one waits") };
            assert_eq!((one.attempts, one.last_status), (attempt, Some(302)));
            assert_eq!(one.last_error.as_deref(), Some("redirects are not followed"));
            let Some(least) = wait_after(attempt, 0) else { break };
            let wait = one.next_at.unwrap() - house.clock.now();
            assert!(wait >= least && wait <= wait_after(attempt, u16::MAX).unwrap(), "{wait}");
            house.clock.forward(wait);
        }
        assert_eq!(now(&house, &made).await.disabled, Some(Disabled::Failing));
        let told = house.number("SELECT times FROM alert WHERE kind = 'webhook_failing' AND cleared_at IS NULL").await;
        assert!(told >= 2, "after an hour and at the end: {told}");
        assert_eq!(receiver.taken().len(), 10);
        assert!(receiver.numbers().iter().all(|no| *no == 1));
        // It is mended and switched on: what waits and what came meanwhile goes out.
        receiver.says(Says::Status(200));
        // Number 2 is that it was disabled.
        happened(&house, 3, 3).await;
        assert_eq!(due(&house).await, 0, "nothing goes to who is disabled");
        let change = EndpointChange { disabled: Some(None), ..EndpointChange::default() };
        house.engine.change_endpoint(PARTNER_ID, &made.id, &change).await.unwrap();
        assert_eq!(due(&house).await, 2);
        assert_eq!(receiver.numbers()[10..].iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from([2, 3]));
        let open = "SELECT COUNT(*) FROM alert WHERE kind = 'webhook_failing' AND cleared_at IS NULL";
        assert_eq!(house.number(open).await, 0);
        // The first was given up, and shows; a replay brings it.
        house.engine.replay_endpoint(PARTNER_ID, &made.id, "replay-3", Cursor(0)).await.unwrap();
        assert_eq!(due(&house).await, 3);
        assert_eq!(house.engine.waiting_deliveries(&made, "acme", None, 9).await.unwrap(), []);
    }

    pub(super) async fn an_event_that_alone_is_refused_is_given_up_and_the_others_go_on(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(400)).await;
        let (made, _) = endpoint(&house, "k", receiver.url()).await;
        happened(&house, 1, 1).await;
        due(&house).await;
        for no in 2..=11 {
            receiver.says(Says::Status(200));
            happened(&house, no, no).await;
            assert_eq!(due(&house).await, 1, "only the new one is due");
            receiver.says(Says::Status(400));
            let waiting = house.engine.waiting_deliveries(&made, "acme", None, 9).await.unwrap();
            let Some(at) = waiting[0].next_at else { break };
            house.clock.forward(at - house.clock.now());
            assert_eq!(due(&house).await, 1);
        }
        let waiting = house.engine.waiting_deliveries(&made, "acme", None, 9).await.unwrap();
        assert_eq!((waiting.len(), waiting[0].event.as_str(), waiting[0].next_at), (1, "evt_acme_1", None));
        assert_eq!(now(&house, &made).await.disabled, None);
        let told = "SELECT COUNT(*) FROM alert WHERE kind = 'webhook_failing' AND detail LIKE '%given up'";
        assert_eq!(house.number(told).await, 1, "nothing is lost in silence");
    }

    pub(super) async fn an_endpoint_that_is_gone_is_disabled_and_told_of(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(410)).await;
        let (made, _) = endpoint(&house, "k", receiver.url()).await;
        happened(&house, 1, 1).await;
        due(&house).await;
        assert_eq!(now(&house, &made).await.disabled, Some(Disabled::Gone));
        happened(&house, 3, 3).await;
        house.clock.forward(TimeDelta::days(1));
        assert_eq!(due(&house).await, 0);
        let told = "SELECT COUNT(*) FROM alert WHERE kind = 'webhook_failing' AND cleared_at IS NULL";
        assert_eq!(house.number(told).await, 1);
        // The partner hears of it where else it hears.
        let other = Receiver::start(Says::Status(200)).await;
        let (elsewhere, _) = endpoint(&house, "other", other.url()).await;
        house.engine.replay_endpoint(PARTNER_ID, &elsewhere.id, "replay", Cursor(1)).await.unwrap();
        assert_eq!(due(&house).await, 2);
        let heard = other.taken().into_iter().map(|taken| taken.json()).find(|event| event["id"] == "evt_acme_2");
        let heard = heard.expect("without gaps");
        assert_eq!(heard["type"], "webhook_disabled");
        assert_eq!(heard["data"], serde_json::json!({"endpoint": made.id.as_str(), "why": "gone"}));
    }

    pub(super) async fn a_busy_endpoint_is_left_alone_as_long_as_it_asks(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Later(429, 120)).await;
        let (made, _) = endpoint(&house, "k", receiver.url()).await;
        happened(&house, 1, 1).await;
        due(&house).await;
        let waiting = house.engine.waiting_deliveries(&made, "acme", None, 9).await.unwrap();
        assert_eq!(waiting[0].next_at, Some(house.clock.now() + TimeDelta::seconds(120)));
        assert_eq!(waiting[0].last_status, Some(429));
        house.clock.forward(TimeDelta::seconds(119));
        assert_eq!(due(&house).await, 0);
        receiver.says(Says::Status(200));
        house.clock.forward(TimeDelta::seconds(1));
        assert_eq!(due(&house).await, 1);
        assert_eq!(now(&house, &made).await.health.failures, 0);
    }

    pub(super) async fn a_receiver_that_was_away_gets_everything_in_order(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let address = receiver.address;
        let (made, _) = endpoint(&house, "k", receiver.url()).await;
        happened(&house, 1, 3).await;
        due(&house).await;
        drop(receiver);
        // An hour of events while nobody is there.
        for minute in 0..60 {
            happened(&house, 4 + minute * 5, 8 + minute * 5).await;
            due(&house).await;
            house.clock.forward(TimeDelta::minutes(1));
        }
        let kept = house.number("SELECT COUNT(*) FROM webhook_retry").await;
        assert!(kept < 100, "who is down is only tried out, the rest waits in the feed: {kept}");
        let receiver = Receiver::at(address, Says::Status(200)).await;
        house.clock.forward(TimeDelta::hours(2));
        due(&house).await;
        let numbers = receiver.numbers();
        assert_eq!(numbers.iter().copied().collect::<BTreeSet<_>>(), (4..=303).collect());
        assert_eq!(numbers.len(), 300, "each once");
        // Eight are under way at once and each was started in its turn: none overtakes more than the seven beside it,
        // though one whose call is slow may be overtaken by any number.
        let most = numbers.iter().enumerate().map(|(at, no)| no.saturating_sub(at as u64 + 4)).max();
        assert!(most < Some(8), "out of order by {most:?}");
        assert_eq!(now(&house, &made).await.taken_no, 303);
        assert_eq!(house.number("SELECT COUNT(*) FROM webhook_retry").await, 0);
    }

    pub(super) async fn an_endpoint_that_hangs_delays_no_other(house: House) {
        partner(&house).await;
        let (hangs, works) = (Receiver::start(Says::Nothing).await, Receiver::start(Says::Status(200)).await);
        endpoint(&house, "hangs", hangs.url()).await;
        endpoint(&house, "works", works.url()).await;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let worker = tokio::spawn(run(house.engine.clone(), client(), async move { drop(stopped.await) }));
        happened(&house, 1, 100).await;
        house.engine.feed_written([PARTNER_ID]);
        hangs.until(8).await;
        let patience = Duration::from_secs(25);
        tokio::time::timeout(patience, works.until(100)).await.expect("no call of the other has ended yet");
        assert_eq!(hangs.taken().len(), 8, "no more than a few are under way");
        for no in 101..=150 {
            happened(&house, no, no).await;
            house.engine.feed_written([PARTNER_ID]);
            tokio::time::timeout(patience, works.until(usize::try_from(no).unwrap())).await.expect("it comes at once");
        }
        assert_eq!(works.numbers().iter().copied().collect::<BTreeSet<_>>(), (1..=150).collect());
        drop(stop);
        worker.await.unwrap();
        assert_eq!(house.number("SELECT MIN(taken_no) FROM webhook_endpoint").await, 0, "what hangs is not taken");
        assert_eq!(house.number("SELECT MAX(lease_until) FROM webhook_endpoint").await, 0, "all leases are given back");
    }

    pub(super) async fn two_processes_lose_nothing_and_each_event_goes_to_one(house: House) {
        partner(&house).await;
        let other = house.second().await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let (made, _) = endpoint(&house, "k", receiver.url()).await;
        let mut stops = Vec::new();
        let mut workers = tokio::task::JoinSet::new();
        for process in [&house, &other] {
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            stops.push(stop);
            workers.spawn(run(process.engine.clone(), client(), async move { drop(stopped.await) }));
        }
        for lot in 0..20 {
            happened(&house, lot * 10 + 1, lot * 10 + 10).await;
            // Only one of them hears of it; the other finds it.
            [&house, &other][usize::from(lot % 2 == 0)].engine.feed_written([PARTNER_ID]);
        }
        receiver.until(200).await;
        drop(stops.pop());
        workers.join_next().await.unwrap().unwrap();
        happened(&house, 201, 220).await;
        receiver.until(220).await;
        drop(stops);
        workers.join_all().await;
        let numbers = receiver.numbers();
        assert_eq!(numbers.iter().copied().collect::<BTreeSet<_>>(), (1..=220).collect());
        assert!(numbers.len() <= 228, "a hand-over repeats at most what was under way: {}", numbers.len());
        assert_eq!(now(&house, &made).await.taken_no, 220);
    }

    pub(super) async fn an_address_inside_is_never_called(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let (by_number, _) = endpoint(&house, "a", receiver.url().replace("http:", "https:")).await;
        let (by_name, _) = endpoint(&house, "b", format!("https://localhost:{}/hook", receiver.address.port())).await;
        happened(&house, 1, 1).await;
        assert_eq!(deliver_due(&house.engine, &guarded(&[])).await.unwrap(), 2);
        for made in [by_number, by_name] {
            let waiting = house.engine.waiting_deliveries(&made, "acme", None, 9).await.unwrap();
            let words = "no connection: the address is not on the public internet";
            assert_eq!(waiting[0].last_error.as_deref(), Some(words));
        }
        assert_eq!(receiver.taken().len(), 0);
    }

    pub(super) async fn a_replay_sends_everything_after_the_cursor_again(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let (made, _) = endpoint(&house, "k", receiver.url()).await;
        happened(&house, 1, 150).await;
        assert_eq!(due(&house).await, 150);
        let first = receiver.taken();
        assert!(house.engine.replay_endpoint(PARTNER_ID, &made.id, "replay-4", Cursor(100)).await.unwrap());
        assert_eq!(due(&house).await, 50);
        let again: BTreeSet<_> = receiver.numbers()[150..].iter().copied().collect();
        assert_eq!(again, (101..=150).collect());
        let body = |no: u64, of: &[Taken]| of.iter().rfind(|one| one.no() == no).unwrap().body.clone();
        assert_eq!(body(120, &first), body(120, &receiver.taken()), "the same event under the same id");
        assert!(
            !house.engine.replay_endpoint(PartnerId(8), &made.id, "replay-5", Cursor(0)).await.unwrap(),
            "not another's"
        );
        // A replay from beyond what was sent skips nothing.
        happened(&house, 151, 152).await;
        house.engine.replay_endpoint(PARTNER_ID, &made.id, "replay-6", Cursor(500)).await.unwrap();
        assert_eq!(due(&house).await, 2);
    }

    pub(super) async fn what_a_process_sent_and_could_not_write_down_goes_out_again(house: House) {
        partner(&house).await;
        let receiver = Receiver::start(Says::Status(200)).await;
        let (made, _) = endpoint(&house, "k", receiver.url()).await;
        happened(&house, 1, 3).await;
        let mut lost = house.engine.lease_endpoint(&made.id).await.unwrap().expect("it is free");
        assert!(house.engine.lease_endpoint(&made.id).await.unwrap().is_none(), "one process at a time");
        assert_eq!(due(&house).await, 0);
        // The process is gone; another one takes over when its time is up, and it writes nothing any more.
        house.clock.forward(TimeDelta::minutes(2));
        assert_eq!(due(&house).await, 3);
        assert!(!house.engine.settle_deliveries(&mut lost, 0, &[]).await.unwrap());
        assert_eq!(now(&house, &made).await.taken_no, 3);
    }
}
