//! Questions put back ("did you mean 1 WORDB or 2 WORDC?") and words that nobody knows.

use crate::harness::on_both;

on_both! {
    a_word_that_fits_two_campaigns_is_asked_back_and_the_number_brings_the_code,
    an_answer_sent_twice_at_once_brings_one_code,
    two_hundred_answers_in_two_processes_keep_a_cap_and_bring_one_code_each,
    a_question_and_its_answer_in_one_batch_are_taken_in_their_order,
    a_question_ends_without_a_word_after_ten_minutes,
    stop_ends_a_question_help_keeps_it_and_a_keyword_interrupts_it,
    what_is_no_answer_is_asked_once_more_and_then_not_known,
    a_machine_that_repeats_itself_is_not_answered_for_a_day,
    unknown_words_are_counted_without_numbers_and_talk,
    an_unknown_word_becomes_an_alias_and_leads_on_at_once,
    a_row_of_neighbouring_numbers_is_put_off_and_a_crowd_of_strangers_is_not,
    toll_free_numbers_are_machines_unless_the_house_serves_them,
    the_law_is_answered_in_its_language_and_the_evidence_names_it,
}

mod bodies {
    use crate::harness::{House, campaign, in_one_batch, issued, sender};
    use chrono::Duration;
    use codewell::domain::act::{Act, Ask, Text};
    use codewell::domain::catalog::Limits;
    use codewell::domain::decision::outcome::{Outcome, Refusal, Told};
    use codewell::domain::ids::{CampaignId, SenderId};
    use codewell::engine::{AliasError, Sizes, UnknownWords};
    use tokio::task::JoinSet;

    /// One edit from WORDB and from WORDC.
    const BETWEEN: &str = "wordx";

    async fn open(house: &House) {
        sender(house).await;
        campaign(1).write(house).await;
        campaign(2).write(house).await;
    }

    async fn said(house: &House, phone: u64, words: &str) -> Outcome {
        house.text(phone, words).await.expect("it is settled").outcome
    }

    async fn replies(house: &House, reply: &str) -> i64 {
        house.number(&format!("SELECT COUNT(*) FROM outbox_message WHERE reply = '{reply}'")).await
    }

    fn campaign_of(outcome: &Outcome) -> Option<CampaignId> {
        outcome.spot().map(|spot| spot.campaign)
    }

    const ASKED: Outcome = Outcome::Told(Told::Asked);
    const UNKNOWN: Outcome = Outcome::Told(Told::Unknown);
    const IGNORED: Outcome = Outcome::Told(Told::Ignored);

    pub(super) async fn a_word_that_fits_two_campaigns_is_asked_back_and_the_number_brings_the_code(house: House) {
        open(&house).await;
        for (phone, answer, chosen) in [(1, "1", 1), (2, "2.", 2), (3, "the second one", 2), (4, "WORDB", 1)] {
            assert_eq!(said(&house, phone, BETWEEN).await, ASKED);
            let outcome = said(&house, phone, answer).await;
            assert!(matches!(outcome, Outcome::Issued(_)), "{answer}: {outcome:?}");
            assert_eq!(campaign_of(&outcome), Some(CampaignId(chosen)), "{answer}");
        }
        assert_eq!((replies(&house, "T12").await, replies(&house, "T01").await), (4, 4));
        let words = "SELECT COUNT(*) FROM request WHERE kind = 'keyword' AND word IN ('WORDB', 'WORDC')";
        assert_eq!(house.number(words).await, 4, "an answer counts as its keyword");
        assert_eq!(said(&house, 5, "1").await, UNKNOWN, "nobody asked him");
        house.audited().await;
    }

    pub(super) async fn an_answer_sent_twice_at_once_brings_one_code(house: House) {
        open(&house).await;
        let second = house.second().await;
        for phone in 0..20 {
            assert_eq!(said(&house, phone, BETWEEN).await, ASKED);
            let answers = tokio::join!(said(&house, phone, "1"), said(&second, phone, "1"));
            let outcomes = [answers.0, answers.1];
            assert_eq!(issued(&outcomes).len(), 1, "{outcomes:?}");
            assert!(outcomes.contains(&IGNORED), "{outcomes:?}");
        }
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 20);
        assert_eq!(house.number("SELECT COUNT(*) FROM outbox_message").await, 40, "a question and a code each");
        house.audited().await;
    }

    pub(super) async fn two_hundred_answers_in_two_processes_keep_a_cap_and_bring_one_code_each(house: House) {
        sender(&house).await;
        campaign(1).cap("campaign", "count", "lifetime", 30).write(&house).await;
        campaign(2).write(&house).await;
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for phone in 0..200_u64 {
            let [one, other] = houses.clone();
            tasks.spawn(async move {
                let asked = said(&one, phone, BETWEEN).await;
                assert_eq!(asked, ASKED);
                let answer = if phone % 2 == 0 { "1" } else { "2" };
                let both = tokio::join!(said(&one, phone, answer), said(&other, phone, answer));
                [both.0, both.1]
            });
        }
        let outcomes: Vec<Outcome> = tasks.join_all().await.into_iter().flatten().collect();
        let codes = issued(&outcomes);
        let of = |id| codes.iter().filter(|spot| spot.campaign == CampaignId(id)).count();
        assert_eq!((of(1), of(2)), (30, 100));
        house.audited().await;
    }

    pub(super) async fn a_question_and_its_answer_in_one_batch_are_taken_in_their_order(house: House) {
        open(&house).await;
        let text = |words: &str| {
            let text = words.to_owned();
            let ask =
                Ask::Text(Text { sender: SenderId(1), text, from_machine: false, range: None, carrier_said: None });
            Act { ask, ..house.act(1, 7, house.key()) }
        };
        // The fingerprint of an act is that of its words; here every text has one of its own.
        let acts =
            [BETWEEN, "2", "2", "1"].iter().zip(1_u8..).map(|(words, n)| Act { fingerprint: [n; 32], ..text(words) });
        let answers = in_one_batch(&house, acts.collect()).await;
        let outcomes: Vec<_> = answers.into_iter().map(|answer| answer.expect("it is settled").outcome).collect();
        let [asked, code, again, other] = outcomes.as_slice() else { panic!("four answers") };
        assert_eq!((asked, again, other), (&ASKED, &IGNORED, &IGNORED));
        assert_eq!(campaign_of(code), Some(CampaignId(2)));
        house.audited().await;
    }

    pub(super) async fn a_question_ends_without_a_word_after_ten_minutes(house: House) {
        open(&house).await;
        assert_eq!(said(&house, 1, BETWEEN).await, ASKED);
        assert_eq!(said(&house, 2, BETWEEN).await, ASKED);
        house.clock.forward(Duration::milliseconds(599_999));
        assert_eq!(campaign_of(&said(&house, 1, "1").await), Some(CampaignId(1)));
        house.clock.forward(Duration::milliseconds(1));
        assert_eq!(said(&house, 2, "1").await, UNKNOWN);
        assert_eq!(house.number("SELECT COUNT(*) FROM outbox_message").await, 4, "question, code; question, T10");
        house.audited().await;
    }

    pub(super) async fn stop_ends_a_question_help_keeps_it_and_a_keyword_interrupts_it(house: House) {
        open(&house).await;
        for phone in 1..=3 {
            assert_eq!(said(&house, phone, BETWEEN).await, ASKED);
        }
        assert_eq!(said(&house, 1, "stop").await, Outcome::Told(Told::OptedOut));
        assert_eq!(said(&house, 1, "1").await, UNKNOWN);
        assert_eq!(said(&house, 2, "help").await, Outcome::Told(Told::Helped));
        assert_eq!(campaign_of(&said(&house, 2, "2").await), Some(CampaignId(2)));
        assert_eq!(campaign_of(&said(&house, 3, "wordb").await), Some(CampaignId(1)));
        assert_eq!(said(&house, 3, "2").await, UNKNOWN);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 2);
        house.audited().await;
    }

    pub(super) async fn what_is_no_answer_is_asked_once_more_and_then_not_known(house: House) {
        open(&house).await;
        let mut told = Vec::new();
        for words in [BETWEEN, "3", "huh", "hm", "2"] {
            told.push(said(&house, 1, words).await);
            house.clock.forward(Duration::seconds(11));
        }
        let [first, second, third, fourth, answer] = told.as_slice() else { panic!("five answers") };
        assert_eq!((first, second, third, fourth), (&ASKED, &ASKED, &UNKNOWN, &UNKNOWN));
        assert_eq!(campaign_of(answer), Some(CampaignId(2)), "the question is still open");
        assert_eq!((replies(&house, "T12").await, replies(&house, "T10").await), (2, 1));
        house.audited().await;
    }

    pub(super) async fn a_machine_that_repeats_itself_is_not_answered_for_a_day(house: House) {
        open(&house).await;
        for _ in 0..3 {
            assert_eq!(said(&house, 1, "beep boop").await, UNKNOWN);
            house.clock.forward(Duration::minutes(2));
        }
        for _ in 0..20 {
            house.clock.forward(Duration::hours(1));
            assert_eq!(said(&house, 1, "beep boop").await, UNKNOWN);
        }
        assert_eq!(replies(&house, "T10").await, 1);
        assert!(matches!(said(&house, 1, "wordb").await, Outcome::Issued(_)), "a keyword is served");
        assert_eq!(replies(&house, "T01").await, 1);
        house.clock.forward(Duration::hours(24));
        assert_eq!(said(&house, 1, "beep boop").await, UNKNOWN);
        assert_eq!(replies(&house, "T10").await, 2);
        house.audited().await;
    }

    pub(super) async fn unknown_words_are_counted_without_numbers_and_talk(house: House) {
        open(&house).await;
        let texts = ["hello", "Hello!", "hallo", "call 2025550123", "my name is anna smith", BETWEEN];
        for (phone, words) in (0..).zip(texts) {
            said(&house, phone, words).await;
        }
        let n = async |word: &str| {
            house
                .number(&format!("SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM unknown_word WHERE word = '{word}'"))
                .await
        };
        assert_eq!((n("HELLO").await, n("HALLO").await, n("WORDX").await, n("").await), (2, 1, 1, 2));
        assert_eq!(house.number("SELECT COUNT(*) FROM unknown_word").await, 4);
        house.audited().await;
    }

    pub(super) async fn an_unknown_word_becomes_an_alias_and_leads_on_at_once(house: House) {
        open(&house).await;
        for (phone, words) in (0..).zip(["pizaa", "pizaa", "pizza", "wordx", "call 2025550123", "wordbb"]) {
            said(&house, phone, words).await;
        }
        let told = |all: &[UnknownWords]| -> Vec<(String, u64, Option<String>)> {
            let groups = all.iter().flat_map(|words| &words.clusters);
            groups.map(|one| (one.cluster.name().to_owned(), one.cluster.count(), one.keyword.clone())).collect()
        };
        let all = house.engine.unknown_words(None).await.expect("they can be read");
        let word = |name: &str, n, keyword: Option<&str>| (name.to_owned(), n, keyword.map(str::to_owned));
        assert_eq!(told(&all), [word("PIZAA", 3, None), word("WORDX", 1, Some("WORDB"))]);
        assert_eq!(all.first().map(|words| words.others), Some(1));
        let refused = house.engine.aliased("WORDC", "WORDB", None).await;
        assert!(matches!(refused, Err(AliasError::Taken { .. })), "{refused:?}");
        let refused = house.engine.aliased("X", "NOWORD", Some("12345")).await;
        assert!(matches!(refused, Err(AliasError::NoKeyword { many: false, .. })), "{refused:?}");
        let second = house.second().await;
        for word in ["wordx", "🍕"] {
            let documents = house.engine.aliased(word, "wordc", None).await.expect("it can be one");
            house.engine.apply(&documents, &|_| {}).await.expect("it is applied");
            let outcome = said(&second, 20, word).await;
            assert_eq!(campaign_of(&outcome), Some(CampaignId(2)), "{word}: {outcome:?}");
        }
        let left = second.engine.unknown_words(Some("12345")).await.expect("they can be read");
        assert_eq!(told(&left), [word("PIZAA", 3, None)]);
        house.audited().await;
    }

    /// A number of ours at a real carrier, and an engine that lets 50 neighbours through in ten minutes.
    async fn guarded(house: &House, serve_toll_free: bool) -> House {
        let document =
            serde_json::json!({"address": "12345", "carrier": "twilio", "brand": "Acme", "help": "acme.example"});
        house.sql(&format!("INSERT INTO sender VALUES (1, '12345', 'twilio', 'Acme', '{document}')")).await;
        campaign(1).write(house).await;
        let limits = Limits { burst_per_range: 50, serve_toll_free, ..Limits::default() };
        house.second_of(Sizes { limits, ..house.engine.parts().sizes }).await
    }

    async fn texted(house: &House, from: u64) -> Outcome {
        let settled = house.engine.receive(SenderId(1), &house.key(), &format!("+{from}"), "wordb".to_owned()).await;
        settled.expect("it is settled").outcome
    }

    pub(super) async fn a_row_of_neighbouring_numbers_is_put_off_and_a_crowd_of_strangers_is_not(house: House) {
        let house = guarded(&house, false).await;
        let mut tasks = JoinSet::new();
        for n in 0..1_000 {
            let house = house.clone();
            tasks.spawn(async move { texted(&house, 12_025_550_000 + n).await });
        }
        let outcomes = tasks.join_all().await;
        assert_eq!(issued(&outcomes).len(), 50);
        let burst = Outcome::Refused(Refusal::NumberBurst, None);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == burst).count(), 950);
        assert_eq!(replies(&house, "T07M").await, 950, "they are asked to come back");
        let alerts = house.number("SELECT COUNT(*) FROM alert WHERE kind = 'number_burst'").await;
        assert_eq!(alerts, 1);
        for n in 0..1_000 {
            let outcome = texted(&house, 12_030_000_000 + n * 10_000).await;
            assert!(matches!(outcome, Outcome::Issued(_)), "a crowd from everywhere passes: {outcome:?}");
        }
        house.clock.forward(Duration::minutes(10));
        let late = texted(&house, 12_025_550_999).await;
        assert!(matches!(late, Outcome::Issued(_)), "{late:?}");
        house.audited().await;
    }

    pub(super) async fn toll_free_numbers_are_machines_unless_the_house_serves_them(house: House) {
        let strict = guarded(&house, false).await;
        assert_eq!(texted(&strict, 18_005_550_100).await, IGNORED);
        let limits = Limits { serve_toll_free: true, ..Limits::default() };
        let open = house.second_of(Sizes { limits, ..house.engine.parts().sizes }).await;
        assert!(matches!(texted(&open, 18_005_550_100).await, Outcome::Issued(_)));
        assert!(matches!(texted(&strict, 18_015_550_100).await, Outcome::Issued(_)));
        house.audited().await;
    }

    pub(super) async fn the_law_is_answered_in_its_language_and_the_evidence_names_it(house: House) {
        open(&house).await;
        for (phone, words, language, begin) in [
            (1, "ARRET", "fr", "Acme: Désabonnement"),
            (2, "alto", "es", "Acme: Baja"),
            (3, "STOP", "en", "Acme: You are unsubscribed"),
        ] {
            assert_eq!(said(&house, phone, words).await, Outcome::Told(Told::OptedOut));
            let evidence =
                format!("SELECT COUNT(*) FROM consent_event WHERE kind = 'opt_out' AND language = '{language}'");
            assert_eq!(house.number(&evidence).await, 1, "{words}");
            let due =
                house.engine.claim_due(SenderId(1), Duration::minutes(1), 10).await.expect("messages can be claimed");
            assert!(due.is_empty(), "a fresh message belongs to its process");
            house.clock.forward(Duration::minutes(2));
            let due =
                house.engine.claim_due(SenderId(1), Duration::minutes(1), 10).await.expect("messages can be claimed");
            let last = due.iter().map(|one| &one.message).max_by_key(|message| message.created_at).expect("a message");
            let composed = house.engine.compose(last).await.expect("it can be written");
            assert!(composed.body.starts_with(begin), "{words}: {}", composed.body);
            assert_eq!(composed.segments, 1);
        }
        house.audited().await;
    }
}
