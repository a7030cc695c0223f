//! Who is answered, how often, and what an outcome's columns keep. Whole lists of acts are compared with a reference
//! model beside the databases' tests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::changes::{Changes, OptOut};
use super::outcome::{Outcome, Record, Refusal, Told};
use super::{Decision, decide};
use crate::domain::act::{Act, Ask, Deliver, MessageStatus, Text, Who};
use crate::domain::campaign::{
    Attribution, Authority, Campaign, Channel, Expiry, Offer, PartnerPolicy, Places, Pool, PoolKind, Repeat, Status,
    Terms,
};
use crate::domain::cap::Reached;
use crate::domain::catalog::{Catalog, SenderRow, Target};
use crate::domain::ids::{CampaignId, CapId, PlacementId, RequestId, SenderId, Spot, Subject, from_millis};
use crate::domain::keyword::{Book, Keyword};
use crate::domain::language::Language;
use crate::domain::reply::ReplyId;
use crate::domain::till::TillRefusal;
use crate::domain::world::{Answered, HeldState, Message, Range, World};
use chrono::{DateTime, Duration, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;

const ANN: Subject = Subject::from_bytes([1; 16]);
const PIZZA: CampaignId = CampaignId(1);

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 16, 0, 0).unwrap()
}

fn spot(position: u64) -> Spot {
    Spot { campaign: PIZZA, pool: 1, position }
}

fn campaign() -> Campaign {
    let offer = Offer {
        offer_no: 1,
        title: "$5 off".to_owned(),
        max_discount: Some(500),
        currency: "USD".to_owned(),
        terms: String::new(),
    };
    let pool =
        Pool { pool_no: 1, offer_no: 1, kind: PoolKind::Derived, pattern: String::new(), size: 100, creator: None };
    let terms =
        Terms { places: Places::Any, min_spend: 0, holder_only: false, stops_with_campaign: false, valid_from: None };
    Campaign {
        id: PIZZA,
        name: "PIZZA".to_owned(),
        version: 1,
        status: Status::Live,
        zone: Tz::UTC,
        starts_at: None,
        ends_at: None,
        countries: Vec::new(),
        offers: vec![offer],
        pools: vec![pool],
        caps: Vec::new(),
        repeat: Repeat::default(),
        expiry: Expiry::default(),
        terms,
        authority: Authority::Here,
        partners: PartnerPolicy::default(),
        creators: Vec::new(),
    }
}

fn catalog() -> Catalog {
    let row = |id, brand: &str| SenderRow {
        id: SenderId(id),
        address: format!("1234{id}"),
        carrier: "simulator".to_owned(),
        brand: brand.to_owned(),
        help: "acme.example".to_owned(),
        opt_out_handled_by: crate::domain::catalog::OptOutBy::App,
    };
    let word = |word: &str| {
        let target = Target { campaign: PIZZA, keyword: word.to_owned(), placement: PlacementId::NONE, creator: None };
        (Keyword::parse(word).unwrap(), target)
    };
    Catalog {
        campaigns: [(PIZZA, Arc::new(campaign()))].into(),
        senders: [(SenderId(1), row(1, "Acme")), (SenderId(2), row(2, "Zeta"))].into(),
        books: [(SenderId(1), Book::new([word("PIZZA"), word("DRINK")]).unwrap())].into(),
        ..Catalog::default()
    }
}

/// A text of Ann to sender 1; its number names request and message.
fn text(number: u8, words: &str) -> Act {
    let request = RequestId { door: "sms-12345".to_owned(), key: format!("SM{number}") };
    let who = Who { subject: ANN, sealed_phone: None, country: None };
    let text =
        Text { sender: SenderId(1), text: words.to_owned(), from_machine: false, range: None, carrier_said: None };
    Act::new([number; 16], request, [number; 32], Some(who), Ask::Text(text))
}

/// What Ann was answered: how long ago, to what kind of text and which word, with which outcome.
fn answered(ago: Duration, kind: &str, word: &str, outcome: Outcome) -> Answered {
    let word = (!word.is_empty()).then(|| word.to_owned());
    Answered { at: now() - ago, kind: kind.to_owned(), word, outcome }
}

/// Whether a text is answered when these answers went out before.
fn is_answered(words: &str, before: Vec<Answered>) -> bool {
    let mut world = world();
    world.persons.entry(ANN).or_default().answered = before;
    let (_, changes) = decide(&catalog(), world, &[&text(1, words)]);
    let [request] = changes.requests.as_slice() else { unreachable!("one text is one request") };
    assert_eq!(request.replied, changes.messages.len() == 1);
    request.replied
}

fn world() -> World {
    let all = Range { first: 0, last: 99 };
    World { now: now(), stock: [((PIZZA, 1), VecDeque::from([all]))].into(), ..World::default() }
}

/// A world in which Ann has a code.
fn settled(acts: &[Act]) -> (Vec<Outcome>, Changes) {
    let acts: Vec<_> = acts.iter().collect();
    let (decisions, changes) = decide(&catalog(), world(), &acts);
    let made = |decision| match decision {
        Decision::Made(outcome, _) => outcome,
        Decision::KeyReused | Decision::Barred(_) => unreachable!("no key comes twice, and no partner asks"),
    };
    (decisions.into_iter().map(made).collect(), changes)
}

const UNKNOWN: Outcome = Outcome::Told(Told::Unknown);
const PAUSED: Outcome = Outcome::Refused(Refusal::Paused, None);

fn minutes(n: i64) -> Duration {
    Duration::minutes(n)
}

#[test]
fn an_unknown_word_is_answered_once_an_hour() {
    let before = |ago| vec![answered(ago, "unknown", "", UNKNOWN)];
    assert!(is_answered("hello", Vec::new()));
    assert!(!is_answered("hello", before(minutes(59))));
    assert!(is_answered("hello", before(minutes(60))));
}

#[test]
fn the_same_answer_goes_out_once_in_ten_seconds() {
    let before = |seconds, kind, told| vec![answered(Duration::seconds(seconds), kind, "", Outcome::Told(told))];
    for (words, kind, told) in [("help", "help", Told::Helped), ("mycodes", "my_codes", Told::Listed)] {
        assert!(!is_answered(words, before(9, kind, told)), "{words} after 9 s");
        assert!(is_answered(words, before(10, kind, told)), "{words} after 10 s");
    }
    assert!(is_answered("help", before(1, "stop", Told::OptedOut)), "another answer is no repetition");
}

#[test]
fn one_stop_is_confirmed_once_in_five_minutes_and_five_times_a_day() {
    let stopped = |ago| answered(ago, "stop", "", Outcome::Told(Told::OptedOut));
    let started = |ago| answered(ago, "start", "", Outcome::Told(Told::OptedIn));
    assert!(!is_answered("stop", vec![stopped(Duration::seconds(299))]));
    assert!(is_answered("stop", vec![stopped(minutes(5))]));
    assert!(is_answered("stop", vec![stopped(minutes(4)), started(minutes(3))]), "she came back in between");
    assert!(!is_answered("stop", vec![stopped(minutes(4)), started(minutes(3)), stopped(minutes(2))]));
    let spread = |n| (1..=n).rev().map(|i| stopped(minutes(70 * i))).collect();
    assert!(is_answered("stop", spread(4)));
    assert!(!is_answered("stop", spread(5)));
}

#[test]
fn a_word_of_the_law_is_answered_and_kept_in_its_language() {
    let (_, changes) = settled(&[text(1, "ARRET"), text(2, "ayuda"), text(3, "start")]);
    let answers: Vec<_> = changes.messages.iter().map(|one| (one.reply, one.params.language.code())).collect();
    assert_eq!(answers, [(ReplyId::T13Stop, "fr"), (ReplyId::T14Help, "es"), (ReplyId::T15Start, "en")]);
    let kept: Vec<_> = changes.consents.iter().map(|one| (one.kind, one.language.map(Language::code))).collect();
    assert_eq!(kept, [("opt_out", Some("fr")), ("help", Some("es")), ("opt_in", Some("en"))]);
}

#[test]
fn one_word_is_answered_ten_times_an_hour_and_another_one_too() {
    // Paused long ago, so that the answers to PIZZA in the hour are none of its first issuance.
    let asked = |n: i64, word: &str| (1..=n).map(|i| answered(minutes(i), "keyword", word, PAUSED)).collect::<Vec<_>>();
    let (_, changes) = settled(&[text(1, "pizza")]);
    let held = changes.issuances.iter().map(|(_, held)| held.clone()).collect::<Vec<_>>();
    let again = |before: Vec<Answered>| {
        let mut world = world();
        let ann = world.persons.entry(ANN).or_default();
        ann.answered = before;
        ann.held.clone_from(&held);
        let (_, changes) = decide(&catalog(), world, &[&text(2, "pizza")]);
        changes.messages.len() == 1
    };
    assert!(again(asked(9, "PIZZA")));
    assert!(!again(asked(10, "PIZZA")));
    assert!(again(asked(10, "DRINK")), "of another word");
    let mut old = asked(9, "PIZZA");
    old.push(answered(minutes(60), "keyword", "PIZZA", PAUSED));
    assert!(again(old), "the tenth is an hour old");
}

#[test]
fn a_first_code_is_sent_however_much_was_said_before() {
    let many = (0..40).map(|i| answered(minutes(i), "keyword", "PIZZA", PAUSED)).collect();
    assert!(is_answered("pizza", many));
}

#[test]
fn twenty_replies_a_day_are_enough_but_for_stop_start_and_help() {
    let most =
        |n: i64| -> Vec<_> { (0..n).map(|i| answered(minutes(61 + i), "keyword", &format!("W{i}"), PAUSED)).collect() };
    assert!(is_answered("hello", most(19)));
    assert!(!is_answered("hello", most(20)));
    for law in ["stop", "start", "help"] {
        assert!(is_answered(law, most(20)), "{law}");
    }
    let of_law = |kind: &str, told| (0..20).map(|i| answered(minutes(61 + i), kind, "", Outcome::Told(told))).collect();
    assert!(is_answered("hello", of_law("help", Told::Helped)), "answers to HELP do not count");
    let first = (0..20).map(|i| answered(minutes(61 + i), "keyword", "PIZZA", Outcome::Issued(spot(7)))).collect();
    assert!(is_answered("hello", first), "first codes do not count");
}

#[test]
fn machines_and_reactions_are_neither_served_nor_answered() {
    let machine = |mut act: Act| {
        if let Ask::Text(text) = &mut act.ask {
            text.from_machine = true;
        }
        act
    };
    let mut short_code = text(3, "pizza");
    short_code.who = None;
    let acts =
        [machine(text(1, "pizza")), machine(text(2, "stop")), short_code, text(4, "Liked \u{201c}Acme: PIZZA\u{201d}")];
    let (outcomes, changes) = settled(&acts);
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Told(Told::Ignored)), "{outcomes:?}");
    assert!(changes.messages.is_empty() && changes.issuances.is_empty() && changes.opt_outs.is_empty());
    assert_eq!(changes.requests.len(), 4, "each is written down");
}

#[test]
fn stop_cancels_what_waits_for_her_from_that_brand_and_no_compliance_answer() {
    let mut world = world();
    let mut waits = |id: u8, subject, sender, status, is_compliance| {
        let message = Message { subject, sender: SenderId(sender), status, is_compliance, spot: None };
        world.messages.insert([id; 16], message);
    };
    let bob = Subject::from_bytes([2; 16]);
    waits(10, ANN, 1, MessageStatus::Queued, false);
    waits(11, ANN, 1, MessageStatus::Queued, true);
    waits(12, ANN, 1, MessageStatus::Submitting, false);
    waits(13, ANN, 2, MessageStatus::Queued, false);
    waits(14, bob, 1, MessageStatus::Queued, false);
    let (_, changes) = decide(&catalog(), world, &[&text(1, "STOP")]);
    let steps: Vec<_> = changes.steps.iter().map(|noted| (noted.step.message, noted.step.status)).collect();
    assert_eq!(steps, [([10; 16], MessageStatus::Suppressed)]);
    let acme = ("Acme".to_owned(), ANN);
    assert_eq!(changes.opt_outs.into_iter().collect::<Vec<_>>(), [(acme, OptOut::Out(now()))]);
    let [reply] = changes.messages.as_slice() else { unreachable!("STOP is answered") };
    assert_eq!(reply.reply, ReplyId::T13Stop);
}

#[test]
fn after_stop_a_keyword_is_one_request_of_its_own_and_start_ends_it() {
    let (outcomes, changes) = settled(&[text(1, "stop"), text(2, "pizza"), text(3, "start")]);
    assert!(matches!(
        outcomes.as_slice(),
        [Outcome::Told(Told::OptedOut), Outcome::Issued(_), Outcome::Told(Told::OptedIn)]
    ));
    assert!(changes.steps.is_empty(), "what she asked for after her STOP goes out");
    assert_eq!(changes.opt_outs.values().collect::<Vec<_>>(), [&OptOut::In], "her last word stands");
    let kinds: Vec<_> = changes.consents.iter().map(|consent| consent.kind).collect();
    assert_eq!(kinds, ["opt_out", "request", "opt_in"]);
}

#[test]
fn one_key_with_other_words_is_a_mistake_and_the_same_words_are_the_same_answer() {
    let first = text(1, "pizza");
    let mut other = first.clone();
    other.fingerprint = [9; 32];
    let (decisions, changes) = decide(&catalog(), world(), &[&first, &first, &other]);
    assert_eq!(decisions.first(), decisions.get(1));
    assert_eq!(decisions.get(2), Some(&Decision::KeyReused));
    assert_eq!((changes.requests.len(), changes.messages.len()), (1, 1));
}

#[test]
fn a_call_for_a_campaign_that_is_not_there_is_reported_where_it_came_from() {
    let from = Attribution { placement: PlacementId(7), ..Attribution::by(Channel::Api) };
    let call = Act { ask: Ask::Issue(CampaignId(99), from.clone(), Deliver::Here), ..text(1, "") };
    let (outcomes, changes) = settled(&[call]);
    assert_eq!(outcomes, [Outcome::Told(Told::Unknown)]);
    assert_eq!(changes.requests.first().map(|row| &row.from), Some(&from));
}

fn spots() -> impl Strategy<Value = Spot> {
    (any::<u32>(), any::<u16>(), 0..1_u64 << 48).prop_map(|(campaign, pool, position)| Spot {
        campaign: CampaignId(campaign),
        pool,
        position,
    })
}

fn refusals() -> impl Strategy<Value = Refusal> {
    let times = || (0..4_102_444_800_000_i64).prop_map(from_millis);
    let reached = (any::<u32>(), any::<i64>(), any::<i64>(), proptest::option::of(times()));
    prop_oneof![
        times().prop_map(Refusal::NotStarted),
        Just(Refusal::Ended),
        Just(Refusal::Paused),
        Just(Refusal::PoolEmpty),
        Just(Refusal::CountryNotAllowed),
        Just(Refusal::NumberBurst),
        reached.prop_map(|(id, cap, used, resets_at)| Refusal::CapReached(Reached {
            cap_id: CapId(id),
            cap,
            used,
            resets_at
        })),
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let states = [HeldState::Unused, HeldState::Redeemed, HeldState::Expired, HeldState::Void];
    let told = [Told::OptedOut, Told::OptedIn, Told::Helped, Told::Listed, Told::Unknown, Told::Ignored];
    prop_oneof![
        spots().prop_map(Outcome::Issued),
        (spots(), proptest::sample::select(states.to_vec())).prop_map(|(spot, state)| Outcome::Repeat(spot, state)),
        (refusals(), proptest::option::of(spots())).prop_map(|(why, unused)| Outcome::Refused(why, unused)),
        (spots(), "rd_[0-9a-f]{32}").prop_map(|(spot, id)| Outcome::Redeemed(spot, id)),
        (spots(), "rd_[0-9a-f]{32}").prop_map(|(spot, id)| Outcome::RolledBack(spot, id)),
        spots().prop_map(Outcome::Voided),
        (spots(), proptest::sample::select(TillRefusal::ALL.to_vec()))
            .prop_map(|(spot, why)| Outcome::Declined(spot, why)),
        proptest::sample::select(told.to_vec()).prop_map(Outcome::Told),
        Just(Outcome::Noted),
    ]
}

proptest! {
    #[test]
    fn an_outcome_is_read_back_from_its_columns(outcome in outcomes()) {
        prop_assert_eq!(Outcome::from_record(&outcome.record()), Some(outcome));
    }
}

#[test]
fn columns_that_say_nothing_are_no_outcome() {
    let record =
        |outcome: &str, rule: &str| Record { outcome: outcome.to_owned(), rule: rule.to_owned(), ..Record::default() };
    for (outcome, rule) in
        [("", ""), ("issued", ""), ("repeat", "unused"), ("refused", "cap_reached"), ("refused", "bored"), ("told", "")]
    {
        assert_eq!(Outcome::from_record(&record(outcome, rule)), None, "{outcome} {rule}");
    }
}
