//! Vonage's long texts at the door: a part is acknowledged with its whole and not before.

use crate::harness::on_both;

on_both! {
    a_part_is_acknowledged_only_when_its_whole_is_settled,
    a_crash_between_two_parts_loses_neither,
    parts_at_two_processes_meet_when_they_come_again,
}

mod bodies {
    use super::super::signers::{Wire, sign};
    use crate::harness::{House, campaign, keyword};
    use axum::Router;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use codewell::domain::secret::Secret;
    use codewell::engine::{Clock as _, EarlyReports};
    use codewell::http::sms::SmsDoor;
    use codewell::net::{Client, Limits};
    use codewell::sms::{Account, Registry};
    use serde_json::json;
    use std::time::Duration;
    use tower::ServiceExt as _;

    const SECRET: &str = "vec0signature0secret0made0up0long0enough0x";
    const ACK: StatusCode = StatusCode::OK;
    const AGAIN: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

    /// A number of ours at Vonage and the campaign behind it.
    async fn write(house: &House) {
        let document = json!({"address": "12345", "carrier": "vonage", "brand": "Acme", "help": "acme.example/help"});
        house.sql(&format!("INSERT INTO sender VALUES (1, '12345', 'vonage', 'Acme', '{document}')")).await;
        campaign(1).write(house).await;
    }

    /// The door of a process that has just started: it remembers no part.
    fn door(house: &House) -> Router {
        let keys = [("api_key", "abcd1234"), ("api_secret", "made-up"), ("signature_secret", SECRET)];
        let account = Account {
            name: "vonage".to_owned(),
            kind: "vonage".to_owned(),
            base_url: None,
            keys: keys.map(|(key, value)| (key.to_owned(), Secret::new(value.to_owned()))).into(),
        };
        let second = Duration::from_secs(1);
        let client = Client::new(Limits { connect: second, total: second, answer_bytes: 1 << 20 }).unwrap();
        let carriers = Registry::default().with(Registry::open(&account, &client).unwrap());
        let door = SmsDoor { engine: house.engine.clone(), carriers, early: EarlyReports::default() };
        codewell::http::sms::routes().with_state(door)
    }

    /// Posts the first or the second part of a long text with a keyword in the first.
    async fn part(house: &House, door: &Router, number: u8) -> StatusCode {
        let text = if number == 1 { format!("{} please, ", keyword(1)) } else { "and thank you".to_owned() };
        let body = json!({"msisdn": "12025550123", "to": "12345", "messageId": format!("0A{number}"), "text": text,
            "type": "text", "concat": "true", "concat-ref": "7", "concat-total": "2", "concat-part": number.to_string()});
        let mut wire = Wire {
            method: "POST".to_owned(),
            url: "https://coupons.acme.example/sms/12345/inbound".to_owned(),
            query: String::new(),
            headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
            body: body.to_string().into_bytes(),
        };
        sign("vonage", &mut wire, SECRET, house.clock.now().timestamp());
        let request = Request::post("/sms/12345/inbound").header("content-type", "application/json");
        let response = door.clone().oneshot(request.body(Body::from(wire.body)).unwrap()).await.unwrap();
        response.status()
    }

    async fn settled(house: &House) -> (i64, i64) {
        let requests = house.number("SELECT count(*) FROM request").await;
        (requests, house.number("SELECT count(*) FROM issuance").await)
    }

    pub(super) async fn a_part_is_acknowledged_only_when_its_whole_is_settled(house: House) {
        write(&house).await;
        let door = door(&house);
        assert_eq!(part(&house, &door, 2).await, AGAIN);
        assert_eq!(part(&house, &door, 2).await, AGAIN);
        assert_eq!(settled(&house).await, (0, 0));
        assert_eq!(part(&house, &door, 1).await, ACK);
        assert_eq!(settled(&house).await, (1, 1));
        for number in [2, 1, 2] {
            assert_eq!(part(&house, &door, number).await, ACK);
        }
        assert_eq!(settled(&house).await, (1, 1));
        house.audited().await;
    }

    pub(super) async fn a_crash_between_two_parts_loses_neither(house: House) {
        write(&house).await;
        assert_eq!(part(&house, &door(&house), 1).await, AGAIN);
        let restarted = door(&house);
        assert_eq!(part(&house, &restarted, 2).await, AGAIN, "the first was not acknowledged and comes again");
        assert_eq!(part(&house, &restarted, 1).await, ACK);
        assert_eq!(settled(&house).await, (1, 1));
        // Crashed again, after the whole was settled and before the second part was acknowledged.
        let restarted = door(&house);
        assert_eq!(part(&house, &restarted, 1).await, AGAIN);
        house.clock.forward(chrono::TimeDelta::seconds(60));
        assert_eq!(part(&house, &restarted, 1).await, ACK, "its name is settled");
        assert_eq!(settled(&house).await, (1, 1));
        house.audited().await;
    }

    pub(super) async fn parts_at_two_processes_meet_when_they_come_again(house: House) {
        write(&house).await;
        let second = house.second().await;
        let doors = [door(&house), door(&second)];
        let [one, two] = &doors;
        assert_eq!(part(&house, one, 1).await, AGAIN);
        assert_eq!(part(&house, two, 2).await, AGAIN);
        assert_eq!(part(&house, two, 1).await, ACK);
        assert_eq!(part(&house, one, 2).await, ACK);
        assert_eq!(settled(&house).await, (1, 1));
        house.audited().await;
    }
}
