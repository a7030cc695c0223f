//! Alerts: one stands a thing, however many raise it at once.

use crate::harness::on_both;

on_both! {
    one_alert_stands_however_many_raise_it_at_once,
    a_cleared_alert_may_stand_again,
}

mod bodies {
    use crate::harness::House;
    use codewell::domain::alert::AlertKind;
    use codewell::engine::Which;

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
}
