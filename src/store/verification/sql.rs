//! The statements of a look, each one text for both databases.

use crate::store::bulk::{Bulk, Kind};

const INT: Kind = Kind::Int;
const TEXT: Kind = Kind::Text;

pub(super) static RANGES_OF: Bulk = Bulk::new(
    "stock: looked at",
    &[("campaign_id", INT), ("pool_no", INT), ("lowest", INT), ("highest", INT)],
    &[INT, INT, INT],
    "SELECT s.first, s.last, s.verified_at FROM {rows} JOIN stock s
     ON s.campaign_id = t.campaign_id AND s.pool_no = t.pool_no AND s.last >= t.lowest AND s.first <= t.highest
     ORDER BY s.last",
);

const RANGE: &[(&str, Kind)] = &[("campaign_id", INT), ("pool_no", INT), ("last", INT)];

pub(super) static DELETE_RANGES: Bulk = Bulk::new(
    "stock: delete looked at",
    RANGE,
    &[],
    "DELETE FROM stock WHERE (campaign_id, pool_no, last) IN (SELECT t.campaign_id, t.pool_no, t.last FROM {rows})",
);

pub(super) static WRITE_RANGES: Bulk = Bulk::new(
    "stock: write looked at",
    &[("campaign_id", INT), ("pool_no", INT), ("last", INT), ("first", INT), ("verified_at", INT)],
    &[],
    "INSERT INTO stock (campaign_id, pool_no, last, first, verified_at)
     SELECT campaign_id, pool_no, last, first, verified_at FROM {rows} WHERE true",
);

pub(super) static PUT_ASIDE: Bulk = Bulk::new(
    "quarantine: put aside",
    &[
        ("campaign_id", INT),
        ("pool_no", INT),
        ("position", INT),
        ("verdict", TEXT),
        ("evidence", TEXT),
        ("looked_at", INT),
    ],
    &[],
    "INSERT INTO quarantine (campaign_id, pool_no, position, verdict, evidence, looked_at)
     SELECT campaign_id, pool_no, position, verdict, evidence, looked_at FROM {rows} WHERE true
     ON CONFLICT (campaign_id, pool_no, position) DO UPDATE SET verdict = excluded.verdict,
         evidence = excluded.evidence, looked_at = excluded.looked_at",
);

const SPOT: &[(&str, Kind)] = &[("campaign_id", INT), ("pool_no", INT), ("position", INT)];

pub(super) static ASIDE: Bulk = Bulk::new(
    "quarantine: read",
    SPOT,
    &[INT],
    "SELECT q.position FROM {rows} JOIN quarantine q ON q.campaign_id = t.campaign_id AND q.pool_no = t.pool_no
     AND q.position = t.position AND q.verdict = 'undecided'",
);

pub(super) static TAKE_BACK: Bulk = Bulk::new(
    "quarantine: take back",
    SPOT,
    &[],
    "DELETE FROM quarantine WHERE (campaign_id, pool_no, position) IN
     (SELECT t.campaign_id, t.pool_no, t.position FROM {rows})",
);

/// Promises beyond stock leave nothing; a higher stock is theirs first.
pub(super) static RECOUNT: Bulk = Bulk::new(
    "pool: recount",
    &[("campaign_id", INT), ("pool_no", INT)],
    &[],
    "UPDATE pool AS p SET in_stock = (
         SELECT CASE WHEN s.n > h.n THEN s.n - h.n ELSE 0 END FROM
             (SELECT CAST(COALESCE(SUM(last - first + 1), 0) AS BIGINT) AS n FROM stock
              WHERE campaign_id = p.campaign_id AND pool_no = p.pool_no) AS s,
             (SELECT COUNT(*) AS n FROM hold
              WHERE campaign_id = p.campaign_id AND pool_no = p.pool_no AND ended_at IS NULL) AS h)
     FROM {rows} WHERE p.campaign_id = t.campaign_id AND p.pool_no = t.pool_no",
);

pub(super) static COUNT_LOOKS: Bulk = Bulk::new(
    "verification: count",
    &[("campaign_id", INT), ("pool_no", INT), ("alive", INT), ("dead", INT)],
    &[],
    "UPDATE verification AS v SET alive = v.alive + t.alive, dead = v.dead + t.dead
     FROM {rows} WHERE v.campaign_id = t.campaign_id AND v.pool_no = t.pool_no",
);
