//! Campaigns for tests, written as rows.

use super::House;
use codewell::domain::ids::millis;
use codewell::engine::Clock;

/// A campaign with a derived pool.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) id: u32,
    pub(crate) size: u64,
    /// JSON members that replace or add to the document's.
    pub(crate) document: serde_json::Value,
    /// (cap id, scope, scope id, unit, window, window ms, cap).
    pub(crate) caps: Vec<(
        u32,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        i64,
        i64,
    )>,
}

/// A campaign of a million codes with at most one a person.
pub(crate) fn campaign(id: u32) -> Fixture {
    Fixture {
        id,
        size: 1_000_000,
        document: serde_json::json!({}),
        caps: vec![(id * 100, "person", "", "count", "lifetime", 0, 1)],
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

    /// Adds a cap; a cap of 0 lifetime codes a person replaces the default one.
    pub(crate) fn cap(
        mut self,
        scope: &'static str,
        unit: &'static str,
        window: &'static str,
        cap: i64,
    ) -> Self {
        let id = self.id * 100 + u32::try_from(self.caps.len()).expect("few caps");
        self.caps.push((id, scope, "", unit, window, 0, cap));
        self
    }

    /// Without any cap per person.
    pub(crate) fn uncapped(mut self) -> Self {
        self.caps.clear();
        self
    }

    /// Writes it.
    pub(crate) async fn write(self, house: &House) {
        let Self {
            id,
            size,
            document,
            caps,
        } = self;
        let letter = char::from(b'A' + u8::try_from(id % 26).expect("a letter"));
        let pattern = format!("T{letter}{letter}-?????-?????*");
        let mut whole = serde_json::json!({
            "name": format!("C{id}"),
            "offer": {"type": "amount_off", "value": 500, "max_discount": 500},
            "code": {"pattern": pattern},
            "pool": {"source": "derive", "size": size},
            "keywords": {"sender": "12345", "main": format!("WORD{letter}")},
        });
        let mut limits = serde_json::json!({"person": {}, "campaign": {}});
        for (_, scope, _, _, window, _, cap) in &caps {
            let name = if (*scope, *window) == ("campaign", "lifetime") {
                "total"
            } else {
                window
            };
            limits[*scope][name] = (*cap).into();
        }
        whole["caps"] = limits;
        let base = whole.as_object_mut().expect("an object");
        base.extend(document.as_object().expect("an object").clone());
        let zone = whole
            .get("zone")
            .and_then(|zone| zone.as_str())
            .unwrap_or("UTC")
            .to_owned();
        let offer = serde_json::json!({"title": "$5 off", "type": "amount_off", "value": 500, "max_discount": 500, "currency": "USD", "terms": ""});
        let now = millis(house.clock.now());
        let key = codewell::domain::catalog::key_number(&house.engine.parts().keys);
        let mut sql = vec![
            format!("INSERT INTO campaign VALUES ({id}, 'C{id}', 'live', 1)"),
            format!("INSERT INTO campaign_version VALUES ({id}, 1, '{whole}', {now})"),
            format!("INSERT INTO offer VALUES ({id}, 1, '{offer}')"),
            format!(
                "INSERT INTO pool VALUES ({id}, 1, 1, 'derived', {key}, '{pattern}', {size}, {size}, 'house')"
            ),
            format!(
                "INSERT INTO stock (campaign_id, pool_no, last, first) VALUES ({id}, 1, {}, 0)",
                size - 1
            ),
            format!("INSERT INTO keyword VALUES (1, 'WORD{letter}', {id}, 'WORD{letter}', 0)"),
        ];
        for (cap_id, scope, scope_id, unit, window, ms, cap) in caps {
            sql.push(format!(
                "INSERT INTO cap VALUES ({cap_id}, {id}, '{scope}', '{scope_id}', '{unit}', '{window}', {ms}, '{zone}', {cap}, NULL)"
            ));
        }
        sql.push("UPDATE catalog SET version = version + 1".to_owned());
        for statement in sql {
            house.sql(&statement).await;
        }
        house
            .engine
            .fresh_catalog()
            .await
            .expect("the configuration is sound");
    }
}

/// Sender 1: the short code 12345 of Acme.
pub(crate) async fn sender(house: &House) {
    let document = serde_json::json!({"address": "12345", "carrier": "simulator", "brand": "Acme", "help": "acme.example/help"});
    house
        .sql(&format!(
            "INSERT INTO sender VALUES (1, '12345', 'simulator', 'Acme', '{document}')"
        ))
        .await;
}
