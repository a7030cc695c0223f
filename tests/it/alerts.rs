//! Alerts: one stands a thing, however many raise it at once.

use crate::harness::on_both;

on_both! {
    one_alert_stands_however_many_raise_it_at_once,
    a_cleared_alert_may_stand_again,
    an_empty_house_pool_raises_an_alert_however_many_codes_a_creator_has,
}

mod bodies {
    use crate::apply::written::{apply, ask, pizza};
    use crate::harness::House;
    use codewell::domain::alert::AlertKind;
    use codewell::engine::{CreatorIn, Which};

    const KIND: AlertKind = AlertKind::LowStock;

    pub(super) async fn one_alert_stands_however_many_raise_it_at_once(house: House) {
        let second = house.second().await;
        let raise = |n: usize| {
            let engine = if n.is_multiple_of(2) { house.engine.clone() } else { second.engine.clone() };
            async move { engine.raise(KIND, "campaign PIZZA", format!("{n} codes left")).await }
        };
        let tasks: Vec<_> = (0..200).map(|n| tokio::spawn(raise(n))).collect();
        for task in tasks {
            task.await.expect("it is raised");
        }
        let open = house.engine.alerts(Which::Open, 10).await.expect("alerts");
        let [alert] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((alert.kind.as_str(), alert.about.as_str(), alert.times), ("low_stock", "campaign PIZZA", 200));
    }

    pub(super) async fn a_cleared_alert_may_stand_again(house: House) {
        let engine = &house.engine;
        engine.clear(KIND, "campaign PIZZA").await;
        for detail in ["9 codes left", "8 codes left"] {
            engine.raise(KIND, "campaign PIZZA", detail).await;
            engine.clear(KIND, "campaign PIZZA").await;
        }
        engine.raise(KIND, "campaign PIZZA", "7 codes left").await;
        let open = engine.alerts(Which::Open, 10).await.expect("alerts");
        let all = engine.alerts(Which::All, 10).await.expect("alerts");
        assert_eq!((open.len(), all.len()), (1, 3));
        assert_eq!(open[0].detail, "7 codes left");
    }

    pub(super) async fn an_empty_house_pool_raises_an_alert_however_many_codes_a_creator_has(house: House) {
        let emma = CreatorIn { handle: "emma".to_owned(), name: "Emma".to_owned(), phone: None, disclosure: None };
        house.engine.add_creator(&emma).await.expect("she is made");
        apply(&house, &pizza(3, "[campaign.creators.emma]\ncap = 5000\n")).await;
        house.engine.watch_stock(10, 100).await.expect("it is watched");
        assert_eq!(house.engine.alerts(Which::Open, 10).await.expect("alerts"), []);
        for phone in 0..3 {
            ask(&house, phone, "PIZZA").await;
        }
        house.engine.watch_stock(10, 100).await.expect("it is watched");
        let open = house.engine.alerts(Which::Open, 10).await.expect("alerts");
        let [alert] = open.as_slice() else { panic!("{open:?}") };
        assert_eq!((alert.kind.as_str(), alert.detail.as_str()), ("low_stock", "0 of 3 codes are left"));
        let pizza = house.engine.catalog().campaign_named("PIZZA").expect("it is there").id;
        let stock = codewell::store::counts::house_stock(&house.store).await.expect("it is counted");
        assert_eq!(stock.get(&pizza), Some(&0), "what partners are told");
        let all = house.engine.code_counts().await.expect("they are counted");
        assert_eq!(all[&pizza].in_stock, 5_000);
    }
}
