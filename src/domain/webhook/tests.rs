#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn answered(status: u16) -> Reply {
    Reply::Answered { status, retry_after: None }
}

#[test]
fn the_schedule_is_ten_attempts_over_three_days_with_a_tenth_of_chance() {
    let waits: Vec<_> = (1..=9).map(|attempts| wait_after(attempts, 0).unwrap()).collect();
    assert_eq!(waits.iter().map(TimeDelta::num_seconds).collect::<Vec<_>>(), WAITS_S);
    let total: TimeDelta = waits.into_iter().sum();
    assert!(total > PATIENCE && total < PATIENCE + TimeDelta::hours(12), "the last attempt ends the patience");
    assert_eq!(wait_after(1, u16::MAX), Some(TimeDelta::milliseconds(5_500)));
    assert_eq!((wait_after(0, 0), wait_after(10, 0)), (None, None));
}

#[test]
fn a_busy_receiver_is_left_alone_as_long_as_it_asks_up_to_an_hour() {
    let now = DateTime::UNIX_EPOCH;
    let asks = |status, seconds| Reply::Answered { status, retry_after: Some(TimeDelta::seconds(seconds)) };
    for (reply, attempts, wait_s) in [
        (asks(429, 120), 1, 120),
        (asks(503, 120), 1, 120),
        (asks(502, 120), 1, 120),
        (asks(504, 120), 1, 120),
        (asks(500, 120), 1, 5),
        (asks(429, 1), 2, 300),
        (asks(429, 1_000_000), 1, 3_600),
        (answered(429), 1, 30),
        (answered(503), 2, 300),
        (answered(500), 1, 5),
    ] {
        assert_eq!(again_at(&reply, attempts, now, 0), Some(now + TimeDelta::seconds(wait_s)), "{reply:?}");
    }
}

#[test]
fn an_answer_that_means_busy_holds_the_whole_endpoint_back_whether_it_says_for_how_long_or_not() {
    let asks = |status, seconds| Reply::Answered { status, retry_after: Some(TimeDelta::seconds(seconds)) };
    for (reply, wait_s) in [
        (answered(429), Some(30)),
        (answered(502), Some(30)),
        (answered(503), Some(30)),
        (answered(504), Some(30)),
        (asks(502, 7), Some(7)),
        (asks(429, 0), Some(0)),
        (asks(504, 1_000_000), Some(3_600)),
        (asks(200, 60), None),
        (asks(500, 60), None),
        (answered(410), None),
        (Reply::Unanswered("time is up".to_owned()), None),
    ] {
        assert_eq!(reply.wanted_wait(), wait_s.map(TimeDelta::seconds), "{reply:?}");
    }
}

#[test]
fn only_2xx_is_taken() {
    for (status, is_taken) in [(200, true), (204, true), (299, true), (199, false), (301, false), (400, false)] {
        assert_eq!(answered(status).is_taken(), is_taken, "{status}");
    }
    assert!(!Reply::Unanswered("time is up".to_owned()).is_taken());
    assert_eq!(answered(308).words(), "redirects are not followed");
}

#[test]
fn an_endpoint_that_fails_is_told_of_after_an_hour_and_disabled_after_three_days() {
    let mut health = Health::default();
    let mut now = DateTime::UNIX_EPOCH;
    let mut turns = Vec::new();
    for attempt in 1..=10 {
        turns.push(health.count(&answered(500), now));
        now += wait_after(attempt, 0).unwrap_or_default();
    }
    let expected = [&[Turn::Same; 4][..], &[Turn::Notice], &[Turn::Same; 4], &[Turn::Disable(Disabled::Failing)]];
    assert_eq!(turns, expected.concat());
    assert!(health.is_down());
    assert_eq!(health.count(&answered(200), now), Turn::Back);
    assert_eq!(health, Health { delivered_at: Some(now), ..Health::default() });
}

#[test]
fn one_event_that_always_fails_does_not_make_an_endpoint_down() {
    let mut health = Health::default();
    for minute in 0..100 {
        let now = DateTime::UNIX_EPOCH + TimeDelta::minutes(minute);
        assert_eq!(health.count(&answered(500), now), Turn::Same);
        assert_eq!(health.count(&answered(200), now), Turn::Same);
    }
    assert_eq!(health.count(&answered(410), DateTime::UNIX_EPOCH), Turn::Disable(Disabled::Gone));
}

#[test]
fn names_and_lists_are_read_back() {
    let id = EndpointId::of([7; 16]);
    assert_eq!(EndpointId::parse(id.as_str()), Some(id));
    for bad in ["", "we_", "we_0707", "xx_07070707070707070707070707070707", "we_0707070707070707070707070707070G"] {
        assert_eq!(EndpointId::parse(bad), None, "{bad}");
    }
    let some = WantedEvents::new([FeedKind::Redeemed, FeedKind::Issued]);
    assert_eq!(some.words(), "issued,redeemed");
    assert_eq!(WantedEvents::parse("issued,redeemed"), Some(some.clone()));
    assert!(some.holds(FeedKind::Issued) && !some.holds(FeedKind::Viewed));
    assert_eq!(WantedEvents::parse(""), Some(WantedEvents::default()));
    assert!(WantedEvents::default().holds(FeedKind::Viewed));
    assert_eq!(WantedEvents::parse("issued,sold"), None);
    for why in [Disabled::ByPartner, Disabled::Gone, Disabled::Failing] {
        assert_eq!(Disabled::parse(why.word()), Some(why));
    }
}
