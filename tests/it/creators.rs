//! Creators: their caps, pools and credit, by texts and pages at once, in two processes.

use crate::harness::on_both;

on_both! {
    a_creators_cap_holds_under_texts_and_claims_of_two_processes,
    one_follower_who_asks_500_times_by_both_doors_has_one_code,
    when_her_codes_are_gone_those_of_the_house_follow_and_the_credit_stays,
    when_her_codes_are_gone_it_is_sold_out_where_she_gives_no_others,
    the_first_to_reach_a_follower_has_the_credit_and_later_ones_assist,
    after_a_suspension_is_acknowledged_her_word_gives_nothing_in_any_process,
    she_speaks_between_her_own_dates_only,
    no_digits_go_out_for_a_page_that_she_does_not_speak_for_or_whose_cap_is_full,
    her_own_code_is_marked_and_earns_nothing,
    a_number_that_was_hers_stays_her_own_and_only_the_new_one_opens_her_desk,
    a_number_that_asked_by_her_word_does_not_become_hers,
    a_redemption_earns_by_the_terms_of_its_moment_and_a_rollback_takes_exactly_that_back,
    a_part_grows_keeps_its_pattern_and_goes_without_a_trace_of_new_codes,
    what_would_clash_is_refused_in_words,
}

mod bodies {
    use crate::apply::written::{apply, pizza, refusals};
    use crate::claims::bodies::{doors, fetch, post};
    use crate::harness::House;
    use chrono::Duration;
    use codewell::domain::act::Presented;
    use codewell::domain::campaign::{Attribution, Channel};
    use codewell::domain::creator::Slug;
    use codewell::domain::decision::outcome::{Outcome, Refusal, Told};
    use codewell::domain::ids::{CreatorId, RequestId};
    use codewell::engine::{CreatorChange, CreatorError, CreatorIn, Settled};
    use std::collections::BTreeSet;
    use tokio::task::JoinSet;

    const EMMA: CreatorId = CreatorId(1);
    /// The phone that stands for her own number, +1 202 555 0107.
    const HERSELF: u64 = 5_550_107;

    async fn creators(house: &House) {
        for (handle, phone) in [("emma", Some("+12025550107")), ("anna", None)] {
            let wanted = CreatorIn {
                handle: handle.to_owned(),
                name: handle.to_uppercase(),
                phone: phone.map(str::to_owned),
                disclosure: None,
            };
            house.engine.add_creator(&wanted).await.expect("she is made");
        }
    }

    /// PIZZA with so many codes of the house, and Emma with `part`.
    async fn emma(house: &House, size: u64, part: &str) {
        creators(house).await;
        apply(house, &pizza(size, &format!("[campaign.creators.emma]\n{part}\n"))).await;
    }

    fn by_page() -> Attribution {
        Attribution { creator: Some(EMMA), ..Attribution::by(Channel::Web) }
    }

    /// Texts EMMA and claims on her page at once, half of each in another process.
    async fn crowd(house: &House, phones: impl Iterator<Item = u64>) -> Vec<Outcome> {
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for (i, phone) in phones.enumerate() {
            let house = houses[i / 2 % 2].clone();
            tasks.spawn(async move {
                let settled = match i % 2 {
                    0 => house.text(phone, "EMMA").await,
                    _ => house.engine.settle(house.act_from(1, phone, house.key(), by_page())).await,
                };
                settled.expect("it is settled").outcome
            });
        }
        tasks.join_all().await
    }

    fn issued(outcomes: &[Outcome]) -> usize {
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Issued(_))).count()
    }

    async fn claim(house: &House, phone: u64) -> Outcome {
        let act = house.act_from(1, phone, house.key(), by_page());
        house.engine.settle(act).await.expect("it is settled").outcome
    }

    async fn text(house: &House, phone: u64, word: &str) -> Outcome {
        house.text(phone, word).await.expect("it is settled").outcome
    }

    async fn redeem(house: &House, outcome: &Outcome, amount: i64) -> Settled {
        let spot = outcome.spot().expect("a code");
        let code = house.engine.code_at(spot).await.expect("it is read").expect("it is there");
        let request = RequestId { door: "till-k1".to_owned(), key: house.key() };
        let shown = Presented { amount: Some(amount), ..Presented::default() };
        house.engine.redeem(request, code.expose(), shown).await.expect("it is settled").expect("it is out")
    }

    async fn roll_back(house: &House, sale: &Settled) {
        let Outcome::Redeemed(_, redemption) = &sale.outcome else { panic!("it was redeemed") };
        let request = RequestId { door: "till-k1".to_owned(), key: house.key() };
        let back = house.engine.roll_back(request, redemption.clone(), "returned".to_owned()).await;
        assert!(matches!(back.expect("it is settled").expect("it is known").outcome, Outcome::RolledBack(..)));
    }

    async fn earned(house: &House) -> i64 {
        house.number("SELECT CAST(COALESCE(SUM(commission_minor), 0) AS BIGINT) FROM rollup_credit").await
    }

    pub(super) async fn a_creators_cap_holds_under_texts_and_claims_of_two_processes(house: House) {
        emma(&house, 1_000, "cap = 200").await;
        let outcomes = crowd(&house, 0..500).await;
        assert_eq!(issued(&outcomes), 200);
        let full = |one: &&Outcome| matches!(one, Outcome::Refused(Refusal::CapReached(cap), None) if cap.used == 200);
        assert_eq!(outcomes.iter().filter(full).count(), 300);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance WHERE creator_id = 1 AND pool_no = 2").await, 200);
        assert!(matches!(text(&house, 1_000, "PIZZA").await, Outcome::Issued(_)), "the house goes on");
        house.audited().await;
    }

    pub(super) async fn one_follower_who_asks_500_times_by_both_doors_has_one_code(house: House) {
        emma(&house, 1_000, "cap = 200\nday = 5").await;
        let outcomes = crowd(&house, std::iter::repeat_n(3, 500)).await;
        assert_eq!(issued(&outcomes), 1);
        let spots: BTreeSet<_> = outcomes.iter().filter_map(Outcome::spot).map(|spot| spot.position).collect();
        assert_eq!((spots.len(), house.number("SELECT COUNT(*) FROM issuance").await), (1, 1));
        let repeats = outcomes.iter().filter(|one| matches!(one, Outcome::Repeat(..))).count();
        assert_eq!(repeats, 499);
        house.audited().await;
    }

    pub(super) async fn when_her_codes_are_gone_those_of_the_house_follow_and_the_credit_stays(house: House) {
        emma(&house, 1_000, "cap = 300\nsize = 100").await;
        assert_eq!(issued(&crowd(&house, 0..250).await), 250);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance WHERE creator_id = 1 AND pool_no = 2").await, 100);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance WHERE creator_id = 1 AND pool_no = 1").await, 150);
        house.audited().await;
    }

    pub(super) async fn when_her_codes_are_gone_it_is_sold_out_where_she_gives_no_others(house: House) {
        emma(&house, 1_000, "cap = 300\nsize = 100\nwhen_empty = \"sold_out\"").await;
        let outcomes = crowd(&house, 0..250).await;
        assert_eq!(issued(&outcomes), 100);
        let empty = outcomes.iter().filter(|one| **one == Outcome::Refused(Refusal::PoolEmpty, None)).count();
        assert_eq!(empty, 150);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance WHERE pool_no = 1").await, 0);
        house.audited().await;
    }

    pub(super) async fn the_first_to_reach_a_follower_has_the_credit_and_later_ones_assist(house: House) {
        creators(&house).await;
        let parts =
            "[campaign.creators.anna]\ncap = 9\n[campaign.creators.emma]\ncap = 9\nposts = { EMMA7 = \"reel7\" }\n";
        apply(&house, &pizza(100, parts)).await;
        assert!(matches!(text(&house, 1, "PIZZA").await, Outcome::Issued(_)));
        assert!(matches!(text(&house, 1, "emma7").await, Outcome::Repeat(..)));
        assert!(matches!(text(&house, 2, "ANNA").await, Outcome::Issued(_)));
        assert!(matches!(claim(&house, 2).await, Outcome::Repeat(..)));
        assert!(matches!(text(&house, 2, "PIZZA").await, Outcome::Repeat(..)));
        assert!(matches!(text(&house, 3, "EMMA7").await, Outcome::Issued(_)));
        let assists = "SELECT CAST(SUM(n) AS BIGINT) FROM rollup_credit WHERE credit_id = 1 AND outcome = 'assist'";
        assert_eq!(house.number(assists).await, 2);
        let by_post = "SELECT COUNT(*) FROM issuance i JOIN placement p ON p.placement_id = i.placement_id
            WHERE i.creator_id = 1 AND p.creator_id = 1 AND p.name = 'emma/reel7'";
        assert_eq!(house.number(by_post).await, 1);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance WHERE creator_id = 2").await, 1);
        house.audited().await;
    }

    pub(super) async fn after_a_suspension_is_acknowledged_her_word_gives_nothing_in_any_process(house: House) {
        emma(&house, 1_000, "cap = 900").await;
        let second = house.second().await;
        let hers = text(&second, 900, "EMMA").await;
        assert!(matches!(hers, Outcome::Issued(_)));
        let (stopping, before) = tokio::join!(house.engine.switch_creator("emma", false), crowd(&house, 0..250));
        assert!(stopping.expect("she is stopped"));
        let known = house.number("SELECT COUNT(*) FROM issuance").await;
        assert_eq!(i64::try_from(issued(&before)).unwrap() + 1, known);
        let refused = Outcome::Refused(Refusal::Paused, None);
        assert!(crowd(&second, 1_000..1_200).await.iter().all(|outcome| *outcome == refused));
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, known);
        assert_eq!(text(&second, 900, "EMMA").await.spot(), hers.spot(), "who has a code keeps it");
        assert!(matches!(text(&second, 2_000, "PIZZA").await, Outcome::Issued(_)), "the house goes on");
        assert!(house.engine.switch_creator("emma", true).await.expect("she is back"));
        assert!(!house.engine.switch_creator("emma", true).await.expect("she is there"));
        assert!(matches!(text(&second, 1_000, "EMMA").await, Outcome::Issued(_)));
        house.audited().await;
    }

    pub(super) async fn she_speaks_between_her_own_dates_only(house: House) {
        emma(&house, 100, "cap = 9\nstart = \"2026-11-21\"\nend = \"2026-11-23\"").await;
        assert!(matches!(text(&house, 1, "EMMA").await, Outcome::Refused(Refusal::NotStarted(_), None)));
        house.clock.forward(Duration::days(1));
        let hers = text(&house, 1, "EMMA").await;
        assert!(matches!(hers, Outcome::Issued(_)));
        house.clock.forward(Duration::days(2));
        assert_eq!(text(&house, 2, "EMMA").await, Outcome::Refused(Refusal::Ended, None));
        assert_eq!(claim(&house, 3).await, Outcome::Refused(Refusal::Ended, None));
        assert_eq!(text(&house, 1, "EMMA").await.spot(), hers.spot());
        house.audited().await;
    }

    pub(super) async fn no_digits_go_out_for_a_page_that_she_does_not_speak_for_or_whose_cap_is_full(house: House) {
        emma(&house, 100, "cap = 1\nstart = \"2026-11-21\"\nend = \"2026-11-23\"").await;
        let routes = doors(&house);
        let prove = async |phone| {
            let slug = Slug::parse("emma").expect("a slug");
            house.engine.prove(house.who(phone), &slug, None, &house.key()).await.expect("it is settled").outcome
        };
        let step = async || {
            let page = fetch(&routes, "/x/emma").await.body;
            let step = page.split("data-step=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a step");
            step.to_owned()
        };
        assert!(matches!(prove(1).await, Outcome::Refused(Refusal::NotStarted(_), None)));
        assert_eq!(step().await, "not_started");
        house.clock.forward(Duration::days(1));
        assert_eq!((prove(1).await, &*step().await), (Outcome::Told(Told::Proving), "phone"));
        assert!(matches!(text(&house, 2, "EMMA").await, Outcome::Issued(_)));
        assert_eq!(step().await, "capped");
        let fields = [("step", "send"), ("phone", "+12025550188"), ("key", "k")];
        assert!(post(&routes, "/x/emma", &fields).await.body.contains("data-step=\"capped\""));
        house.clock.forward(Duration::days(2));
        assert_eq!((prove(3).await, &*step().await), (Outcome::Refused(Refusal::Ended, None), "ended"));
        assert_eq!(house.number("SELECT COUNT(*) FROM outbox_message WHERE reply = 'T23'").await, 1);
        house.audited().await;
    }

    pub(super) async fn her_own_code_is_marked_and_earns_nothing(house: House) {
        emma(&house, 100, "cap = 9\ncommission = { flat = 100 }").await;
        let own = text(&house, HERSELF, "EMMA").await;
        assert!(matches!(own, Outcome::Issued(_)));
        roll_back(&house, &redeem(&house, &own, 2_500).await).await;
        redeem(&house, &text(&house, 8, "EMMA").await, 2_500).await;
        assert_eq!(earned(&house).await, 100);
        let own = "SELECT CAST(SUM(n) AS BIGINT) FROM rollup_credit WHERE outcome = 'self'";
        assert_eq!(house.number(own).await, 3);
        let merit = "SELECT CAST(SUM(n) AS BIGINT) FROM rollup_credit WHERE outcome IN ('issued', 'redeemed')";
        assert_eq!(house.number(merit).await, 2);
        house.audited().await;
    }

    async fn number(house: &House, phone: u64) -> Result<(), CreatorError> {
        let phone = format!("+1202{phone:07}");
        house.engine.change_creator("emma", vec![CreatorChange::Phone(Some(phone))]).await.map(drop)
    }

    pub(super) async fn a_number_that_was_hers_stays_her_own_and_only_the_new_one_opens_her_desk(house: House) {
        emma(&house, 100, "cap = 9\ncommission = { flat = 100 }").await;
        let own = text(&house, HERSELF, "EMMA").await;
        let other = house.second().await;
        let new = HERSELF + 1;
        number(&house, new).await.expect("it is nobody's");
        let opens = async |phone| {
            let told = other.text(phone, "DESK").await.expect("it is settled").outcome;
            matches!(told, Outcome::Told(Told::Desk))
        };
        assert!(opens(new).await && !opens(HERSELF).await, "in every process at once");
        // By neither number is anything her merit.
        text(&house, new, "EMMA").await;
        redeem(&house, &own, 2_500).await;
        assert_eq!(earned(&house).await, 0);
        number(&house, HERSELF).await.expect("it was hers");
        assert!(opens(HERSELF).await && !opens(new).await);
        house.engine.change_creator("emma", vec![CreatorChange::Phone(None)]).await.expect("it is forgotten");
        assert!(!opens(HERSELF).await);
        redeem(&house, &text(&house, 8, "EMMA").await, 2_500).await;
        assert_eq!(earned(&house).await, 100);
        house.audited().await;
    }

    pub(super) async fn a_number_that_asked_by_her_word_does_not_become_hers(house: House) {
        emma(&house, 500, "cap = 400").await;
        let mut tasks = JoinSet::new();
        // Every one of 200 phones asks by her word and wants to be hers, in two processes.
        let houses = [house.clone(), house.second().await];
        for phone in 5_550_200..5_550_400_u64 {
            let [asks, gives] =
                [houses[usize::from(phone % 2 == 0)].clone(), houses[usize::from(phone % 4 < 2)].clone()];
            tasks.spawn(async move { drop(text(&asks, phone, "EMMA").await) });
            if phone % 20 == 0 {
                tasks.spawn(async move {
                    match number(&gives, phone).await {
                        Ok(()) | Err(CreatorError::PhoneUsed) => {}
                        Err(error) => panic!("{error}"),
                    }
                });
            }
        }
        tasks.join_all().await;
        // Whatever came first holds: what the audit counts as her own is what was counted so.
        house.audited().await;
        let of_anna = house.engine.change_creator("anna", vec![CreatorChange::Phone(Some("+12025550107".to_owned()))]);
        assert!(matches!(of_anna.await, Err(CreatorError::PhoneTaken(emma)) if emma == "emma"));
        text(&house, 5_550_900, "EMMA").await;
        assert!(matches!(number(&house, 5_550_900).await, Err(CreatorError::PhoneUsed)));
    }

    pub(super) async fn a_redemption_earns_by_the_terms_of_its_moment_and_a_rollback_takes_exactly_that_back(
        house: House,
    ) {
        emma(&house, 100, "cap = 9\ncommission = { percent = 10, hold = \"P30D\" }").await;
        let [one, two] = [text(&house, 1, "EMMA").await, claim(&house, 2).await];
        let sale = redeem(&house, &one, 2_505).await;
        assert_eq!(earned(&house).await, 251);
        apply(&house, &pizza(100, "[campaign.creators.emma]\ncap = 9\ncommission = { percent = 7.5 }\n")).await;
        redeem(&house, &two, 1_000).await;
        assert_eq!(earned(&house).await, 326);
        roll_back(&house, &sale).await;
        roll_back(&house, &sale).await;
        assert_eq!(earned(&house).await, 75);
        redeem(&house, &one, 1_000).await;
        assert_eq!(earned(&house).await, 150);
        house.audited().await;
    }

    pub(super) async fn a_part_grows_keeps_its_pattern_and_goes_without_a_trace_of_new_codes(house: House) {
        emma(&house, 100, "cap = 5").await;
        let outcomes = crowd(&house, 0..20).await;
        assert_eq!(issued(&outcomes), 5);
        let grown =
            "[campaign.links]\nposter7 = \"billboard 7\"\n[campaign.creators.emma]\ncap = 15\nlink = \"emma-reads\"\n";
        let applied = apply(&house, &pizza(100, grown)).await;
        assert!(applied.plan.to_string().contains("10 more codes of creator emma"), "{}", applied.plan);
        assert!(apply(&house, &pizza(100, grown)).await.plan.is_empty());
        assert_eq!(issued(&crowd(&house, 0..20).await), 10);
        assert_eq!(
            house.number("SELECT COUNT(*) FROM pool WHERE owner = 'creator:1' AND pattern = 'EMMA-????-???*'").await,
            1
        );
        assert_eq!(house.number("SELECT COUNT(*) FROM link WHERE slug IN ('emma-reads', 'poster7')").await, 2);
        apply(&house, &pizza(100, "")).await;
        assert_eq!(claim(&house, 50).await, Outcome::Refused(Refusal::Ended, None));
        assert!(!matches!(text(&house, 51, "EMMA").await, Outcome::Issued(_)), "her word is gone");
        assert_eq!(house.number("SELECT COUNT(*) FROM link").await, 0);
        apply(&house, &pizza(100, grown)).await;
        assert_eq!(house.number("SELECT COUNT(*) FROM pool").await, 2, "she comes back to her own pool");
        house.audited().await;
    }

    pub(super) async fn what_would_clash_is_refused_in_words(house: House) {
        creators(&house).await;
        let said = async |rest: &str| refusals(&house, &pizza(100, rest)).await.join("\n");
        let all = said("[campaign.creators.zoe]\ncap = 5\n").await;
        assert!(all.contains("codewell creator add zoe"), "{all}");
        let all = said("[campaign.creators.emma]\ncap = 5\nkeyword = \"PIZZAS\"\n").await;
        assert!(all.contains("would be mistaken for PIZZA; set keyword = \"EMMA"), "{all}");
        let all = said("[campaign.creators.emma]\ncap = 5\nposts = { PIZZA = \"reel7\" }\n").await;
        assert!(all.contains("keyword PIZZA of creator emma stands in this campaign twice"), "{all}");
        let all = said("[campaign.links]\nanna = \"poster\"\n[campaign.creators.anna]\ncap = 5\n").await;
        assert!(all.contains("link anna stands here twice"), "{all}");
        let all = said("[campaign.creators.emma]\ncap = 5\ncommission = { percent = 101 }\n").await;
        assert!(all.contains("of at most 100"), "{all}");
        let wanted = |handle: &str, phone: Option<&str>| CreatorIn {
            handle: handle.to_owned(),
            name: "X".to_owned(),
            phone: phone.map(str::to_owned),
            disclosure: None,
        };
        let taken = house.engine.add_creator(&wanted("emma", None)).await.expect_err("there is one").to_string();
        assert!(taken.starts_with("the handle emma is taken; free: emma"), "{taken}");
        let phone = house.engine.add_creator(&wanted("zara", Some("+12025550107"))).await.expect_err("it is Emma's");
        assert_eq!(phone.to_string(), "that phone number is emma's");
    }
}
