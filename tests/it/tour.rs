//! The tour of the README, on the binary itself.

use crate::harness::{Product, codewell, printed};
use std::process::Command;

/// The first code in a text: letters, digits and hyphens after "code " or "one: ".
fn code_in(reply: &serde_json::Value) -> String {
    let text = reply["text"].as_str().expect("words");
    let word = text.split([' ', ',']).find(|word| word.len() > 8 && word.contains('-') && !word.contains('/'));
    word.expect("a code").to_owned()
}

fn till(product: &Product, args: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/till.sh");
    let output = Command::new(script)
        .args(args)
        .env("CODEWELL_URL", &product.base_url)
        .env("TILL_KEY", &product.till_key)
        .output()
        .expect("the script runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_text_brings_a_code_the_till_takes_it_once_and_the_coupon_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let product = Product::start(dir.path(), &[]);
    let phone = "+12025550123";
    let first = product.reply(phone, "Pizza!", 1).await;
    let code = code_in(&first);
    assert!(code.starts_with("PZA-") && first["segments"] == 1, "{first}");
    let again = product.reply(phone, "pizza please", 2).await;
    assert_eq!(code_in(&again), code, "the same code again");
    let link = again["text"].as_str().expect("words").split(' ').find(|word| word.starts_with("http"));
    let link = link.expect("a link").to_owned();
    assert!(product.page(&link).await.contains(&code));

    let taken = till(&product, &[&code]);
    assert!(taken.starts_with("good: $5 off\ntaken: rd_"), "{taken}");
    assert_eq!(till(&product, &[&code]), "refused: already_redeemed");
    let used = product.page(&link).await;
    assert!(used.contains("data-face=\"used\"") && !used.contains(&code));
    let redemption = taken.rsplit(' ').next().expect("an id");
    assert!(till(&product, &["--undo", redemption]).contains("rolled_back"));

    let explained = printed(&codewell(dir.path(), &["explain", &code]));
    assert!(explained.contains("keyword → issued") && explained.contains("rolled_back"), "{explained}");
    printed(&codewell(dir.path(), &["audit"]));
}

#[tokio::test]
async fn a_campaign_of_your_own_works_without_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let product = Product::start(dir.path(), &[]);
    let file = dir.path().join("tacos.toml");
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/tacos.toml");
    std::fs::copy(document, &file).expect("the example is there");
    let path = file.to_str().expect("a path");
    let plan = printed(&codewell(dir.path(), &["apply", path, "--yes"]));
    assert!(plan.contains("+ campaign TACOS"), "{plan}");
    let reply = product.reply("+12025550124", "tacos", 1).await;
    assert!(code_in(&reply).starts_with("TAC-"), "{reply}");
    assert!(printed(&codewell(dir.path(), &["apply", path, "--yes"])).contains("nothing to change"));

    printed(&codewell(dir.path(), &["campaign", "pause", "TACOS"]));
    let paused = product.reply("+12025550125", "TACOS", 1).await;
    assert_eq!(paused["explain"]["rule"], "campaign_paused", "{paused}");
    let kept = product.reply("+12025550124", "tacos", 2).await;
    assert_eq!(code_in(&kept), code_in(&reply), "who has a code keeps it");
    printed(&codewell(dir.path(), &["campaign", "end", "TACOS", "--yes"]));
    let ended = product.reply("+12025550126", "TACOS", 1).await;
    assert_eq!(ended["explain"]["rule"], "campaign_ended", "{ended}");
    printed(&codewell(dir.path(), &["audit"]));
}

#[tokio::test]
async fn a_killed_demo_continues_where_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let product = Product::start(dir.path(), &[]);
    let first = product.reply("+12025550123", "WELCOME", 1).await;
    let key = product.till_key.clone();
    product.kill();
    let product = Product::start(dir.path(), &[]);
    assert_eq!(product.till_key, key, "a pasted line stays good");
    let again = product.reply("+12025550123", "WELCOME", 1).await;
    assert_eq!(code_in(&again), code_in(&first));
    printed(&codewell(dir.path(), &["audit"]));
}
