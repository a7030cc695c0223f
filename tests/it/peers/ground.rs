//! What tests of redemption peers stand on.

use crate::harness::{Fixture, House, StandIn, campaign, sender};
use codewell::domain::campaign::Campaign;
use codewell::domain::ids::{CampaignId, RequestId, Spot};
use codewell::domain::world::HeldState;
use codewell::engine::{Look, Matched};
use codewell::redemption::{EventKind, PeerEvent};
use std::sync::Arc;

/// The campaign of a house, and one look after the other until nothing more is to be looked at.
pub(super) async fn look_at_all(house: &House) -> Vec<Look> {
    let mut looks = Vec::new();
    loop {
        let look = look_once(house).await;
        let done = !matches!(look, Look::Looked { .. });
        looks.push(look);
        if done {
            return looks;
        }
    }
}

pub(super) async fn look_once(house: &House) -> Look {
    let (campaign, _, peer) = house.engine.peers_campaigns().remove(0);
    let pool = campaign.pools[0].clone();
    house.engine.look_at_pool(&campaign, &pool, &peer.expect("the peer")).await.expect("it can look")
}

pub(super) fn the_campaign(house: &House) -> Arc<Campaign> {
    house.engine.catalog().campaigns[&CampaignId(1)].clone()
}

pub(super) async fn keep(house: &House) -> u64 {
    house.engine.keep_promises(&the_campaign(house)).await.expect("promises are kept")
}

pub(super) fn peers(size: u64) -> Fixture {
    campaign(1).size(size).document(serde_json::json!({"redemption": {"peer": "shop"}}))
}

/// A house that lives with a peer, and a campaign of that peer's codes.
pub(super) async fn open(house: &House, fixture: Fixture) -> (House, StandIn) {
    let peer = StandIn::new();
    let house = house.living_with(peer.registry()).await;
    sender(&house).await;
    fixture.write(&house).await;
    (house, peer)
}

pub(super) async fn code(house: &House, position: u64) -> codewell::domain::code::Code {
    let spot = Spot { campaign: CampaignId(1), pool: 1, position };
    house.engine.code_at(spot).await.expect("it can be read").expect("a code")
}

/// A code of the campaign that phone 1 has.
pub(super) async fn sold_code(house: &House) -> (Spot, codewell::domain::code::Code) {
    look_once(house).await;
    let outcome = house.issue(1, 1).await.expect("settled").outcome;
    let spot = outcome.spot().expect("a code");
    (spot, code(house, spot.position).await)
}

pub(super) fn report(code: &codewell::domain::code::Code, id: &str, kind: EventKind, redemption: &str) -> PeerEvent {
    PeerEvent {
        event_id: id.to_owned(),
        kind,
        code: code.clone(),
        redemption_id: Some(redemption.to_owned()),
        at: chrono::TimeZone::with_ymd_and_hms(&chrono::Utc, 2026, 11, 20, 15, 0, 0).unwrap(),
        store: Some("Main St".to_owned()),
        order: None,
        amount: None,
    }
}

pub(super) async fn take(house: &House, event: &PeerEvent) -> Matched {
    let (_, _, peer) = house.engine.peers_campaigns().remove(0);
    house.engine.take_peer_event(&peer.expect("the peer"), event).await.expect("it is taken")
}

pub(super) async fn state(house: &House, spot: Spot) -> HeldState {
    let found = house.engine.find_spot(spot).await.expect("it can be read").expect("it is out");
    found.issued.held.state(house.engine.now())
}

pub(super) fn request(key: &str) -> RequestId {
    RequestId { door: "till-t".to_owned(), key: key.to_owned() }
}
