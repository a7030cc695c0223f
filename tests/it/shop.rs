//! The demo's second system: the shop that honours BURGER's codes goes away and comes back.

use crate::harness::{Product, codewell, printed};
use serde_json::json;
use std::collections::HashSet;

fn code_in(reply: &serde_json::Value) -> String {
    let text = reply["text"].as_str().expect("words");
    text.split([' ', ',']).find(|word| word.starts_with("BRG-")).expect("a code").to_owned()
}

#[tokio::test]
async fn a_shop_that_goes_and_comes_back_costs_nobody_a_code() {
    let dir = tempfile::tempdir().expect("a directory");
    let product = Product::start(dir.path(), &[]);
    let key = std::fs::read_to_string(dir.path().join("burger-shop.key")).expect("the shop's key");
    let key = key.trim();
    let phones: Vec<_> = (10..22).map(|n| format!("+120255501{n}")).collect();
    let (first, later) = phones.split_first().expect("phones");
    assert!(product.text(first, "BURGER").await, "the text is acknowledged");
    let code = code_in(&product.until(first, "BRG-").await);
    product.shop("/control", key, &json!({"mode": "down"})).await;
    let mut promised = 0;
    for phone in later {
        let reply = product.reply(phone, "BURGER", 1).await;
        promised += usize::from(reply["explain"]["outcome"] == "held");
    }
    assert!(promised >= later.len() - 5, "five are ready, the others are promised: {promised}");
    product.shop("/control", key, &json!({"mode": "garbage"})).await;
    assert!(product.text(first, "burger").await, "who has a code keeps it meanwhile");
    assert_eq!(code_in(&product.until(first, "You already have").await), code);
    product.shop("/control", key, &json!({"mode": "ok"})).await;
    let mut codes = HashSet::from([code.clone()]);
    for phone in later {
        codes.insert(code_in(&product.until(phone, "BRG-").await));
    }
    assert_eq!(codes.len(), phones.len(), "each has a code of her own");
    for phone in later {
        let replies = product.replies(phone).await;
        let given = replies.iter().filter(|reply| reply["text"].as_str().is_some_and(|text| text.contains("BRG-")));
        assert_eq!(given.count(), 1, "and got it once");
    }

    // The shop sells one by itself: its report, or a look, says so on the coupon.
    let link = product.until(first, "You already have").await["text"].as_str().expect("words").to_owned();
    let link = link.split(' ').find(|word| word.starts_with("http")).expect("a link").to_owned();
    let sold = product.shop("/redeem", key, &json!({"code": code, "store": "12", "ref": "t1"})).await;
    assert!(sold["redemption_id"].is_string(), "{sold}");
    while !product.page(&link).await.contains("data-face=\"used\"") {}
    let explained = printed(&codewell(dir.path(), &["explain", &code]));
    assert!(explained.contains("redeemed"), "{explained}");
    let stands = printed(&codewell(dir.path(), &["verify", "BURGER"]));
    assert!(stands.contains("0 promised, 0 dead"), "{stands}");
    printed(&codewell(dir.path(), &["audit"]));
}
