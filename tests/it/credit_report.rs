//! Who brought what: the house's report, which adds up to the unit, against what partners and creators see of themselves.

use crate::harness::on_both;

on_both! {
    partners_creators_and_the_house_split_a_campaign_exactly,
    every_grouping_adds_up_to_the_same_total,
    a_partners_line_is_the_sum_of_its_own_daily_reports_also_without_its_grant,
    a_creators_line_is_what_her_desk_shows,
    a_report_is_of_its_days_in_the_zone_of_the_campaign,
    campaigns_of_two_currencies_have_lines_and_totals_of_their_own,
    a_report_read_while_codes_go_out_credits_the_house_with_nothing_that_is_a_partners,
    wrong_questions_are_told_what_to_mend,
}

mod bodies {
    use crate::apply::written::{SENDER, apply};
    use crate::harness::{House, TestPartner};
    use crate::partners::doors::{Answer, Doors};
    use axum::body::Body;
    use axum::http::{Request, header};
    use chrono::{Duration, TimeZone, Utc};
    use codewell::domain::partner::{Edit, Grant, Rate};
    use codewell::engine::CreatorIn;
    use insta::{allow_duplicates, assert_snapshot};
    use serde_json::{Value, json};
    use std::sync::Arc;
    use tokio::task::JoinSet;

    /// The phone that stands for Emma's own number, +1 202 555 0107.
    const HERSELF: u64 = 5_550_107;
    /// The phone that stands for +1 202 555 0110, whom the house served before a partner asks.
    const SERVED: u64 = 5_550_110;
    /// All days of these tests.
    const DAYS: &str = "from=2026-11-20&to=2026-11-21";
    /// Two creators earn by PIZZA, and partners see whom others served; TACOS is sold for euros.
    const CAMPAIGNS: &str = r#"
[[campaign]]
name = "PIZZA"
zone = "America/New_York"
offer = { type = "amount_off", value = 500 }
code.pattern = "PZA-????-????*"
pool = { source = "generate", size = 1000 }
keywords.main = "PIZZA"
partners.served_before = "show"
creators.anna = { cap = 20, commission = { percent = 10 } }
creators.emma = { cap = 20, commission = { percent = 10 } }

[[campaign]]
name = "TACOS"
offer = { type = "amount_off", value = 300, currency = "EUR" }
code.pattern = "TAC-????-????*"
pool = { source = "generate", size = 100 }
keywords.main = "TACOS"
"#;

    /// A house with its campaigns, two creators and two partners.
    struct Shop {
        house: House,
        doors: Doors,
        till: String,
        acme: TestPartner,
        other: TestPartner,
    }

    impl Shop {
        async fn open(house: House) -> Self {
            for (handle, phone) in [("emma", Some("+12025550107")), ("anna", None)] {
                let (handle, phone) = (handle.to_owned(), phone.map(str::to_owned));
                let wanted = CreatorIn { name: handle.clone(), handle, phone, disclosure: None };
                house.engine.add_creator(&wanted).await.unwrap();
            }
            apply(&house, &format!("{SENDER}{CAMPAIGNS}")).await;
            let (pizza, tacos) =
                (house.engine.campaign("PIZZA").await.unwrap().id, house.engine.campaign("TACOS").await.unwrap().id);
            let acme = house.partner("acme-deals", &[Grant::free(pizza), Grant::free(tacos)]).await;
            let other = house.partner("other-deals", &[Grant { total: Some(1), ..Grant::free(pizza) }]).await;
            let fast = Edit::Rate(Some(Rate { per_second: 100_000, burst: 100_000 }));
            house.engine.change_partner(&acme.client, &[fast]).await.unwrap();
            let till = house.engine.create_till_key("Store 17").await.unwrap().expose().to_owned();
            Self { doors: Doors::open(&house).await, house, till, acme, other }
        }

        async fn ask(&self, method: &str, path: &str, key: &str, body: Option<Value>) -> Answer {
            let request = Request::builder().method(method).uri(path).header("idempotency-key", self.house.key());
            let request = request.header(header::CONTENT_TYPE, "application/json");
            let request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
            let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
            self.doors.send(request.body(body).unwrap()).await
        }

        /// A partner asks for a customer's code.
        async fn give(&self, by: &TestPartner, campaign: &str, customer: Value) -> Answer {
            let body = json!({ "campaign": campaign, "customer": customer });
            self.ask("POST", "/v1/issuances", &by.token, Some(body)).await
        }

        async fn code_of(&self, by: &TestPartner, campaign: &str, reference: &str) -> String {
            let answer = self.give(by, campaign, json!({ "reference": reference })).await;
            assert!(answer.status.is_success(), "{}", answer.body);
            answer.json()["code"].as_str().unwrap().to_owned()
        }

        /// A partner pulls codes and reads them all.
        async fn pull(&self, by: &TestPartner, count: u64) -> Vec<String> {
            let body = json!({ "campaign": "PIZZA", "count": count, "mode": "all_or_nothing" });
            let made = self.ask("POST", "/v1/allocations", &by.token, Some(body)).await;
            let id = made.json()["id"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned();
            let codes = self.ask("GET", &format!("/v1/allocations/{id}/codes"), &by.token, None).await.json();
            codes["data"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
        }

        /// Somebody texts a word, and has the code that comes.
        async fn text(&self, phone: u64, word: &str) -> String {
            let spot = self.house.text(phone, word).await.unwrap().outcome.spot().expect("a code");
            self.house.engine.code_at(spot).await.unwrap().unwrap().expose().to_owned()
        }

        /// The till takes a code; the redemption's id.
        async fn sell(&self, code: &str, amount: i64) -> String {
            let body = json!({ "code": code, "amount": amount, "currency": "USD" });
            let answer = self.ask("POST", "/v1/codes/redeem", &self.till, Some(body)).await;
            answer.json()["redemption_id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
        }

        /// The till gives a use back.
        async fn take_back(&self, redemption: &str) {
            let path = format!("/v1/redemptions/{redemption}/rollback");
            let answer = self.ask("POST", &path, &self.till, Some(json!({ "reason": "returned" }))).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }

        /// Everything that these tests count, on two days.
        async fn trade(&self) {
            let served = self.text(SERVED, "PIZZA").await;
            let [a, b] = [self.code_of(&self.acme, "PIZZA", "a").await, self.code_of(&self.acme, "PIZZA", "b").await];
            assert_eq!(self.code_of(&self.acme, "PIZZA", "a").await, a);
            let assist = self.give(&self.acme, "PIZZA", json!({ "phone": "+12025550110" })).await;
            assert_eq!(assist.json()["attribution"], "assist", "{}", assist.body);
            let pulled = self.pull(&self.acme, 3).await;
            let others = self.code_of(&self.other, "PIZZA", "a").await;
            assert_eq!(self.give(&self.other, "PIZZA", json!({ "reference": "b" })).await.status, 409);

            let [one, two] = [self.text(1, "EMMA").await, self.text(2, "EMMA").await];
            let three = self.text(3, "ANNA").await;
            assert_eq!((self.text(1, "EMMA").await, self.text(1, "ANNA").await), (one.clone(), one.clone()));
            let own = self.text(HERSELF, "EMMA").await;
            let [eleven, _] = [self.text(11, "PIZZA").await, self.text(12, "PIZZA").await];
            self.text(11, "PIZZA").await;

            for (code, amount) in [(&a, 2_500), (&pulled[1], 700), (&others, 1_500), (&one, 3_000), (&three, 555)] {
                self.sell(code, amount).await;
            }
            self.sell(&own, 5_000).await;
            self.sell(&served, 800).await;
            let undone = [self.sell(&b, 1_000).await, self.sell(&two, 1_999).await];
            self.house.clock.forward(Duration::days(1));
            for sale in &undone {
                self.take_back(sale).await;
            }
            self.sell(&eleven, 900).await;
        }

        async fn report(&self, query: &str) -> Answer {
            self.doors.house("GET", &format!("/reports/credit?{query}"), None).await
        }

        async fn data(&self, query: &str) -> Vec<Value> {
            let answer = self.report(query).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.json()["data"].as_array().unwrap().clone()
        }

        /// One party's line of one currency.
        async fn line(&self, query: &str, name: &str, currency: &str) -> Value {
            let lines = self.data(query).await;
            let found = lines.iter().find(|one| one["name"] == name && one["currency"] == currency);
            found.unwrap_or_else(|| panic!("{name} has no line: {lines:?}")).clone()
        }
    }

    const MEASURES: [&str; 8] =
        ["issued", "repeats", "assists", "refused", "redeemed", "rolled_back", "revenue", "commission"];

    /// The sum of a measure over lines; what a line leaves out is nothing.
    fn sum(lines: &[Value], measure: &str) -> i64 {
        lines.iter().map(|line| line[measure].as_i64().unwrap_or(0)).sum()
    }

    pub(super) async fn partners_creators_and_the_house_split_a_campaign_exactly(house: House) {
        let shop = Shop::open(house).await;
        shop.trade().await;
        let table = shop.report(&format!("{DAYS}&campaign=PIZZA&format=csv")).await;
        assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(table.header("content-disposition"), "attachment; filename=\"credit.csv\"");
        allow_duplicates! { assert_snapshot!(table.body, @r"
        kind,name,issued,repeats,assists,refused,redeemed,rolled_back,revenue,commission,currency
        partner,acme-deals,5,1,1,0,3,1,3200,,USD
        partner,other-deals,1,0,0,1,1,0,1500,,USD
        creator,anna,1,0,1,0,1,0,555,56,USD
        creator,emma,2,1,0,0,2,1,3000,300,USD
        house,,4,1,0,0,3,0,6700,,USD
        total,,13,3,2,1,10,2,14955,356,USD
        ") };
        let emma = shop.line(&format!("{DAYS}&by=creator"), "emma", "USD").await;
        allow_duplicates! { assert_snapshot!(format!("{emma:#}"), @r#"
        {
          "assists": 0,
          "commission": 300,
          "currency": "USD",
          "issued": 2,
          "kind": "creator",
          "name": "emma",
          "redeemed": 2,
          "refused": 0,
          "repeats": 1,
          "revenue": 3000,
          "rolled_back": 1
        }
        "#) };
        shop.house.audited().await;
    }

    pub(super) async fn every_grouping_adds_up_to_the_same_total(house: House) {
        let shop = Shop::open(house).await;
        shop.trade().await;
        let whole = shop.report(DAYS).await.json()["totals"].clone();
        for (by, kinds) in [
            ("party", &["partner", "partner", "creator", "creator", "house"][..]),
            ("partner", &["partner", "partner", "creators", "house"]),
            ("creator", &["partners", "creator", "creator", "house"]),
        ] {
            let report = shop.report(&format!("{DAYS}&by={by}")).await.json();
            let lines = report["data"].as_array().unwrap().clone();
            assert_eq!(lines.iter().map(|one| one["kind"].as_str().unwrap()).collect::<Vec<_>>(), kinds, "{by}");
            assert_eq!(report["totals"], whole, "{by}");
            for measure in MEASURES {
                assert_eq!(sum(&lines, measure), whole[0][measure].as_i64().unwrap(), "{measure} by {by}");
            }
        }
        let report = shop.report(&format!("{DAYS}&by=channel")).await.json();
        let lines = report["data"].as_array().unwrap().clone();
        assert_eq!(lines.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(), ["sms", "api"]);
        for measure in ["issued", "refused", "redeemed", "rolled_back", "revenue"] {
            assert_eq!(sum(&lines, measure), whole[0][measure].as_i64().unwrap(), "{measure} by channel");
            assert_eq!(report["totals"][0][measure], whole[0][measure], "{measure} by channel");
        }
        let helped = sum(&[whole[0].clone()], "repeats") + sum(&[whole[0].clone()], "assists");
        assert_eq!((sum(&lines, "repeats"), lines[0].get("assists")), (helped, None));
    }

    pub(super) async fn a_partners_line_is_the_sum_of_its_own_daily_reports_also_without_its_grant(house: House) {
        let shop = Shop::open(house).await;
        shop.code_of(&shop.acme, "TACOS", "a").await;
        shop.trade().await;
        for turn in ["with its grants", "without one"] {
            for (partner, currency) in [(&shop.acme, "USD"), (&shop.acme, "EUR"), (&shop.other, "USD")] {
                let name = partner.client.as_str();
                let token = shop.house.token(name, &partner.secret).await;
                let daily = shop.ask("GET", &format!("/v1/reports/daily?{DAYS}"), &token, None).await.json();
                let days = daily["data"].as_array().unwrap().iter().filter(|one| one["currency"] == currency);
                let days: Vec<_> = days.cloned().collect();
                let line = shop.line(&format!("{DAYS}&by=partner"), name, currency).await;
                for measure in &MEASURES[..7] {
                    assert_eq!(sum(&days, measure), line[measure].as_i64().unwrap(), "{name} {measure} {turn}");
                }
                assert!(sum(&days, "issued") > 0 && line.get("commission").is_none(), "{name} {turn}: {line}");
            }
            let lost = shop.doors.admin("DELETE", "/acme-deals/grants/PIZZA", None).await;
            assert_eq!(lost.json()["grants"], json!([{ "campaign": "TACOS" }]), "{}", lost.body);
        }
    }

    pub(super) async fn a_creators_line_is_what_her_desk_shows(house: House) {
        let shop = Shop::open(house).await;
        shop.trade().await;
        for handle in ["anna", "emma"] {
            let row = shop.house.engine.creator(handle).await.unwrap().row;
            let desk = shop.house.engine.desk_report(&row, "PIZZA", 2).await.unwrap().unwrap();
            let (_, earned, _) = desk.commission.unwrap();
            let line = shop.line(&format!("{DAYS}&by=creator&campaign=PIZZA"), handle, "USD").await;
            let number = |measure: &str| line[measure].as_i64().unwrap();
            let shown = [desk.now.issued, desk.now.assists, desk.now.redeemed, desk.now.revenue];
            let kept = number("redeemed") - number("rolled_back");
            assert_eq!([number("issued"), number("assists"), kept, number("revenue")], shown, "{handle}");
            assert_eq!(number("commission"), earned.pending + earned.confirmed, "{handle}");
            assert!(desk.now.redeemed > 0 && number("commission") > 0, "{handle}: {line}");
        }
    }

    pub(super) async fn a_report_is_of_its_days_in_the_zone_of_the_campaign(house: House) {
        let shop = Shop::open(house).await;
        // A quarter of an hour before and after midnight in New York, which is 05:00 UTC.
        for (minute, phone) in [(45, 1), (60, 2)] {
            shop.house.clock.set(Utc.with_ymd_and_hms(2026, 11, 21, 4, 0, 0).unwrap() + Duration::minutes(minute));
            shop.text(phone, "EMMA").await;
        }
        for day in ["2026-11-20", "2026-11-21"] {
            let line = shop.line(&format!("from={day}&to={day}"), "emma", "USD").await;
            assert_eq!(line["issued"], 1, "{day}");
        }
        for day in ["2026-11-19", "2026-11-22"] {
            let empty = shop.report(&format!("from={day}&to={day}")).await.json();
            assert_eq!(empty, json!({ "data": [], "totals": [] }), "{day}");
        }
    }

    pub(super) async fn campaigns_of_two_currencies_have_lines_and_totals_of_their_own(house: House) {
        let shop = Shop::open(house).await;
        shop.code_of(&shop.acme, "PIZZA", "a").await;
        shop.code_of(&shop.acme, "TACOS", "a").await;
        let code = shop.text(1, "TACOS").await;
        let body = json!({ "code": code, "amount": 450, "currency": "EUR" });
        assert_eq!(shop.ask("POST", "/v1/codes/redeem", &shop.till, Some(body)).await.status, 201);
        let table = shop.report(&format!("{DAYS}&format=csv")).await.body;
        allow_duplicates! { assert_snapshot!(table, @r"
        kind,name,issued,repeats,assists,refused,redeemed,rolled_back,revenue,commission,currency
        partner,acme-deals,1,0,0,0,0,0,0,,EUR
        partner,acme-deals,1,0,0,0,0,0,0,,USD
        house,,1,0,0,0,1,0,450,,EUR
        total,,2,0,0,0,1,0,450,0,EUR
        total,,1,0,0,0,0,0,0,0,USD
        ") };
        let tacos = shop.data(&format!("{DAYS}&campaign=TACOS")).await;
        assert!(tacos.len() == 2 && tacos.iter().all(|one| one["currency"] == "EUR"), "{tacos:?}");
    }

    pub(super) async fn a_report_read_while_codes_go_out_credits_the_house_with_nothing_that_is_a_partners(
        house: House,
    ) {
        let shop = Arc::new(Shop::open(house).await);
        let mut tasks = JoinSet::new();
        for n in 0..200 {
            let shop = Arc::clone(&shop);
            tasks.spawn(async move { shop.code_of(&shop.acme, "PIZZA", &n.to_string()).await });
        }
        let mut answered = 0;
        while let Some(code) = tasks.join_next().await {
            code.unwrap();
            answered += 1;
            let lines = shop.data(DAYS).await;
            let kinds: Vec<_> = lines.iter().map(|one| one["kind"].clone()).collect();
            assert_eq!(kinds, ["partner"], "nothing is the house's: {lines:?}");
            assert!((answered..=200).contains(&sum(&lines, "issued")), "what was answered is counted: {lines:?}");
        }
        assert_eq!(answered, 200);
    }

    pub(super) async fn wrong_questions_are_told_what_to_mend(house: House) {
        let shop = Shop::open(house).await;
        for (query, status, code, words) in [
            ("from=2026-11-21&to=2026-11-20", 400, "invalid_request", "2026-11-21 comes after 2026-11-20"),
            ("from=2026-01-01&to=2026-04-03", 400, "invalid_request", "93 days together, at most 92"),
            ("from=2026-11-31&to=2026-12-01", 400, "invalid_request", "from"),
            ("from=2026-11-20", 400, "invalid_request", "to"),
            ("from=2026-11-20&to=2026-11-20&by=keyword", 400, "invalid_request", "keyword"),
            ("from=2026-11-20&to=2026-11-20&partner=acme-deals", 400, "invalid_request", "partner"),
            ("from=2026-11-20&to=2026-11-20&format=xml", 400, "invalid_request", "xml"),
            ("from=2026-11-20&to=2026-11-20&campaign=PIZZZA", 404, "not_found", "no such campaign"),
        ] {
            let answer = shop.report(query).await;
            let said = answer.json();
            assert_eq!((answer.status.as_u16(), &said["code"]), (status, &json!(code)), "{query}: {said}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{query}");
            assert!(answer.body.contains(words), "{query}: {said}");
        }
        assert_eq!(shop.report("from=2026-01-01&to=2026-04-02").await.status, 200, "92 days are not too many");
    }
}
