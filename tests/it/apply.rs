//! Documents, imports and generated codes, through the engine and on both databases.

use crate::harness::on_both;

on_both! {
    the_demo_applies_whole_and_a_second_time_changes_nothing,
    a_text_gets_a_code_of_each_kind_of_pool_right_after_apply,
    a_total_lowered_below_what_was_issued_stops_and_raised_again_goes_on,
    a_cap_that_is_new_counts_what_was_issued_before_it,
    a_pool_that_grows_brings_exactly_the_new_codes,
    a_list_uploaded_twice_adds_nothing_and_bad_lines_are_named,
    what_would_break_codes_already_out_is_refused_in_words,
    an_interrupted_apply_is_finished_by_the_next_one,
    keywords_move_within_one_apply_and_not_between_campaigns,
    a_change_planned_on_an_older_picture_is_stale,
}

mod bodies {
    use crate::harness::House;
    use codewell::app::demo;
    use codewell::domain::campaign::Status;
    use codewell::domain::decision::outcome::{Outcome, Refusal, Told};
    use codewell::domain::document::Document;
    use codewell::domain::ids::SenderId;
    use codewell::engine::plan::{Mark, Plan};
    use codewell::engine::{Applied, ApplyError, LineFault};
    use codewell::store::StoreError;
    use std::path::Path;

    const SENDER: &str =
        "[[sender]]\naddress = \"12345\"\nbrand = \"Acme\"\nhelp = \"acme.example/help\"\n";

    /// A campaign of `size` generated codes; `rest` is TOML that follows.
    fn pizza(size: u64, rest: &str) -> String {
        format!(
            "{SENDER}[[campaign]]\nname = \"PIZZA\"\noffer = {{ type = \"amount_off\", value = 500 }}\n\
             code.pattern = \"PZA-????-????*\"\npool = {{ source = \"generate\", size = {size} }}\n\
             keywords.main = \"PIZZA\"\n{rest}"
        )
    }

    fn read(text: &str) -> Document {
        Document::parse("test.toml", text).expect("the document parses")
    }

    async fn apply(house: &House, text: &str) -> Applied {
        house
            .engine
            .apply(&read(text), &|_| {})
            .await
            .expect("it is applied")
    }

    async fn refusals(house: &House, text: &str) -> Vec<String> {
        match house.engine.apply(&read(text), &|_| {}).await {
            Err(ApplyError::Refused(plan)) => texts(&plan, Mark::Refuse),
            other => panic!("it should be refused: {other:?}"),
        }
    }

    fn texts(plan: &Plan, mark: Mark) -> Vec<String> {
        plan.steps
            .iter()
            .filter(|step| step.mark == mark)
            .map(|step| step.text.clone())
            .collect()
    }

    /// The demo's files in a directory of their own, as one document.
    fn demo_documents(dir: &Path) -> Document {
        let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 20).expect("a date");
        let mut all = Document::default();
        for (name, text) in demo::documents(today, &[7; 32]) {
            let path = dir.join(name);
            std::fs::write(&path, &text).expect("the file is written");
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let file = path.to_str().expect("a plain path");
                all.append(Document::parse(file, &text).expect("the demo parses"));
            }
        }
        all
    }

    async fn ask(house: &House, phone: u64, words: &str) -> Outcome {
        house
            .text(phone, words)
            .await
            .expect("it is settled")
            .outcome
    }

    pub(super) async fn the_demo_applies_whole_and_a_second_time_changes_nothing(house: House) {
        let dir = tempfile::tempdir().expect("a directory");
        let documents = demo_documents(dir.path());
        let applied = house
            .engine
            .apply(&documents, &|_| {})
            .await
            .expect("the demo applies");
        let warnings = texts(&applied.plan, Mark::Warn);
        assert_eq!(
            warnings,
            ["campaign SUMMER: its end is in the past: nobody will get a code"]
        );
        assert_eq!(
            house
                .number("SELECT CAST(SUM(in_stock) AS BIGINT) FROM pool")
                .await,
            1_000_053_100
        );
        assert_eq!(
            house.number("SELECT COUNT(*) FROM code").await,
            50_000 + 1_000 + 100 + 1_000 + 1_000
        );
        let version = house.engine.catalog().version;
        let again = house
            .engine
            .apply(&documents, &|_| {})
            .await
            .expect("it applies again");
        assert_eq!(again.plan.to_string(), "nothing to change\n");
        assert!(again.plan.is_empty());
        assert_eq!(house.engine.catalog().version, version);
        house.audited().await;
    }

    pub(super) async fn a_text_gets_a_code_of_each_kind_of_pool_right_after_apply(house: House) {
        let dir = tempfile::tempdir().expect("a directory");
        house
            .engine
            .apply(&demo_documents(dir.path()), &|_| {})
            .await
            .expect("the demo applies");
        for (word, prefix) in [
            ("pizza", "PZA-"),
            ("Welcome", "WLC-"),
            ("BURGER!", "BRG-"),
            ("lucky", "LKY-"),
        ] {
            let Outcome::Issued(spot) = ask(&house, 1, word).await else {
                panic!("{word} brings a code")
            };
            let code = house
                .engine
                .code_at(spot)
                .await
                .expect("it is read")
                .expect("it is there");
            assert!(code.expose().starts_with(prefix), "{word}");
        }
        assert!(matches!(
            ask(&house, 1, "MORNING").await,
            Outcome::Refused(Refusal::NotStarted(_), None)
        ));
        assert!(matches!(
            ask(&house, 1, "SUMMER").await,
            Outcome::Refused(Refusal::Ended, None)
        ));
        assert_eq!(ask(&house, 1, "TEAPOT").await, Outcome::Told(Told::Unknown));
        house.audited().await;
    }

    pub(super) async fn a_total_lowered_below_what_was_issued_stops_and_raised_again_goes_on(
        house: House,
    ) {
        apply(
            &house,
            &pizza(100, "caps.campaign = { total = 50, day = 40 }"),
        )
        .await;
        for phone in 0..10 {
            assert!(matches!(
                ask(&house, phone, "PIZZA").await,
                Outcome::Issued(_)
            ));
        }
        let lowered = apply(
            &house,
            &pizza(100, "caps.campaign = { total = 5, day = 40 }"),
        )
        .await;
        assert!(
            texts(&lowered.plan, Mark::Change)
                .iter()
                .any(|text| text.contains("cap 50 → 5")),
            "{}",
            lowered.plan
        );
        let Outcome::Refused(Refusal::CapReached(reached), None) = ask(&house, 20, "PIZZA").await
        else {
            panic!("the lowered cap holds")
        };
        assert_eq!((reached.cap, reached.used), (10, 10));
        house.audited().await;
        apply(
            &house,
            &pizza(100, "caps.campaign = { total = 11, day = 40 }"),
        )
        .await;
        assert!(matches!(ask(&house, 20, "PIZZA").await, Outcome::Issued(_)));
        assert!(matches!(
            ask(&house, 21, "PIZZA").await,
            Outcome::Refused(Refusal::CapReached(_), None)
        ));
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
        assert_eq!(
            house.number(used).await,
            7 * 4,
            "day, total, week and the month across"
        );
        assert_eq!(
            house.number("SELECT MAX(used) FROM quota").await,
            3_500,
            "money at its worth"
        );
        assert!(matches!(ask(&house, 8, "PIZZA").await, Outcome::Issued(_)));
        assert!(matches!(ask(&house, 9, "PIZZA").await, Outcome::Issued(_)));
        assert!(matches!(
            ask(&house, 10, "PIZZA").await,
            Outcome::Refused(Refusal::CapReached(_), None)
        ));
        // Taken away and brought back, a cap has missed nothing.
        apply(&house, &pizza(100, "")).await;
        apply(&house, &pizza(100, own)).await;
        assert!(matches!(
            ask(&house, 10, "PIZZA").await,
            Outcome::Refused(Refusal::CapReached(_), None)
        ));
        house.audited().await;
    }

    pub(super) async fn a_pool_that_grows_brings_exactly_the_new_codes(house: House) {
        apply(&house, &pizza(2, "")).await;
        for phone in 0..3 {
            ask(&house, phone, "PIZZA").await;
        }
        let grown = house.engine.grown("PIZZA", 4).await.expect("it may grow");
        house.engine.apply(&grown, &|_| {}).await.expect("it grows");
        let mut outcomes = Vec::new();
        for phone in 3..6 {
            outcomes.push(ask(&house, phone, "PIZZA").await);
        }
        assert!(matches!(
            outcomes.as_slice(),
            [
                Outcome::Issued(_),
                Outcome::Issued(_),
                Outcome::Refused(Refusal::PoolEmpty, None)
            ]
        ));
        assert_eq!(house.number("SELECT COUNT(*) FROM code").await, 4);
        house.audited().await;
    }

    pub(super) async fn a_list_uploaded_twice_adds_nothing_and_bad_lines_are_named(house: House) {
        let dir = tempfile::tempdir().expect("a directory");
        let list = dir.path().join("codes.csv");
        std::fs::write(&list, "id,code\n1,AAA-1\n2,aaa 1\n3,\n4,PZA-7\n5,BBB-2\n")
            .expect("it is written");
        let file = list.to_str().expect("a plain path");
        let burger = format!(
            "[[campaign]]\nname = \"BURGER\"\noffer = {{ type = \"free_item\", title = \"Free fries\" }}\n\
             pool = {{ source = \"import\", file = '{file}' }}\nkeywords.main = \"BURGER\"\n"
        );
        let applied = apply(&house, &format!("{}\n{burger}", pizza(10, ""))).await;
        let (_, report) = applied.imports.first().expect("a file was imported");
        assert_eq!((report.lines, report.added, report.refused), (5, 2, 3));
        let lines: Vec<_> = report.faults.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5]);
        assert!(matches!(report.faults.first(), Some((3, LineFault::Twice))));
        assert!(matches!(
            report.faults.last(),
            Some((5, LineFault::Claimed { .. }))
        ));
        assert!(apply(&house, &burger).await.plan.is_empty());
        let again = house
            .engine
            .import("BURGER", &list, &|_| {})
            .await
            .expect("it is read");
        assert_eq!((again.added, again.already_here, again.refused), (0, 2, 3));
        std::fs::write(&list, "code\nAAA-1\nCCC-3\n").expect("it is written");
        let more = house
            .engine
            .import("BURGER", &list, &|_| {})
            .await
            .expect("it is read");
        assert_eq!((more.added, more.already_here), (1, 1));
        for phone in 0..3 {
            assert!(matches!(
                ask(&house, phone, "BURGER").await,
                Outcome::Issued(_)
            ));
        }
        assert!(matches!(
            ask(&house, 3, "BURGER").await,
            Outcome::Refused(Refusal::PoolEmpty, None)
        ));
        let under = burger
            .replace("BURGER", "BB")
            .replace("source = \"import\"", "source = \"generate\", size = 1");
        let under = under
            .replace("pool =", "code.pattern = \"BBB-?????-?????*\"\npool =")
            .replace(&format!(", file = '{file}'"), "");
        let refused = refusals(&house, &under).await;
        assert!(
            refused
                .iter()
                .any(|text| text.contains("campaign BURGER has imported codes")),
            "{refused:?}"
        );
        house.audited().await;
    }

    pub(super) async fn what_would_break_codes_already_out_is_refused_in_words(house: House) {
        apply(&house, &pizza(100, "redemption.places = [\"17\", \"18\"]")).await;
        ask(&house, 1, "PIZZA").await;
        let dearer = pizza(100, "redemption.places = [\"17\"]")
            .replace("value = 500", "value = 400, min_spend = 100");
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
        assert!(
            other
                .iter()
                .any(|text| text.contains("another pattern is another campaign")),
            "{other:?}"
        );
        assert!(
            other
                .iter()
                .any(|text| text.contains("cannot shrink to 99")),
            "{other:?}"
        );
        // Its words and its places may still grow, and the promise of the code that is out stays what it was.
        let words = pizza(100, "redemption.places = \"any\"")
            .replace("value = 500", "value = 500, title = \"Five off\"");
        apply(&house, &words).await;
        assert_eq!(house.number("SELECT COUNT(*) FROM offer").await, 2);
        assert_eq!(house.number("SELECT offer_no FROM issuance").await, 1);
        house
            .engine
            .set_status("PIZZA", Status::Ended)
            .await
            .expect("it ends");
        let over = refusals(&house, &pizza(100, "")).await;
        assert_eq!(
            over,
            ["campaign PIZZA: it is over for ever; start one of another name"]
        );
        house.audited().await;
    }

    pub(super) async fn an_interrupted_apply_is_finished_by_the_next_one(house: House) {
        let text = pizza(25_000, "");
        let cut = tokio::sync::Notify::new();
        let progress = |_: codewell::engine::Progress<'_>| cut.notify_one();
        let documents = read(&text);
        tokio::select! {
            biased;
            () = cut.notified() => {}
            done = house.engine.apply(&documents, &progress) => panic!("it should be cut: {done:?}"),
        }
        let written = house.number("SELECT COUNT(*) FROM code").await;
        assert!((10_000..25_000).contains(&written), "{written}");
        assert_eq!(
            ask(&house, 1, "PIZZA").await,
            Outcome::Told(Told::Ignored),
            "nobody sees a draft, not even its number"
        );
        house.audited().await;
        let other = pizza(25_000, "").replace("PZA-", "PIZ-");
        let applied = apply(&house, &other).await;
        assert!(
            texts(&applied.plan, Mark::Add)
                .iter()
                .any(|text| text.contains("campaign PIZZA"))
        );
        assert_eq!(
            house
                .number("SELECT COUNT(*) FROM code WHERE code LIKE 'PIZ-%'")
                .await,
            25_000
        );
        assert_eq!(house.number("SELECT COUNT(*) FROM code").await, 25_000);
        assert!(matches!(ask(&house, 1, "PIZZA").await, Outcome::Issued(_)));
        house.audited().await;
    }

    pub(super) async fn keywords_move_within_one_apply_and_not_between_campaigns(house: House) {
        apply(
            &house,
            &pizza(
                10,
                "keywords.aliases = [\"PIE\"]\nkeywords.placements = { PIZZA2 = \"radio\" }",
            ),
        )
        .await;
        let cake = pizza(10, "")
            .replace(SENDER, "")
            .replace("PIZZA", "CAKE")
            .replace("PZA", "CKE")
            + "keywords.aliases = [\"PIE\"]\n";
        let refused = refusals(&house, &cake).await;
        assert_eq!(
            refused,
            ["campaign CAKE: keyword PIE in use by campaign PIZZA"]
        );
        apply(
            &house,
            &format!(
                "{}{cake}",
                pizza(10, "keywords.placements = { PIZZA2 = \"radio\" }\n")
            ),
        )
        .await;
        let Outcome::Issued(spot) = ask(&house, 1, "PIE").await else {
            panic!("CAKE has it now")
        };
        assert_eq!(spot.campaign.0, 2);
        ask(&house, 1, "PIZZA2").await;
        assert_eq!(
            house
                .number("SELECT placement_id FROM issuance WHERE campaign_id = 1")
                .await,
            1
        );
        house
            .engine
            .set_status("PIZZA", Status::Ended)
            .await
            .expect("it ends");
        apply(&house, &(cake.replace("\"PIE\"", "\"PIE\", \"PIZZA\""))).await;
        assert!(
            matches!(ask(&house, 2, "PIZZA").await, Outcome::Issued(spot) if spot.campaign.0 == 2)
        );
        assert_eq!(
            house
                .engine
                .catalog()
                .sender_at("12345")
                .map(|sender| sender.id),
            Some(SenderId(1))
        );
        house.audited().await;
    }

    pub(super) async fn a_change_planned_on_an_older_picture_is_stale(house: House) {
        let plan = house
            .engine
            .plan(&read(&pizza(10, "").replace("generate", "derive")))
            .await
            .expect("a plan");
        apply(&house, SENDER).await;
        let now = codewell::engine::Clock::now(&house.clock);
        let turn = house.engine.turn().await.expect("a turn");
        let late = codewell::store::config::commit(&house.store, &plan.change, now).await;
        drop(turn);
        assert!(matches!(late, Err(StoreError::Stale)), "{late:?}");
    }
}
