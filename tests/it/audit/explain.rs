//! A decision is told from its rows, for refusals, codes and sales alike.

use super::ledger::Ledger;
use chrono_tz::Tz;
use codewell::domain::ids::{CampaignId, RequestId, Spot};
use codewell::store::explain::{Explained, explain};

async fn screen(ledger: &Ledger, what: &Explained) -> String {
    let told = explain(ledger.db(), what).await.expect("the rows can be read").expect("there is such a thing");
    let lines = told.lines(Tz::America__New_York);
    let line = |(label, value): &(&str, String)| format!("{label:<11}{value}");
    lines.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn request(door: &str, key: &str) -> Explained {
    Explained::Request(RequestId { door: door.to_owned(), key: key.to_owned() })
}

fn spot(campaign: u32, position: u64) -> Explained {
    Explained::Spot(Spot { campaign: CampaignId(campaign), pool: 1, position })
}

#[expect(clippy::too_many_lines, reason = "one snapshot of whole screens")]
pub(super) async fn a_decision_is_told_on_one_screen(ledger: &Ledger) {
    ledger.fill().await;
    let code = screen(ledger, &spot(1, 0)).await;
    assert_eq!(code, screen(ledger, &request("sms-1", "m1")).await, "a code leads to its request");
    let refused = screen(ledger, &request("sms-1", "m4")).await;
    let without_text = screen(ledger, &spot(2, 0)).await;
    let taken_back = screen(ledger, &request("till-1", "t2")).await;
    let screens = [refused, code, without_text, taken_back].join("\n");
    insta::allow_duplicates! {
        insta::assert_snapshot!(screens, @r"
        decision   dec_sms-1.m4
        door       sms-1
        asked      2026-11-20 10:00:00 EST
        person     cccccccc…
        outcome    keyword → refused: cap_reached
        rule       cap 2 per campaign
        limit      5 codes
        used       5 codes
        window     a calendar day in America/New_York
        room again 2026-11-21 00:00:00 EST
        came by    sms to 12345, keyword PIZZA
        campaign   PIZZA, version 1
        reply      T05 suppressed, 0 attempts

        decision   dec_sms-1.m1
        door       sms-1
        asked      2026-11-20 10:00:00 EST
        person     aaaaaaaa…
        outcome    keyword → issued
        came by    sms to 12345, keyword PIZZA
        campaign   PIZZA, version 1
        code       position 0 of pool 1
        issued     2026-11-20 10:00:00 EST, number 1 of this person
        good until 2026-12-20 10:00:00 EST
        then       redeemed 2026-11-20 12:00:00 EST at Main St, order o1, $20 (rd_1)
        then       rolled_back 2026-11-20 13:00:00 EST, $20, “wrong table” (rd_1)
        then       redeemed 2026-11-20 13:00:00 EST at Main St, order o2 (rd_2)
        reply      T01 delivered, 1 segment, 1 attempt

        decision   dec_engine.e1
        door       engine
        asked      2026-11-20 11:00:00 EST
        person     aaaaaaaa…
        outcome    issue → issued
        came by    api, placement radio
        campaign   BURGER, version 1
        code       position 0 of pool 1
        issued     2026-11-20 11:00:00 EST, number 1 of this person
        good until always
        then       voided 2026-11-20 14:00:00 EST, “by mistake” (rd_v)

        decision   dec_till-1.t2
        door       till-1
        asked      2026-11-20 13:00:00 EST
        person     aaaaaaaa…
        outcome    rollback → rolled_back
        came by    sms to 12345
        redemption rd_1
        campaign   PIZZA, version 1
        code       position 0 of pool 1
        issued     2026-11-20 10:00:00 EST, number 1 of this person
        good until 2026-12-20 10:00:00 EST
        then       redeemed 2026-11-20 12:00:00 EST at Main St, order o1, $20 (rd_1)
        then       rolled_back 2026-11-20 13:00:00 EST, $20, “wrong table” (rd_1)
        then       redeemed 2026-11-20 13:00:00 EST at Main St, order o2 (rd_2)
        ");
    }
    let unknown = explain(ledger.db(), &request("sms-1", "nothing")).await.expect("the rows can be read");
    assert_eq!(unknown, None);
    let unissued = explain(ledger.db(), &spot(1, 9)).await.expect("the rows can be read");
    assert_eq!(unissued, None);
}
