//! Codes of a pull as they leave by the front door: in every form, from any position, and cut in the middle.

use crate::harness::on_both;

on_both! {
    a_pull_leaves_in_every_form_and_from_any_position,
    a_stream_that_is_dropped_gives_back_what_never_left_and_nothing_that_did,
    an_acknowledged_pull_is_read_whole_after_its_lease,
}

mod bodies {
    use super::super::api::Api;
    use crate::harness::{House, campaign};
    use chrono::Duration;
    use codewell::domain::ids::CampaignId;
    use codewell::domain::partner::{Grant, PartnerScope};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use tokio_stream::StreamExt as _;

    async fn pull(api: &Api, key: &str, count: usize) -> String {
        let ask = json!({ "campaign": "C1", "count": count, "mode": "all_or_nothing" });
        let made = api.post("/v1/allocations", key, &ask).await;
        assert_eq!(made.status, 201, "{made:?}");
        format!("/v1/allocations/{}", made.json()["id"].as_str().unwrap())
    }

    /// The rows of NDJSON that are whole.
    fn rows(text: &str) -> Vec<(u64, String)> {
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line).unwrap();
            (row["no"].as_u64().unwrap(), row["code"].as_str().unwrap().to_owned())
        };
        whole.lines().map(row).collect()
    }

    pub(super) async fn a_pull_leaves_in_every_form_and_from_any_position(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[Grant::free(CampaignId(1))]).await;
        let place = pull(&api, "k1", 120).await;
        let lines = api.get(&format!("{place}/codes?format=ndjson")).await;
        let codes = rows(&lines.body);
        assert_eq!(codes.iter().map(|(no, _)| *no).collect::<Vec<_>>(), (1..=120).collect::<Vec<_>>());
        assert_eq!(codes.iter().map(|(_, code)| code).collect::<BTreeSet<_>>().len(), 120, "no code twice");
        let whole = api.get(&format!("{place}/codes")).await.json();
        let as_json: Vec<_> = codes.iter().map(|(no, code)| json!({ "no": no, "code": code })).collect();
        assert_eq!(whole["data"], Value::from(as_json));
        let table = api.get(&format!("{place}/codes?format=csv")).await.body;
        let as_csv: Vec<_> = codes.iter().map(|(no, code)| format!("{no},{code}\r\n")).collect();
        assert_eq!(table, format!("no,code\r\n{}", as_csv.concat()));
        let rest = api.get(&format!("{place}/codes?format=ndjson&after=70")).await;
        assert_eq!(rows(&rest.body), codes[70..]);
        let beyond = api.get(&format!("{place}/codes?format=ndjson&after=120")).await;
        assert_eq!((beyond.status, beyond.body.as_str()), (200, ""));
        assert_eq!(api.house.number("SELECT COUNT(*) FROM issuance").await, 120, "once, however often it is read");
        api.house.audited().await;
    }

    pub(super) async fn a_stream_that_is_dropped_gives_back_what_never_left_and_nothing_that_did(house: House) {
        campaign(1).size(6_000).write(&house).await;
        let api = Api::open(house, &[Grant::free(CampaignId(1))]).await;
        let place = pull(&api, "k1", 5_000).await;
        let mut body = api.body(&format!("{place}/codes?format=ndjson")).await.into_data_stream();
        let mut text = String::new();
        while rows(&text).len() < 1_777 {
            text.push_str(std::str::from_utf8(&body.next().await.expect("there is more").unwrap()).unwrap());
        }
        drop(body);
        let seen: BTreeSet<_> = rows(&text).into_iter().map(|(_, code)| code).collect();
        let out = usize::try_from(api.get(&place).await.json()["streamed"].as_u64().unwrap()).unwrap();
        assert!((seen.len()..=seen.len() + 50).contains(&out), "{out} of {}: at most a piece ahead", seen.len());
        api.house.clock.forward(Duration::days(8));
        api.house.engine.end_leases().await.unwrap();
        let api = api.with_token(api.token_without(PartnerScope::Webhooks).await);
        assert_eq!(api.get(&format!("{place}/codes")).await.status, 409, "its time is over");
        let rest = pull(&api, "k2", 6_000 - out).await;
        let again = rows(&api.get(&format!("{rest}/codes?format=ndjson")).await.body);
        assert_eq!(again.len(), 6_000 - out, "everything that never left is there");
        assert!(again.iter().all(|(_, code)| !seen.contains(code)), "and nothing that did");
        api.house.audited().await;
    }
    pub(super) async fn an_acknowledged_pull_is_read_whole_after_its_lease(house: House) {
        campaign(1).write(&house).await;
        let api = Api::open(house, &[Grant::free(CampaignId(1))]).await;
        let place = pull(&api, "k1", 120).await;
        let lines = api.get(&format!("{place}/codes?format=json")).await;
        assert_eq!(api.post(&format!("{place}/ack"), "k2", &json!({ "count": 120 })).await.status, 200);
        api.house.clock.forward(Duration::days(2));
        api.house.engine.end_leases().await.unwrap();
        let api = api.with_token(api.house.token_of("acme-deals").await);
        assert_eq!(api.get(&format!("{place}/codes?format=json")).await.body, lines.body);
        api.house.audited().await;
    }
}
