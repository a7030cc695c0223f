//! Documents, through the engine and on both databases.

use crate::harness::on_both;

on_both! {
    the_demo_applies_whole_and_a_second_time_changes_nothing,
    a_text_gets_a_code_of_each_kind_of_pool_right_after_apply,
    a_total_lowered_below_what_was_issued_stops_and_raised_again_goes_on,
    a_cap_that_is_new_counts_what_was_issued_before_it,
    a_cap_across_campaigns_is_judged_as_it_was_when_a_code_was_issued,
    what_would_break_codes_already_out_is_refused_in_words,
    keywords_move_within_one_apply_and_not_between_campaigns,
    a_change_planned_on_an_older_picture_is_stale,
}

/// Documents as tests write them, and what becomes of them.
pub(crate) mod written {
    use crate::harness::House;
    use codewell::domain::decision::outcome::Outcome;
    use codewell::domain::document::Document;
    use codewell::engine::plan::{Mark, Plan};
    use codewell::engine::{Applied, ApplyError};

    pub(crate) const SENDER: &str = "[[sender]]\naddress = \"12345\"\nbrand = \"Acme\"\nhelp = \"acme.example/help\"\n";

    /// A campaign of `size` generated codes; `rest` is TOML that follows.
    pub(crate) fn pizza(size: u64, rest: &str) -> String {
        format!(
            "{SENDER}[[campaign]]\nname = \"PIZZA\"\noffer = {{ type = \"amount_off\", value = 500 }}\n\
             code.pattern = \"PZA-????-????*\"\npool = {{ source = \"generate\", size = {size} }}\n\
             keywords.main = \"PIZZA\"\n{rest}"
        )
    }

    pub(crate) fn read(text: &str) -> Document {
        Document::parse("test.toml", text).expect("the document parses")
    }

    pub(crate) async fn apply(house: &House, text: &str) -> Applied {
        house.engine.apply(&read(text), &|_| {}).await.expect("it is applied")
    }

    pub(crate) async fn refusals(house: &House, text: &str) -> Vec<String> {
        match house.engine.apply(&read(text), &|_| {}).await {
            Err(ApplyError::Refused(plan)) => texts(&plan, Mark::Refuse),
            other => panic!("it should be refused: {other:?}"),
        }
    }

    pub(crate) fn texts(plan: &Plan, mark: Mark) -> Vec<String> {
        plan.steps.iter().filter(|step| step.mark == mark).map(|step| step.text.clone()).collect()
    }

    pub(crate) async fn ask(house: &House, phone: u64, words: &str) -> Outcome {
        house.text(phone, words).await.expect("it is settled").outcome
    }
}

mod bodies {
    use super::written::{SENDER, apply, ask, pizza, read, refusals, texts};
    use crate::harness::{House, StandIn};
    use codewell::app::demo;
    use codewell::domain::campaign::Status;
    use codewell::domain::decision::outcome::{Outcome, Refusal, Told};
    use codewell::domain::document::Document;
    use codewell::domain::ids::SenderId;
    use codewell::engine::Look;
    use codewell::engine::plan::Mark;
    use codewell::store::StoreError;
    use std::path::Path;

    /// The demo's files in a directory of their own, as one document.
    fn demo_documents(dir: &Path) -> Document {
        let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date");
        let mut all = Document::default();
        for (name, text) in demo::documents(today, &[7; 32]) {
            let path = dir.join(name);
            std::fs::write(&path, &text).expect("the file is written");
            if path.extension().is_some_and(|extension| extension == "toml") {
                let file = path.to_str().expect("a plain path");
                all.append(Document::parse(file, &text).expect("the demo parses"));
            }
        }
        all
    }

    pub(super) async fn the_demo_applies_whole_and_a_second_time_changes_nothing(house: House) {
        let house = house.living_with(StandIn::named("burger-shop").registry()).await;
        let dir = tempfile::tempdir().expect("a directory");
        demo::creators::open(&house.engine).await.expect("the creators are made");
        let documents = demo_documents(dir.path());
        let applied = house.engine.apply(&documents, &|_| {}).await.expect("the demo applies");
        let warnings = texts(&applied.plan, Mark::Warn);
        assert_eq!(warnings, ["campaign SUMMER: its end is in the past: nobody will get a code"]);
        assert_eq!(house.number("SELECT CAST(SUM(in_stock) AS BIGINT) FROM pool").await, 1_000_057_100);
        assert_eq!(house.number("SELECT COUNT(*) FROM code").await, 50_000 + 1_000 + 100 + 1_000 + 1_000);
        let version = house.engine.catalog().version;
        let again = house.engine.apply(&documents, &|_| {}).await.expect("it applies again");
        assert_eq!(again.plan.to_string(), "nothing to change\n");
        assert!(again.plan.is_empty());
        assert_eq!(house.engine.catalog().version, version);
        house.audited().await;
    }

    pub(super) async fn a_text_gets_a_code_of_each_kind_of_pool_right_after_apply(house: House) {
        let house = house.living_with(StandIn::named("burger-shop").registry()).await;
        let dir = tempfile::tempdir().expect("a directory");
        demo::creators::open(&house.engine).await.expect("the creators are made");
        house.engine.apply(&demo_documents(dir.path()), &|_| {}).await.expect("the demo applies");
        assert!(matches!(ask(&house, 2, "BURGER").await, Outcome::Held(_)), "the shop was not asked yet");
        let (burger, _, shop) = house.engine.peers_campaigns().remove(0);
        let look = house.engine.look_at_pool(&burger, &burger.pools[0], &shop.expect("the shop")).await;
        assert_eq!(look.expect("it looks"), Look::Looked { alive: 5, dead: 0 }, "as many as its document keeps ready");
        for (word, prefix) in [("pizza", "PZA-"), ("Welcome", "WLC-"), ("BURGER!", "BRG-"), ("lucky", "LKY-")] {
            let Outcome::Issued(spot) = ask(&house, 1, word).await else { panic!("{word} brings a code") };
            let code = house.engine.code_at(spot).await.expect("it is read").expect("it is there");
            assert!(code.expose().starts_with(prefix), "{word}");
        }
        assert!(matches!(ask(&house, 1, "MORNING").await, Outcome::Refused(Refusal::NotStarted(_), None)));
        assert!(matches!(ask(&house, 1, "SUMMER").await, Outcome::Refused(Refusal::Ended, None)));
        assert_eq!(ask(&house, 1, "TEAPOT").await, Outcome::Told(Told::Unknown));
        house.audited().await;
    }

    pub(super) async fn a_total_lowered_below_what_was_issued_stops_and_raised_again_goes_on(house: House) {
        apply(&house, &pizza(100, "caps.campaign = { total = 50, day = 40 }")).await;
        for phone in 0..10 {
            assert!(matches!(ask(&house, phone, "PIZZA").await, Outcome::Issued(_)));
        }
        let lowered = apply(&house, &pizza(100, "caps.campaign = { total = 5, day = 40 }")).await;
        assert!(texts(&lowered.plan, Mark::Change).iter().any(|text| text.contains("cap 50 → 5")), "{}", lowered.plan);
        let Outcome::Refused(Refusal::CapReached(reached), None) = ask(&house, 20, "PIZZA").await else {
            panic!("the lowered cap holds")
        };
        assert_eq!((reached.cap, reached.used), (10, 10));
        house.audited().await;
        apply(&house, &pizza(100, "caps.campaign = { total = 11, day = 40 }")).await;
        assert!(matches!(ask(&house, 20, "PIZZA").await, Outcome::Issued(_)));
        assert!(matches!(ask(&house, 21, "PIZZA").await, Outcome::Refused(Refusal::CapReached(_), None)));
        house.audited().await;
    }

    pub(super) async fn a_cap_that_is_new_counts_what_was_issued_before_it(house: House) {
        apply(&house, &pizza(100, "")).await;
        for phone in 0..7 {
            ask(&house, phone, "PIZZA").await;
        }
        let across = "[[cap]]\nscope = \"all\"\nmonth = 9\n";
        let own = "caps.campaign = { day = 9, total = 50 }\ncaps.channel.sms.week = 9\ncaps.money = 50.00\n";
        apply(&house, &format!("{}{across}", pizza(100, own))).await;
        house.audited().await;
        let used = "SELECT CAST(SUM(used) AS BIGINT) FROM quota WHERE used < 1000";
        assert_eq!(house.number(used).await, 7 * 4, "day, total, week and the month across");
        assert_eq!(house.number("SELECT MAX(used) FROM quota").await, 3_500, "money at its worth");
        assert!(matches!(ask(&house, 8, "PIZZA").await, Outcome::Issued(_)));
        assert!(matches!(ask(&house, 9, "PIZZA").await, Outcome::Issued(_)));
        assert!(matches!(ask(&house, 10, "PIZZA").await, Outcome::Refused(Refusal::CapReached(_), None)));
        // Taken away and brought back, a cap has missed nothing.
        apply(&house, &pizza(100, "")).await;
        apply(&house, &pizza(100, own)).await;
        assert!(matches!(ask(&house, 10, "PIZZA").await, Outcome::Refused(Refusal::CapReached(_), None)));
        house.audited().await;
    }

    pub(super) async fn a_cap_across_campaigns_is_judged_as_it_was_when_a_code_was_issued(house: House) {
        let named = |name: &str, prefix: &str| pizza(10, "").replace("PIZZA", name).replace("PZA", prefix);
        let others = [named("CAKE", "CKE"), named("LATTE", "LTT")].concat().replace(SENDER, "");
        let all = "[[cap]]\nscope = \"all\"\nday = 100\n";
        apply(&house, &format!("{}{others}{all}[[cap]]\nscope = \"person\"\ntotal = 3\n", pizza(10, ""))).await;
        assert!(matches!(ask(&house, 1, "PIZZA").await, Outcome::Issued(_)));
        assert!(matches!(ask(&house, 1, "CAKE").await, Outcome::Issued(_)));
        house.clock.forward(chrono::Duration::days(1));
        // Another zone has other days, and what was issued before stays with the old ones.
        let tokyo = format!("{all}zone = \"Asia/Tokyo\"\n");
        apply(&house, &format!("{tokyo}[[cap]]\nscope = \"person\"\ntotal = 1\n")).await;
        assert!(matches!(ask(&house, 1, "LATTE").await, Outcome::Refused(Refusal::CapReached(_), None)));
        assert!(matches!(ask(&house, 2, "LATTE").await, Outcome::Issued(_)));
        house.audited().await;
        house.clock.forward(chrono::Duration::minutes(1));
        apply(&house, "[[cap]]\nscope = \"person\"\ntotal = 3\n").await;
        assert!(matches!(ask(&house, 1, "LATTE").await, Outcome::Issued(_)));
        house.audited().await;
        assert_eq!(house.number("SELECT MAX(version) FROM campaign_version WHERE campaign_id = 0").await, 3);
        // Had she been held to one from the start, two would be too many.
        house.sql("UPDATE campaign_version SET created_at = 0 WHERE campaign_id = 0 AND version = 2").await;
        let report = codewell::store::audit::audit(house.store.read(), &mut |_| {}).await.expect("the audit runs");
        let breaches = report.checks.iter().find(|check| check.name == "person_cap").map(|check| &check.breaches);
        assert!(breaches.is_some_and(|found| found.len() == 1 && found[0].what.contains("allowed 1")), "{report:?}");
    }

    pub(super) async fn what_would_break_codes_already_out_is_refused_in_words(house: House) {
        apply(&house, &pizza(100, "redemption.places = [\"17\", \"18\"]")).await;
        ask(&house, 1, "PIZZA").await;
        let dearer = pizza(100, "redemption.places = [\"17\"]").replace("value = 500", "value = 400, min_spend = 100");
        let refused = refusals(&house, &dearer).await;
        assert_eq!(
            refused,
            [
                "campaign PIZZA: codes are out that promise \"$5 off\": end it and start another campaign for another offer",
                "campaign PIZZA: codes are out without this minimum spend: it may only be lowered",
                "campaign PIZZA: codes are out that count in more places: places may only be added",
            ]
        );
        let other = refusals(&house, &pizza(99, "").replace("PZA-", "PZB-")).await;
        assert!(other.iter().any(|text| text.contains("another pattern is another campaign")), "{other:?}");
        assert!(other.iter().any(|text| text.contains("cannot shrink to 99")), "{other:?}");
        // Its words and its places may still grow, and the promise of the code that is out stays what it was.
        let words =
            pizza(100, "redemption.places = \"any\"").replace("value = 500", "value = 500, title = \"Five off\"");
        apply(&house, &words).await;
        assert_eq!(house.number("SELECT COUNT(*) FROM offer").await, 2);
        assert_eq!(house.number("SELECT offer_no FROM issuance").await, 1);
        house.engine.set_status("PIZZA", Status::Ended).await.expect("it ends");
        let over = refusals(&house, &pizza(100, "")).await;
        assert_eq!(over, ["campaign PIZZA: it is over for ever; start one of another name"]);
        house.audited().await;
    }

    pub(super) async fn keywords_move_within_one_apply_and_not_between_campaigns(house: House) {
        apply(&house, &pizza(10, "keywords.aliases = [\"PIE\"]\nkeywords.placements = { PIZZA2 = \"radio\" }")).await;
        let cake = pizza(10, "").replace(SENDER, "").replace("PIZZA", "CAKE").replace("PZA", "CKE")
            + "keywords.aliases = [\"PIE\"]\n";
        let refused = refusals(&house, &cake).await;
        assert_eq!(refused, ["campaign CAKE: keyword PIE in use by campaign PIZZA"]);
        apply(&house, &format!("{}{cake}", pizza(10, "keywords.placements = { PIZZA2 = \"radio\" }\n"))).await;
        let Outcome::Issued(spot) = ask(&house, 1, "PIE").await else { panic!("CAKE has it now") };
        assert_eq!(spot.campaign.0, 2);
        ask(&house, 1, "PIZZA2").await;
        assert_eq!(house.number("SELECT placement_id FROM issuance WHERE campaign_id = 1").await, 1);
        house.engine.set_status("PIZZA", Status::Ended).await.expect("it ends");
        apply(&house, &(cake.replace("\"PIE\"", "\"PIE\", \"PIZZA\""))).await;
        assert!(matches!(ask(&house, 2, "PIZZA").await, Outcome::Issued(spot) if spot.campaign.0 == 2));
        assert_eq!(house.engine.catalog().sender_at("12345").map(|sender| sender.id), Some(SenderId(1)));
        house.audited().await;
    }

    pub(super) async fn a_change_planned_on_an_older_picture_is_stale(house: House) {
        let plan = house.engine.plan(&read(&pizza(10, "").replace("generate", "derive"))).await.expect("a plan");
        apply(&house, SENDER).await;
        let now = || codewell::engine::Clock::now(&house.clock);
        let turn = house.engine.turn().await.expect("a turn");
        let late = codewell::store::config::commit(&house.store, &plan.change, now).await;
        drop(turn);
        assert!(matches!(late, Err(StoreError::Stale)), "{late:?}");
    }
}
