//! Campaigns for tests, written as rows.

use super::House;
use codewell::domain::ids::millis;
use codewell::engine::Clock;
use sea_orm::ConnectionTrait;

/// A campaign with a derived pool.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) id: u32,
    pub(crate) size: u64,
    /// JSON members that replace or add to the document's.
    pub(crate) document: serde_json::Value,
    pub(crate) caps: Vec<CapRow>,
}

/// A cap: over what, adding up what, in which window, and the most.
#[derive(Debug, Clone)]
pub(crate) struct CapRow {
    scope: &'static str,
    /// A channel, a keyword, or the number of a placement or a creator.
    scope_id: String,
    unit: &'static str,
    window: &'static str,
    cap: i64,
}

/// The length of the rolling window of tests: an hour.
const ROLLING_MS: i64 = 3_600_000;

/// A campaign of a million codes with at most one a person.
pub(crate) fn campaign(id: u32) -> Fixture {
    let bare = Fixture { id, size: 1_000_000, document: serde_json::json!({}), caps: Vec::new() };
    bare.cap("person", "count", "lifetime", 1)
}

/// The keyword of a campaign: WORDB leads to campaign 1.
pub(crate) fn keyword(id: u32) -> String {
    format!("WORD{}", letters(id))
}

/// B is campaign 1; from 26 on there are two letters.
fn letters(id: u32) -> String {
    let letter = |n: u32| char::from(b'A' + u8::try_from(n % 26).expect("a letter"));
    match id / 26 {
        0 => letter(id).to_string(),
        more => format!("{}{}", letter(more), letter(id)),
    }
}

impl CapRow {
    fn window_ms(&self) -> i64 {
        if self.window == "rolling" { ROLLING_MS } else { 0 }
    }

    /// Writes itself where a document has it.
    #[expect(clippy::indexing_slicing, reason = "JSON grows where it is indexed")]
    fn put_into(&self, caps: &mut serde_json::Value) {
        if self.scope == "creator" {
            // It stands in her part of the document.
            return;
        }
        let name = match (self.scope, self.window) {
            ("person", window) => window,
            (_, "lifetime") => "total",
            (_, "minute") => "per_minute",
            (_, window) => window,
        };
        let scope = match self.scope {
            scope @ ("person" | "campaign") => &mut caps[scope],
            "placement" => &mut caps["placement"][format!("P{}", self.scope_id)],
            scope => &mut caps[scope][&self.scope_id],
        };
        if self.unit == "money" {
            let major = format!("{}.{:02}", self.cap / 100, self.cap % 100);
            scope["money"][name] = major.into();
        } else if self.window == "rolling" {
            scope["rolling"] = serde_json::json!({"count": self.cap, "within": "PT1H"});
        } else {
            scope[name] = self.cap.into();
        }
    }
}

impl Fixture {
    pub(crate) fn size(mut self, size: u64) -> Self {
        self.size = size;
        self
    }

    pub(crate) fn document(mut self, document: serde_json::Value) -> Self {
        self.document = document;
        self
    }

    /// Adds a cap of the campaign or of each person.
    pub(crate) fn cap(self, scope: &'static str, unit: &'static str, window: &'static str, cap: i64) -> Self {
        self.cap_of(scope, "", unit, window, cap)
    }

    /// Adds a cap over a channel, a keyword or the placement of that number.
    pub(crate) fn cap_of(
        mut self,
        scope: &'static str,
        scope_id: &str,
        unit: &'static str,
        window: &'static str,
        cap: i64,
    ) -> Self {
        let scope_id = scope_id.to_owned();
        self.caps.push(CapRow { scope, scope_id, unit, window, cap });
        self
    }

    /// Without any cap.
    pub(crate) fn uncapped(mut self) -> Self {
        self.caps.clear();
        self
    }

    /// Its document, as `apply` would keep it.
    fn whole(&self, pattern: &str) -> serde_json::Value {
        let mut limits = serde_json::json!({"person": {}, "campaign": {}});
        for cap in &self.caps {
            cap.put_into(&mut limits);
        }
        let mut whole = serde_json::json!({
            "name": format!("C{}", self.id),
            "offer": {"type": "amount_off", "value": 500, "max_discount": 500},
            "code": {"pattern": pattern},
            "pool": {"source": "derive", "size": self.size},
            "keywords": {"sender": "12345", "main": keyword(self.id)},
            "caps": limits,
        });
        let base = whole.as_object_mut().expect("an object");
        for (key, value) in self.document.as_object().expect("an object").clone() {
            match (base.get_mut(&key).and_then(|old| old.as_object_mut()), value) {
                (Some(old), serde_json::Value::Object(new)) => old.extend(new),
                (_, value) => drop(base.insert(key, value)),
            }
        }
        whole
    }

    /// Its rows.
    fn rows(&self, now: i64, key: i64) -> Vec<String> {
        let (id, size, word) = (self.id, self.size, keyword(self.id));
        let first = if id < 26 { 'T' } else { 'U' };
        let pattern = format!("{first}{}-?????-?????*", letters(id));
        let whole = self.whole(&pattern);
        let zone = whole.get("zone").and_then(|zone| zone.as_str()).unwrap_or("UTC");
        let offer = serde_json::json!({"title": "$5 off", "type": "amount_off", "value": 500, "max_discount": 500, "currency": "USD", "terms": ""});
        let mut sql = vec![
            format!("INSERT INTO campaign VALUES ({id}, 'C{id}', 'live', 1)"),
            format!("INSERT INTO campaign_version VALUES ({id}, 1, 'live', '{whole}', {now})"),
            format!("INSERT INTO offer VALUES ({id}, 1, '{offer}')"),
            format!("INSERT INTO pool VALUES ({id}, 1, 1, 'derived', {key}, '{pattern}', {size}, {size}, 'house')"),
            format!("INSERT INTO stock (campaign_id, pool_no, last, first) VALUES ({id}, 1, {}, 0)", size - 1),
            format!(
                "INSERT INTO keyword (sender_id, word, campaign_id, keyword, placement_id) VALUES (1, '{word}', {id}, '{word}', 0)"
            ),
        ];
        for (cap_id, row) in (id * 100..).zip(&self.caps) {
            let ms = row.window_ms();
            let CapRow { scope, scope_id, unit, window, cap } = row;
            if *scope == "placement" {
                sql.push(format!("INSERT INTO placement (placement_id, campaign_id, name, cost_minor) VALUES ({scope_id}, {id}, 'P{scope_id}', 0)"));
            }
            sql.push(format!(
                "INSERT INTO cap VALUES ({cap_id}, {id}, '{scope}', '{scope_id}', '{unit}', '{window}', {ms}, '{zone}', {cap}, NULL)"
            ));
        }
        sql.push("UPDATE catalog SET version = version + 1".to_owned());
        sql
    }

    /// Writes it.
    pub(crate) async fn write(self, house: &House) {
        let key = codewell::domain::catalog::key_number(&house.engine.parts().keys);
        let tx = house.store.begin_change().await.expect("a change can begin");
        for statement in self.rows(millis(house.clock.now()), key) {
            tx.execute_unprepared(&statement).await.expect("the statement runs");
        }
        tx.commit().await.expect("the campaign is written");
        house.engine.fresh_catalog().await.expect("the configuration is sound");
    }
}

/// Sender 1: the short code 12345 of Acme.
pub(crate) async fn sender(house: &House) {
    let document =
        serde_json::json!({"address": "12345", "carrier": "simulator", "brand": "Acme", "help": "acme.example/help"});
    house.sql(&format!("INSERT INTO sender VALUES (1, '12345', 'simulator', 'Acme', '{document}')")).await;
}
