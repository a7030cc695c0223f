//! Making and changing partners: versions, caps, the feed.

use crate::harness::on_both;

on_both! {
    a_partner_is_made_once_and_found_by_its_name,
    every_change_is_a_version_and_the_same_wish_again_is_none,
    the_terms_are_those_of_the_present_version,
    a_new_cap_starts_with_what_the_partner_has_given_out,
    changes_are_told_in_the_feed_without_a_gap,
    a_campaign_that_is_applied_again_leaves_partners_their_caps,
    partners_are_listed_from_page_to_page,
    changes_of_two_processes_at_once_lose_nothing,
}

mod bodies {
    use crate::apply::written::{apply, pizza};
    use crate::harness::{House, campaign};
    use codewell::domain::ids::CampaignId;
    use codewell::domain::partner::{AcrossCaps, ClientId, Edit, Grant, PartnerDoc, PartnerScope, PartnerStatus};
    use codewell::domain::window::Window;
    use codewell::engine::PartnerError;

    fn client(name: &str) -> ClientId {
        ClientId::parse(name).expect("a client id")
    }

    fn doc(grants: Vec<Grant>) -> PartnerDoc {
        PartnerDoc {
            name: "Acme Deals".to_owned(),
            scopes: vec![PartnerScope::Issue, PartnerScope::Read],
            grants,
            ..PartnerDoc::default()
        }
    }

    fn granted(id: u32, day: i64) -> Grant {
        Grant { day: Some(day), ..Grant::free(CampaignId(id)) }
    }

    pub(super) async fn a_partner_is_made_once_and_found_by_its_name(house: House) {
        let acme = client("acme");
        let made = house.engine.create_partner(acme.clone(), doc(vec![])).await.expect("it is made");
        assert_eq!((made.id.0, made.version, made.status), (1, 1, PartnerStatus::Active));
        assert_eq!(house.engine.partner(&acme).await.expect("it is there"), made);
        let again = house.engine.create_partner(acme.clone(), doc(vec![])).await.expect_err("it is there");
        assert!(matches!(again, PartnerError::Taken(_)), "{again:?}");
        let other = house.engine.partner(&client("nobody")).await.expect_err("there is none");
        assert!(matches!(other, PartnerError::Unknown(_)), "{other:?}");
        let strange = house.engine.create_partner(client("other"), doc(vec![granted(77, 1)])).await;
        assert!(matches!(strange, Err(PartnerError::NoCampaign(_))), "{strange:?}");
        assert_eq!(house.number("SELECT COUNT(*) FROM partner").await, 1);
    }

    pub(super) async fn every_change_is_a_version_and_the_same_wish_again_is_none(house: House) {
        let acme = client("acme");
        house.engine.create_partner(acme.clone(), doc(vec![])).await.expect("it is made");
        let suspend = [Edit::Status(PartnerStatus::Suspended)];
        let changed = house.engine.change_partner(&acme, &suspend).await.expect("it is changed");
        assert_eq!((changed.version, changed.status), (2, PartnerStatus::Suspended));
        let again = house.engine.change_partner(&acme, &suspend).await.expect("it is so already");
        assert_eq!(again, changed);
        let versions = "SELECT COUNT(*) FROM partner_version WHERE partner_id = 1";
        assert_eq!(house.number(versions).await, 2);
        let wrong = house.engine.change_partner(&acme, &[Edit::Name(String::new())]).await.expect_err("no name");
        assert!(matches!(wrong, PartnerError::Invalid(_)), "{wrong:?}");
    }

    pub(super) async fn the_terms_are_those_of_the_present_version(house: House) {
        campaign(1).write(&house).await;
        campaign(2).write(&house).await;
        let acme = client("acme");
        let made = house.engine.create_partner(acme.clone(), doc(vec![granted(1, 5)])).await.expect("it is made");
        let caps = AcrossCaps { total: Some(100), day: None };
        let edits = [Edit::Caps(caps), Edit::Grant(Grant::free(CampaignId(2))), Edit::Grant(granted(1, 6))];
        house.engine.change_partner(&acme, &edits).await.expect("it is changed");
        let terms = house.engine.partner_terms(made.id).await.expect("they are read").expect("there are some");
        assert_eq!((terms.version, &terms.client, terms.status), (2, &acme, PartnerStatus::Active));
        assert_eq!(terms.scopes, [PartnerScope::Issue, PartnerScope::Read]);
        let limits = |campaign| terms.caps(CampaignId(campaign)).map(|cap| (cap.window, cap.cap)).collect::<Vec<_>>();
        assert_eq!(limits(1), [(Window::Day, 6), (Window::Lifetime, 100)]);
        assert_eq!(limits(2), [(Window::Lifetime, 100)]);
        assert_eq!(limits(3), []);
        house.engine.change_partner(&acme, &[Edit::Revoke(CampaignId(1))]).await.expect("it is changed");
        let terms = house.engine.partner_terms(made.id).await.expect("they are read").expect("there are some");
        assert_eq!(terms.grants.keys().copied().collect::<Vec<_>>(), [CampaignId(2)]);
        assert!(house.engine.partner_terms(codewell::domain::ids::PartnerId(9)).await.expect("a read").is_none());
    }

    pub(super) async fn a_new_cap_starts_with_what_the_partner_has_given_out(house: House) {
        campaign(1).write(&house).await;
        let acme = client("acme");
        let free = doc(vec![Grant::free(CampaignId(1))]);
        house.engine.create_partner(acme.clone(), free).await.expect("it is made");
        for phone in 0..3 {
            house.issue(1, phone).await.expect("it is settled");
        }
        house.sql("UPDATE issuance SET partner_id = 1, partner_version = 1 WHERE position < 2").await;
        house
            .sql(
                "INSERT INTO allocation (allocation_id, partner_id, partner_version, campaign_id, campaign_version,
                     pool_no, offer_no, weight_minor, count, exposed, restocked, given_back, allocated_at, lease_until)
                 SELECT subject, 1, 1, 1, 1, 1, 1, 500, 10, 4, 0, 3, issued_at, issued_at FROM issuance LIMIT 1",
            )
            .await;
        let edits = [Edit::Grant(granted(1, 5)), Edit::Caps(AcrossCaps { total: Some(50), day: None })];
        house.engine.change_partner(&acme, &edits).await.expect("it is changed");
        let counted = "SELECT used FROM quota JOIN cap ON cap.cap_id = quota.cap_id WHERE scope = 'partner'
            AND scope_id = '1' AND window_kind";
        assert_eq!(house.number(&format!("{counted} = 'day'")).await, 9, "2 to persons, 7 of a pull");
        assert_eq!(house.number(&format!("{counted} = 'lifetime'")).await, 9);
        let standing = "SELECT quota.cap FROM quota JOIN cap ON cap.cap_id = quota.cap_id WHERE window_kind = 'day'
            AND scope = 'partner'";
        assert_eq!(house.number(standing).await, 9, "a cap below what is used stands at what is used");
        let terms = house.engine.partner_terms(codewell::domain::ids::PartnerId(1)).await.expect("a read");
        let used = house.engine.partner_used(&terms.expect("there is one")).await.expect("a read");
        assert_eq!(used.iter().map(|(_, used)| *used).collect::<Vec<_>>(), [9, 9]);
    }

    pub(super) async fn changes_are_told_in_the_feed_without_a_gap(house: House) {
        campaign(1).write(&house).await;
        let acme = client("acme");
        house.engine.create_partner(acme.clone(), doc(vec![granted(1, 5)])).await.expect("it is made");
        let edits = [Edit::Grant(granted(1, 6)), Edit::Status(PartnerStatus::Suspended)];
        house.engine.change_partner(&acme, &edits).await.expect("it is changed");
        let edits = [Edit::Revoke(CampaignId(1)), Edit::Status(PartnerStatus::Active)];
        house.engine.change_partner(&acme, &edits).await.expect("it is changed");
        for (number, kind, campaign) in
            [(1, "cap_changed", 1), (2, "suspended", 0), (3, "cap_changed", 1), (4, "resumed", 0)]
        {
            let row = format!(
                "SELECT COUNT(*) FROM feed WHERE partner_id = 1 AND event_no = {number} AND kind = '{kind}'
                 AND COALESCE(campaign_id, 0) = {campaign}"
            );
            assert_eq!(house.number(&row).await, 1, "{number} is {kind}");
        }
        assert_eq!(house.number("SELECT last_no FROM feed_counter WHERE partner_id = 1").await, 4);
    }

    pub(super) async fn a_campaign_that_is_applied_again_leaves_partners_their_caps(house: House) {
        apply(&house, &pizza(1000, "caps.campaign.day = 10\n")).await;
        let acme = client("acme");
        house.engine.create_partner(acme, doc(vec![granted(1, 5)])).await.expect("it is made");
        apply(&house, &pizza(1000, "caps.campaign.day = 20\n")).await;
        let own = "SELECT COUNT(*) FROM cap WHERE scope = 'partner' AND removed_at IS NULL";
        assert_eq!(house.number(own).await, 1);
        let terms = house.engine.partner_terms(codewell::domain::ids::PartnerId(1)).await.expect("a read");
        assert_eq!(terms.expect("there is one").caps(CampaignId(1)).count(), 1);
    }

    pub(super) async fn partners_are_listed_from_page_to_page(house: House) {
        for name in ["delta", "alpha", "charlie", "bravo"] {
            house.engine.create_partner(client(name), doc(vec![])).await.expect("it is made");
        }
        let page = async |after: &str| {
            let page = house.engine.partners(after, 3).await.expect("a page");
            page.into_iter().map(|partner| partner.client.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(page("").await, ["alpha", "bravo", "charlie"]);
        assert_eq!(page("charlie").await, ["delta"]);
        assert!(page("delta").await.is_empty());
    }

    pub(super) async fn changes_of_two_processes_at_once_lose_nothing(house: House) {
        let second = house.second().await;
        for id in 1..=20 {
            campaign(id).write(&house).await;
        }
        let acme = client("acme");
        house.engine.create_partner(acme.clone(), doc(vec![])).await.expect("it is made");
        let mut tasks = tokio::task::JoinSet::new();
        for id in 1..=20 {
            let engine = if id % 2 == 0 { house.engine.clone() } else { second.engine.clone() };
            let acme = acme.clone();
            tasks.spawn(async move { engine.change_partner(&acme, &[Edit::Grant(granted(id, 5))]).await });
        }
        for done in tasks.join_all().await {
            done.expect("it is changed");
        }
        let after = house.engine.partner(&acme).await.expect("it is there");
        assert_eq!((after.version, after.doc.grants.len()), (21, 20));
        assert_eq!(house.number("SELECT COUNT(*) FROM feed WHERE partner_id = 1").await, 20);
        assert_eq!(house.number("SELECT last_no FROM feed_counter WHERE partner_id = 1").await, 20);
    }
}
