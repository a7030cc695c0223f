//! A code is used once, whoever tries, however often, in whichever process.

use crate::harness::on_both;

on_both! {
    a_thousand_redeems_of_one_code_make_one_redemption,
    one_key_sent_100_times_makes_one_redemption_and_100_equal_answers,
    a_key_that_comes_again_with_another_sale_is_refused,
    a_hundred_rollbacks_make_one_and_the_code_is_good_again,
    redeem_rollback_and_void_at_once_leave_one_story,
}

mod bodies {
    use crate::harness::{House, campaign};
    use codewell::domain::act::Presented;
    use codewell::domain::decision::outcome::Outcome;
    use codewell::domain::ids::RequestId;
    use codewell::domain::till::TillRefusal;
    use codewell::engine::{EngineError, Settled};
    use tokio::task::JoinSet;

    fn request(key: &str) -> RequestId {
        RequestId { door: "till-k1".to_owned(), key: key.to_owned() }
    }

    fn sale(amount: i64) -> Presented {
        Presented { store: Some("Main St".to_owned()), amount: Some(amount), ..Presented::default() }
    }

    /// The text of a fresh code of somebody.
    async fn code(house: &House, phone: u64) -> String {
        let settled = house.issue(1, phone).await.expect("it is settled");
        let spot = settled.outcome.spot().expect("a code");
        let code = house.engine.code_at(spot).await.expect("it can be read");
        code.expect("it has a text").expose().to_owned()
    }

    async fn redeem(house: &House, code: &str, key: &str) -> Settled {
        let found = house.engine.redeem(request(key), code, sale(2_000)).await;
        found.expect("it is settled").expect("the code is out")
    }

    async fn events(house: &House, kind: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM code_event WHERE kind = '{kind}'");
        house.number(&sql).await
    }

    /// Runs `n` tasks, half of them in another process; the answers come in no order.
    async fn crowd<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        house: &House,
        n: u32,
        task: impl Fn(House, u32) -> F,
    ) -> Vec<T> {
        let second = house.second().await;
        let mut tasks = JoinSet::new();
        for i in 0..n {
            let house = if i % 2 == 0 { house } else { &second };
            tasks.spawn(task(house.clone(), i));
        }
        tasks.join_all().await
    }

    pub(super) async fn a_thousand_redeems_of_one_code_make_one_redemption(house: House) {
        campaign(1).write(&house).await;
        let code = code(&house, 1).await;
        let answers = crowd(&house, 1_000, |house, i| {
            let code = code.clone();
            async move { redeem(&house, &code, &format!("r{i}")).await.outcome }
        })
        .await;
        let used = |outcome: &&Outcome| matches!(outcome, Outcome::Redeemed(..));
        let declined = |outcome: &&Outcome| matches!(outcome, Outcome::Declined(_, TillRefusal::AlreadyRedeemed));
        assert_eq!(answers.iter().filter(used).count(), 1);
        assert_eq!(answers.iter().filter(declined).count(), 999);
        assert_eq!(events(&house, "redeemed").await, 1);
        house.audited().await;
    }

    pub(super) async fn one_key_sent_100_times_makes_one_redemption_and_100_equal_answers(house: House) {
        campaign(1).write(&house).await;
        let code = code(&house, 1).await;
        let answers = crowd(&house, 100, |house, _| {
            let code = code.clone();
            async move { redeem(&house, &code, "the same").await }
        })
        .await;
        let first = answers.first().expect("an answer");
        assert!(matches!(first.outcome, Outcome::Redeemed(..)));
        assert!(answers.iter().all(|answer| answer == first));
        assert_eq!(events(&house, "redeemed").await, 1);
        house.audited().await;
    }

    pub(super) async fn a_key_that_comes_again_with_another_sale_is_refused(house: House) {
        campaign(1).write(&house).await;
        let code = code(&house, 1).await;
        redeem(&house, &code, "k").await;
        let second = house.second().await;
        for house in [&house, &second] {
            let other = house.engine.redeem(request("k"), &code, sale(9)).await;
            assert!(matches!(other, Err(EngineError::KeyReused)), "{other:?}");
        }
        house.audited().await;
    }

    pub(super) async fn a_hundred_rollbacks_make_one_and_the_code_is_good_again(house: House) {
        campaign(1).write(&house).await;
        let code = code(&house, 1).await;
        let Outcome::Redeemed(_, redemption) = redeem(&house, &code, "r").await.outcome else {
            panic!("the first redemption holds");
        };
        let answers = crowd(&house, 100, |house, i| {
            let redemption = redemption.clone();
            async move {
                let back = house.engine.roll_back(request(&format!("b{i}")), redemption, "wrong table".to_owned());
                back.await.expect("it is settled").expect("it is known").outcome
            }
        })
        .await;
        let first = answers.first().expect("an answer");
        assert!(matches!(first, Outcome::RolledBack(_, id) if *id == redemption));
        assert!(answers.iter().all(|answer| answer == first));
        assert_eq!(events(&house, "rolled_back").await, 1);
        let again = redeem(&house, &code, "r2").await.outcome;
        assert!(matches!(again, Outcome::Redeemed(_, id) if id != redemption));
        house.audited().await;
    }

    /// A till that redeems and takes back what it redeemed; or the house that voids.
    async fn tried(house: House, code: String, i: u32) -> Vec<Outcome> {
        if i % 50 == 49 {
            let void = house.engine.void(request(&format!("v{i}")), &code, "by mistake");
            let settled = void.await.expect("it is settled");
            return settled.map(|settled| settled.outcome).into_iter().collect();
        }
        let key = request(&format!("r{i}"));
        let settled = house.engine.redeem(key, &code, sale(2_000)).await;
        let Some(settled) = settled.expect("it is settled") else {
            return Vec::new();
        };
        let mut story = vec![settled.outcome.clone()];
        if let Outcome::Redeemed(_, redemption) = settled.outcome {
            let key = request(&format!("b{i}"));
            let back = house.engine.roll_back(key, redemption, "wrong table".to_owned()).await;
            story.extend(back.expect("it is settled").map(|settled| settled.outcome));
        }
        story
    }

    pub(super) async fn redeem_rollback_and_void_at_once_leave_one_story(house: House) {
        campaign(1).write(&house).await;
        for phone in 0..5 {
            let code = code(&house, phone).await;
            let stories = crowd(&house, 200, |house, i| {
                tried(house, code.clone(), i + 1_000 * u32::try_from(phone).expect("small"))
            })
            .await;
            let count = |is: fn(&Outcome) -> bool| {
                let outcomes = stories.iter().flatten();
                outcomes.filter(|outcome| is(outcome)).count()
            };
            let used = count(|outcome| matches!(outcome, Outcome::Redeemed(..)));
            let back = count(|outcome| matches!(outcome, Outcome::RolledBack(..)));
            assert_eq!(used, back, "every redemption was taken back by its till");
            let voided = count(|outcome| matches!(outcome, Outcome::Voided(_)));
            assert!(used + voided >= 1, "somebody was first: a till, or the house");
            let known = house.engine.find_code(&code).await.expect("it is looked for");
            let held = known.map(|found| found.issued.held);
            assert!(voided == 0 || held.is_none_or(|held| held.open_redemption().is_none()));
        }
        assert_eq!(events(&house, "redeemed").await, events(&house, "rolled_back").await);
        assert!(events(&house, "voided").await <= 5);
        house.audited().await;
    }
}
