use super::*;
use crate::domain::ids::from_millis;

const ONE: SenderId = SenderId(1);
const TWO: SenderId = SenderId(2);

/// Lanes whose messages are numbers, and a clock.
struct Line {
    lanes: Lanes<u8, u8>,
    now: Instant,
    rates: [Option<f64>; 2],
}

impl Line {
    fn new(in_flight: usize, rates: [Option<f64>; 2]) -> Self {
        Self { lanes: Lanes::new(in_flight), now: Instant::now(), rates }
    }

    fn key(priority: Priority, id: u8) -> Key {
        (priority, from_millis(id.into()), [id; 16])
    }

    fn push(&mut self, sender: SenderId, priority: Priority, id: u8) {
        self.lanes.push(sender, Self::key(priority, id), id, self.now, |_, _| {});
        while let Some((sender, key, what)) = self.lanes.prepare() {
            let ready = Ready { account: "acme".to_owned(), rates: self.rates, segments: 1, what };
            self.lanes.prepared(sender, key, Some(ready));
        }
    }

    /// The message that leaves now, if one may; it stays under way.
    fn starts(&mut self) -> Option<(SenderId, Key)> {
        match self.lanes.next(self.now) {
            Next::Go { sender, key, .. } => Some((sender, key)),
            Next::At(_) => None,
        }
    }

    /// The same, and it ends at once.
    fn sends(&mut self, news: News) -> Option<u8> {
        let (sender, key) = self.starts()?;
        self.lanes.left(sender, key, "acme", news, self.now);
        Some(key.2[0])
    }

    /// Everything that leaves until nothing waits for time any more.
    fn drain(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        loop {
            if let Some(id) = self.sends(News::Works) {
                sent.push(id);
                continue;
            }
            match self.lanes.next(self.now) {
                Next::At(Some(at)) => self.now = at,
                Next::At(None) | Next::Go { .. } => return sent,
            }
        }
    }
}

#[test]
fn the_most_urgent_leaves_first_whichever_came_first() {
    let mut line = Line::new(4, [Some(10.0), None]);
    let order = [Priority::Bulk, Priority::Reminder, Priority::Prompt, Priority::Reply, Priority::Compliance];
    for (id, priority) in (1..).zip(order) {
        line.push(ONE, priority, id);
    }
    assert_eq!(line.drain(), [5, 4, 3, 2, 1]);
}

#[test]
fn an_answer_to_stop_finds_a_place_behind_any_backlog() {
    let mut line = Line::new(1, [None, None]);
    for id in 1..50 {
        line.push(ONE, Priority::Bulk, id);
    }
    line.push(ONE, Priority::Compliance, 50);
    assert_eq!(line.sends(News::Works), Some(50));
}

#[test]
fn numbers_of_one_account_take_turns_however_long_their_queues_are() {
    let mut line = Line::new(8, [None, Some(10.0)]);
    for id in 1..=6 {
        line.push(ONE, Priority::Reply, id);
    }
    for id in 11..=13 {
        line.push(TWO, Priority::Reply, id);
    }
    assert_eq!(line.drain(), [1, 11, 2, 12, 3, 13, 4, 5, 6]);
}

#[test]
fn what_the_urgent_waits_for_is_not_taken_by_others_of_its_account() {
    let mut line = Line::new(8, [None, Some(1.0)]);
    line.push(TWO, Priority::Bulk, 1);
    assert_eq!(line.sends(News::Works), Some(1));
    line.push(TWO, Priority::Bulk, 2);
    line.push(ONE, Priority::Reply, 3);
    assert_eq!(line.sends(News::Works), None);
    assert_eq!(line.drain(), [3, 2]);
}

#[test]
fn a_number_that_is_out_of_segments_does_not_hold_up_another() {
    let mut line = Line::new(8, [Some(1.0), None]);
    line.push(ONE, Priority::Reply, 1);
    line.push(ONE, Priority::Reply, 2);
    line.push(TWO, Priority::Bulk, 3);
    assert_eq!(line.sends(News::Works), Some(1));
    assert_eq!(line.sends(News::Works), Some(3));
    assert_eq!(line.sends(News::Works), None);
}

#[test]
fn while_bulk_runs_an_answer_leaves_at_once() {
    let mut line = Line::new(8, [Some(100.0), None]);
    let start = line.now;
    for id in 1..=40 {
        line.push(ONE, Priority::Bulk, id);
        assert!(line.drain().contains(&id));
    }
    let took = line.now - start;
    assert!(took >= Duration::from_millis(399), "{took:?} for 32 segments at 80 a second after 8 at once");
    line.push(ONE, Priority::Reply, 99);
    assert_eq!(line.sends(News::Works), Some(99));
}

#[test]
fn no_more_calls_are_open_at_an_account_than_allowed() {
    let mut line = Line::new(2, [None, None]);
    for id in 1..=4 {
        line.push(ONE, Priority::Reply, id);
    }
    let (sender, key) = line.starts().unwrap_or_else(|| unreachable!("nothing is open"));
    assert!(line.starts().is_some());
    assert!(line.starts().is_none());
    line.lanes.left(sender, key, "acme", News::Works, line.now);
    assert!(line.starts().is_some());
}

#[test]
fn a_broken_account_keeps_its_queue_and_is_tried_by_one_message_a_minute_until_it_works() {
    let mut line = Line::new(8, [None, None]);
    for id in 1..=5 {
        line.push(ONE, Priority::Reply, id);
    }
    assert_eq!(line.sends(News::Broken), Some(1));
    assert_eq!(line.sends(News::Works), None);
    line.now += PROBE;
    assert!(line.starts().is_some());
    assert!(line.starts().is_none(), "one message tries it");
    line.lanes.left(ONE, Line::key(Priority::Reply, 2), "acme", News::Broken, line.now);
    assert_eq!(line.sends(News::Works), None);
    line.now += PROBE;
    assert_eq!(line.drain(), [3, 4, 5]);
}

#[test]
fn a_message_that_ends_before_its_call_does_not_use_up_the_minutes_try() {
    let mut line = Line::new(8, [None, None]);
    for id in 1..=3 {
        line.push(ONE, Priority::Reply, id);
    }
    assert_eq!(line.sends(News::Broken), Some(1));
    line.now += PROBE;
    assert_eq!(line.sends(News::Nothing), Some(2));
    assert_eq!(line.sends(News::Works), Some(3));
}

#[test]
fn a_broken_account_with_nothing_to_send_is_asked_once_a_minute() {
    let mut line = Line::new(8, [None, None]);
    line.push(ONE, Priority::Reply, 1);
    assert_eq!(line.sends(News::Broken), Some(1));
    assert_eq!(line.lanes.checks(line.now), []);
    line.now += PROBE;
    assert_eq!(line.lanes.checks(line.now), [ONE]);
    assert_eq!(line.lanes.checks(line.now), [], "it is being asked");
    line.lanes.learn(ONE, News::Works, line.now);
    line.push(ONE, Priority::Reply, 2);
    assert_eq!(line.sends(News::Works), Some(2));
}

#[test]
fn a_carrier_that_asks_to_wait_is_left_alone_by_the_whole_queue() {
    let mut line = Line::new(8, [None, None]);
    line.push(ONE, Priority::Reply, 1);
    line.push(ONE, Priority::Compliance, 2);
    assert_eq!(line.sends(News::Slow(Duration::from_secs(7))), Some(2));
    line.now += Duration::from_millis(6_999);
    assert_eq!(line.sends(News::Works), None);
    line.now += Duration::from_millis(1);
    assert_eq!(line.sends(News::Works), Some(1));
}

#[test]
fn a_message_under_way_is_not_taken_up_twice() {
    let mut line = Line::new(8, [None, None]);
    line.push(ONE, Priority::Reply, 1);
    let (sender, key) = line.starts().unwrap_or_else(|| unreachable!("nothing is open"));
    line.push(ONE, Priority::Reply, 1);
    assert!(line.starts().is_none());
    line.lanes.left(sender, key, "acme", News::Works, line.now);
    assert!(line.starts().is_none());
}
