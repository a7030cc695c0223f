//! Codes that are written before they are live: imported, generated, interrupted; on both databases.

use crate::harness::on_both;

on_both! {
    a_pool_that_grows_brings_exactly_the_new_codes,
    a_list_uploaded_twice_adds_nothing_and_bad_lines_are_named,
    an_interrupted_apply_is_finished_by_the_next_one,
    an_interrupted_apply_may_go_on_with_another_kind_of_pool,
}

mod bodies {
    use crate::apply::written::{apply, ask, pizza, read, refusals, texts};
    use crate::harness::House;
    use codewell::domain::decision::outcome::{Outcome, Refusal, Told};
    use codewell::engine::LineFault;
    use codewell::engine::plan::Mark;

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
            [Outcome::Issued(_), Outcome::Issued(_), Outcome::Refused(Refusal::PoolEmpty, None)]
        ));
        assert_eq!(house.number("SELECT COUNT(*) FROM code").await, 4);
        house.audited().await;
    }

    pub(super) async fn a_list_uploaded_twice_adds_nothing_and_bad_lines_are_named(house: House) {
        let dir = tempfile::tempdir().expect("a directory");
        let list = dir.path().join("codes.csv");
        std::fs::write(&list, "id,code\n1,AAA-1\n2,aaa 1\n3,\n4,PZA-7\n5,BBB-2\n").expect("it is written");
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
        assert!(matches!(report.faults.last(), Some((5, LineFault::Claimed { .. }))));
        assert!(apply(&house, &burger).await.plan.is_empty());
        let again = house.engine.import("BURGER", &list, &|_| {}).await.expect("it is read");
        assert_eq!((again.added, again.already_here, again.refused), (0, 2, 3));
        std::fs::write(&list, "code\nAAA-1\nCCC-3\n").expect("it is written");
        let more = house.engine.import("BURGER", &list, &|_| {}).await.expect("it is read");
        assert_eq!((more.added, more.already_here), (1, 1));
        for phone in 0..3 {
            assert!(matches!(ask(&house, phone, "BURGER").await, Outcome::Issued(_)));
        }
        assert!(matches!(ask(&house, 3, "BURGER").await, Outcome::Refused(Refusal::PoolEmpty, None)));
        let under = burger.replace("BURGER", "BB").replace("source = \"import\"", "source = \"generate\", size = 1");
        let under = under
            .replace("pool =", "code.pattern = \"BBB-?????-?????*\"\npool =")
            .replace(&format!(", file = '{file}'"), "");
        let refused = refusals(&house, &under).await;
        assert!(refused.iter().any(|text| text.contains("campaign BURGER has imported codes")), "{refused:?}");
        house.audited().await;
    }

    /// Stops an apply of 25 000 codes after its first chunk.
    async fn interrupt(house: &House) {
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
    }

    pub(super) async fn an_interrupted_apply_may_go_on_with_another_kind_of_pool(house: House) {
        interrupt(&house).await;
        apply(&house, &pizza(25_000, "").replace("generate", "derive")).await;
        assert_eq!(house.number("SELECT COUNT(*) FROM code").await, 0);
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 25_000);
        assert!(matches!(ask(&house, 1, "PIZZA").await, Outcome::Issued(_)));
        house.audited().await;
    }

    pub(super) async fn an_interrupted_apply_is_finished_by_the_next_one(house: House) {
        interrupt(&house).await;
        assert_eq!(
            ask(&house, 1, "PIZZA").await,
            Outcome::Told(Told::Ignored),
            "nobody sees a draft, not even its number"
        );
        house.audited().await;
        let other = pizza(25_000, "").replace("PZA-", "PIZ-");
        let applied = apply(&house, &other).await;
        assert!(texts(&applied.plan, Mark::Add).iter().any(|text| text.contains("campaign PIZZA")));
        assert_eq!(house.number("SELECT COUNT(*) FROM code WHERE code LIKE 'PIZ-%'").await, 25_000);
        assert_eq!(house.number("SELECT COUNT(*) FROM code").await, 25_000);
        assert!(matches!(ask(&house, 1, "PIZZA").await, Outcome::Issued(_)));
        house.audited().await;
    }
}
