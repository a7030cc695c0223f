#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::super::testing::{Books, Mishap, Virtual, code, now, together};
use super::super::{Idempotency, Noted, Reason, Status};
use super::redeem::LOOK_AGAIN;
use super::*;

type Asking<'a> = std::pin::Pin<Box<dyn Future<Output = Vec<Result<Reading, PeerError>>> + 'a>>;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn down() -> PeerError {
    PeerError::Unavailable { retry_after: None, effect: Effect::None, detail: "status 503".to_owned() }
}

fn lost() -> PeerError {
    PeerError::Timeout { effect: Effect::Unknown }
}

fn context(within: Duration) -> CallContext<'static> {
    CallContext::unrecorded(now(), within)
}

fn house(set: impl FnOnce(&mut Books)) -> (Virtual, Arc<Books>, Guarded) {
    let time = Virtual::default();
    let mut books = Books::new(&time);
    set(&mut books);
    let books = Arc::new(books);
    let guard = Guarded::with(Arc::clone(&books) as _, GuardLimits::default(), Arc::new(time.clone()));
    (time, books, guard)
}

fn status(time: &Virtual, guard: &Guarded, text: &str) -> Result<Status, PeerError> {
    let answers = time.run(guard.validate(&[code(text)], &context(secs(10))));
    answers.into_iter().next().unwrap().map(|reading| reading.status)
}

fn redeem(time: &Virtual, guard: &Guarded, within: Duration) -> Result<Redemption, PeerError> {
    let ask = Redeem { code: code("AAA-1"), reference: "till-1.k1".to_owned(), store: None, order: None, amount: None };
    time.run(guard.redeem(&ask, &context(within)))
}

#[test]
fn a_question_that_fails_in_passing_is_asked_three_times_with_growing_waits() {
    let (time, books, guard) = house(|_| {});
    books.plan([Mishap::Fails(down()), Mishap::Fails(down())]);
    assert_eq!(status(&time, &guard, "AAA-1"), Ok(Status::Unknown));
    assert_eq!(books.asked().len(), 3);
    assert_eq!(time.elapsed(), Duration::from_millis(300), "100 ms, then 200 ms");
    books.plan([Mishap::Fails(down()), Mishap::Fails(down()), Mishap::Fails(down())]);
    assert_eq!(status(&time, &guard, "AAA-2"), Err(down()));
    assert_eq!(books.asked().len(), 3);
}

#[test]
fn the_wait_a_peer_asks_for_is_kept_and_one_beyond_the_callers_time_is_handed_back() {
    let (time, books, guard) = house(|_| {});
    let limited = |seconds| PeerError::RateLimited { retry_after: secs(seconds) };
    books.plan([Mishap::Fails(limited(3))]);
    assert_eq!(status(&time, &guard, "AAA-1"), Ok(Status::Unknown));
    assert_eq!(time.elapsed(), secs(3) + Duration::from_millis(100));
    books.plan([Mishap::Fails(limited(60))]);
    assert_eq!(status(&time, &guard, "AAA-2"), Err(limited(60)));
    books.asked();
    assert_eq!(status(&time, &guard, "AAA-3"), Err(limited(60)), "the peer is left alone until then");
    assert_eq!(books.asked().len(), 0);
    time.pass(secs(60));
    assert_eq!(status(&time, &guard, "AAA-3"), Ok(Status::Unknown));
}

#[test]
fn a_hanging_peer_costs_each_try_its_time_and_no_more() {
    let (time, books, guard) = house(|_| {});
    books.plan([Mishap::Takes(secs(600)), Mishap::Takes(secs(600)), Mishap::Takes(secs(600))]);
    assert_eq!(status(&time, &guard, "AAA-1"), Err(PeerError::Timeout { effect: Effect::None }));
    assert_eq!(time.elapsed(), Duration::from_millis(3 * 1500 + 300));
}

#[test]
fn of_a_batch_only_the_codes_that_failed_are_asked_again() {
    let (time, books, guard) = house(|books| books.capabilities.batch_max = 2);
    let codes: Vec<Code> = (0..5).map(|n| code(&format!("AAA-{n}"))).collect();
    books.plan([Mishap::Takes(Duration::ZERO), Mishap::Fails(down())]);
    let answers = time.run(guard.validate(&codes, &context(secs(10))));
    assert!(answers.len() == 5 && answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(books.asked(), ["validate 2", "validate 2", "validate 1", "validate 2"]);
}

#[test]
fn a_redeem_whose_answer_was_lost_is_found_in_the_books_and_not_made_twice() {
    let (time, books, guard) = house(|_| {});
    books.plan([Mishap::DoneUnanswered]);
    assert_eq!(redeem(&time, &guard, secs(8)).unwrap().redemption_id, "r_till-1.k1");
    assert_eq!(books.asked(), ["redeem", "find"]);
    assert_eq!(books.uses("AAA-1"), 1);
}

#[test]
fn a_redeem_that_was_not_done_is_made_again_only_after_two_looks() {
    let (time, books, guard) = house(|_| {});
    books.plan([Mishap::Fails(lost())]);
    assert!(redeem(&time, &guard, secs(8)).is_ok());
    assert_eq!(books.asked(), ["redeem", "find", "find", "redeem"]);
    assert!(time.elapsed() >= LOOK_AGAIN);
}

#[test]
fn a_redeem_in_doubt_stays_in_doubt_when_nothing_can_tell() {
    for (idempotency, can_find) in
        [(Idempotency::None, true), (Idempotency::None, false), (Idempotency::ByReference, false)]
    {
        let (time, books, guard) = house(|books| {
            books.capabilities.idempotency = idempotency;
            books.capabilities.can_find_redemption = can_find;
        });
        books.plan([Mishap::Fails(lost())]);
        assert_eq!(redeem(&time, &guard, secs(8)), Err(PeerError::OutcomeUnknown), "{idempotency:?} {can_find}");
        assert_eq!(books.asked().iter().filter(|verb| *verb == "redeem").count(), 1);
    }
}

#[test]
fn a_redeem_with_no_time_left_to_look_is_in_doubt_and_not_repeated() {
    let (time, books, guard) = house(|_| {});
    books.plan([Mishap::Takes(secs(60))]);
    assert_eq!(redeem(&time, &guard, secs(4)), Err(PeerError::OutcomeUnknown));
    assert_eq!(books.asked(), ["redeem"]);
}

#[test]
fn a_peer_that_knows_the_key_is_asked_again_with_it() {
    let (time, books, guard) = house(|books| books.capabilities.idempotency = Idempotency::Native);
    books.plan([Mishap::DoneUnanswered]);
    assert_eq!(redeem(&time, &guard, secs(8)).unwrap().redemption_id, "r_till-1.k1");
    assert_eq!(books.asked(), ["redeem", "redeem"]);
    assert_eq!(books.uses("AAA-1"), 1);
}

#[test]
fn a_redeem_that_surely_did_not_arrive_is_made_again_without_a_look() {
    let (time, books, guard) = house(|_| {});
    books.plan([Mishap::Fails(down()), Mishap::Fails(PeerError::RateLimited { retry_after: secs(1) })]);
    assert!(redeem(&time, &guard, secs(8)).is_ok());
    assert_eq!(books.asked(), ["redeem", "redeem", "redeem"]);
}

#[test]
fn a_refused_redeem_is_final() {
    let (time, books, guard) = house(|_| {});
    books.redemptions.lock().unwrap().insert("AAA-1".to_owned(), vec!["somebody's".to_owned()]);
    let refused = redeem(&time, &guard, secs(8)).unwrap_err();
    assert_eq!(refused.status().unwrap().word(), "already_redeemed");
    assert_eq!(books.asked(), ["redeem", "find"]);
}

#[test]
fn a_code_that_is_used_by_us_already_is_no_refusal() {
    let (time, books, guard) = house(|_| {});
    let first = redeem(&time, &guard, secs(8)).unwrap();
    assert_eq!(redeem(&time, &guard, secs(8)), Ok(first));
    assert_eq!(
        (books.asked(), books.uses("AAA-1")),
        (vec!["redeem".to_owned(), "redeem".to_owned(), "find".to_owned()], 1)
    );
}

#[test]
fn a_peer_that_keeps_failing_is_left_alone_for_fifteen_seconds_and_then_tried_out() {
    let (time, books, guard) = house(|_| {});
    let changes = guard.breaker_changes();
    books.plan((0..20).map(|_| Mishap::Fails(down())));
    for n in 0..7 {
        assert!(status(&time, &guard, &format!("AAA-{n}")).is_err());
    }
    assert_eq!(guard.breaker(), BreakerState::Open);
    assert!(changes.has_changed().unwrap());
    assert_eq!(books.asked().len(), 20, "the twenty-first try is not made");
    let error = status(&time, &guard, "AAA-8").unwrap_err();
    assert!(error.retry_after().unwrap() <= secs(15) && error.effect() == Effect::None, "{error}");
    assert_eq!(books.asked().len(), 0);
    time.pass(secs(15));
    for n in 0..2 {
        assert_eq!(status(&time, &guard, &format!("BBB-{n}")), Ok(Status::Unknown));
    }
    assert_eq!(guard.breaker(), BreakerState::Closed);
}

#[test]
fn slow_answers_open_the_breaker_too() {
    let (time, books, guard) = house(|_| {});
    books.plan((0..20).map(|_| Mishap::Takes(Duration::from_millis(1400))));
    for n in 0..20 {
        assert_eq!(status(&time, &guard, &format!("AAA-{n}")), Ok(Status::Unknown));
    }
    assert_eq!(guard.breaker(), BreakerState::Open);
}

#[test]
fn a_refused_key_opens_the_breaker_at_once_and_a_refused_code_never() {
    let (time, books, guard) = house(|_| {});
    let used = PeerError::Rejected { reason: Reason::AlreadyRedeemed, at: None, detail: None };
    books.plan((0..30).map(|_| Mishap::Fails(used.clone())));
    for _ in 0..30 {
        assert_eq!(status(&time, &guard, "AAA-1"), Err(used.clone()));
    }
    assert_eq!(guard.breaker(), BreakerState::Closed);
    let denied = PeerError::Auth { detail: "status 401".to_owned() };
    books.plan([Mishap::Fails(denied.clone())]);
    assert_eq!(status(&time, &guard, "AAA-1"), Err(denied));
    assert_eq!(guard.breaker(), BreakerState::Open);
}

#[test]
fn sixteen_calls_are_under_way_at_once_and_a_seventeenth_waits_fifty_milliseconds() {
    let (time, books, guard) = house(|_| {});
    books.plan((0..16).map(|_| Mishap::Takes(secs(1))));
    let ask = |n: usize| {
        let guard = &guard;
        Box::pin(async move { guard.validate(&[code(&format!("AAA-{n}"))], &context(secs(1))).await }) as Asking<'_>
    };
    let answers = time.run(together((0..17).map(ask).collect()));
    let refused: Vec<_> = answers.iter().flatten().filter_map(|answer| answer.as_ref().err()).collect();
    let [PeerError::Unavailable { retry_after, .. }] = refused[..] else { unreachable!("{refused:?}") };
    assert_eq!(*retry_after, Some(Duration::from_millis(50)));
    assert_eq!(books.asked().len(), 16);
}

#[test]
fn a_quota_is_kept_over_a_minute_and_leaves_a_share_to_redeems() {
    let (time, books, guard) = house(|books| books.capabilities.quota_per_minute = Some(100));
    let mut refused = 0;
    for n in 0..2000 {
        if time.elapsed() >= secs(60) {
            break;
        }
        let answer = time.run(guard.validate(&[code(&format!("A-{n}"))], &context(Duration::from_millis(100))));
        if matches!(answer[..], [Err(PeerError::RateLimited { .. })]) {
            refused += 1;
            time.pass(Duration::from_millis(100));
        }
    }
    let reads = books.asked().len();
    assert!((60..=70).contains(&reads), "{reads} reads in a minute");
    assert!(refused > 0);
    assert!(redeem(&time, &guard, Duration::from_millis(100)).is_ok(), "a redeem need not wait for reads");
}

#[test]
fn answers_are_remembered_as_long_as_they_can_hold() {
    let at = Some(now() + chrono::TimeDelta::minutes(5));
    let used = Status::Redeemed { at: None, redemption_id: None };
    for (status_told, kept) in [
        (Status::Valid, secs(30)),
        (Status::Unknown, secs(60)),
        (used, secs(24 * 3600)),
        (Status::Expired(None), secs(24 * 3600)),
        (Status::Disabled, secs(24 * 3600)),
        (Status::NotYetActive(None), secs(600)),
        (Status::NotYetActive(at), secs(300)),
        (Status::Conditional(Reason::ConditionsNotMet), Duration::ZERO),
        (Status::Locked, Duration::ZERO),
        (Status::IssuedElsewhere, Duration::ZERO),
    ] {
        let (time, books, guard) = house(|_| {});
        books.put("AAA-1", status_told.clone());
        assert_eq!(status(&time, &guard, "AAA-1"), Ok(status_told.clone()));
        time.pass(kept.saturating_sub(Duration::from_millis(1)));
        status(&time, &guard, "AAA-1").unwrap();
        assert_eq!(books.asked().len(), if kept.is_zero() { 2 } else { 1 }, "{status_told:?}");
        time.pass(Duration::from_millis(1));
        status(&time, &guard, "AAA-1").unwrap();
        assert_eq!(books.asked().len(), 1, "{status_told:?} is asked again when it is over");
    }
}

#[test]
fn of_many_who_ask_at_once_one_asks() {
    let (time, books, guard) = house(|_| {});
    books.put("AAA-1", Status::Valid);
    books.plan([Mishap::Takes(Duration::from_millis(500))]);
    let one = [code("AAA-1")];
    let ask = |_| {
        let (guard, one) = (&guard, &one);
        Box::pin(async move { guard.validate(one, &context(secs(1))).await }) as Asking<'_>
    };
    let answers = time.run(together((0..32).map(ask).collect()));
    assert!(answers.iter().flatten().all(|answer| answer.as_ref().unwrap().status == Status::Valid));
    assert_eq!(books.asked().len(), 1);
}

#[test]
fn an_answer_that_was_under_way_when_its_code_was_forgotten_is_not_kept() {
    let (time, books, guard) = house(|_| {});
    books.put("AAA-1", Status::Valid);
    books.plan([Mishap::Takes(secs(1))]);
    let one = [code("AAA-1")];
    time.run(async {
        let patient = context(secs(5));
        let asking = guard.validate(&one, &patient);
        let forgetting = async {
            time.sleep(Duration::from_millis(500)).await;
            guard.forget(&code("AAA-1")).await;
        };
        tokio::join!(asking, forgetting)
    });
    books.asked();
    assert_eq!(status(&time, &guard, "AAA-1"), Ok(Status::Valid));
    assert_eq!(books.asked().len(), 1);
}

#[test]
fn a_redeem_makes_its_code_forgotten() {
    let (time, books, guard) = house(|_| {});
    books.put("AAA-1", Status::Valid);
    status(&time, &guard, "AAA-1").unwrap();
    redeem(&time, &guard, secs(8)).unwrap();
    books.put("AAA-1", Status::Redeemed { at: None, redemption_id: None });
    assert_eq!(status(&time, &guard, "AAA-1").unwrap().word(), "already_redeemed");
}

#[test]
fn every_try_is_written_down_without_the_code_also_one_that_was_given_up() {
    let (time, books, guard) = house(|_| {});
    books.put("PZA-7KMQ-9XT4", Status::Valid);
    books.plan([Mishap::Takes(secs(9)), Mishap::Fails(down())]);
    let noted = Noted::default();
    let context = CallContext::new(now(), secs(10), &noted);
    time.run(guard.validate(&[code("PZA-7KMQ-9XT4")], &context));
    let calls = noted.take();
    let told: Vec<_> = calls.iter().map(|call| (call.asked.as_str(), call.answered.as_str(), call.took)).collect();
    assert_eq!(
        told,
        [
            ("validate …9XT4", "no answer in time", Duration::from_millis(1500)),
            ("validate …9XT4", "unavailable (status 503)", Duration::ZERO),
            ("validate …9XT4", "valid", Duration::ZERO),
        ]
    );
}
