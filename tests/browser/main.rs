//! The journey of the demo in a real browser: text a keyword, get a code, text again, open the coupon, redeem it at
//! the till, see the coupon change. Twice as wide and twice as dark; the pictures stay in `target/pictures/`.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod harness;
mod pages;
mod samples;

use std::collections::BTreeSet;

use harness::{Browser, Demo, Look};

/// Every look of the journey, each with a phone of its own.
const LOOKS: [(Look, &str); 4] = [
    (Look { width: 1440, height: 900, scheme: "light" }, "+12025550160"),
    (Look { width: 1440, height: 900, scheme: "dark" }, "+12025550161"),
    (Look { width: 360, height: 800, scheme: "light" }, "+12025550162"),
    (Look { width: 360, height: 800, scheme: "dark" }, "+12025550163"),
];

/// Keys as a browser's driver names them.
const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_texted_keyword_becomes_a_code_a_coupon_and_one_redemption_in_every_look() {
    let Some(driver) = harness::driver_or_skip() else {
        return;
    };
    let demo = tokio::task::spawn_blocking(Demo::start);
    let (browser, _driver) = Browser::start(&driver).await;
    let demo = demo.await.unwrap();
    // In a task of its own, so that the browser is closed also when a check fails.
    let (base, simulator) = (demo.base_url.clone(), demo.simulator_url.clone());
    let journey = tokio::spawn(Journey { browser: browser.clone(), base, simulator, links: BTreeSet::new() }.run());
    let outcome = journey.await;
    browser.close().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

struct Journey {
    browser: Browser,
    base: String,
    simulator: String,
    /// Every address of this server that some page leads to.
    links: BTreeSet<String>,
}

/// What a page is used with.
#[derive(Clone, Copy)]
enum By {
    Keyboard,
    Mouse,
}

/// What a phone holds after its first text.
struct Won {
    code: String,
    link: String,
}

impl Journey {
    async fn run(mut self) {
        for (look, phone) in LOOKS {
            self.browser.look(look).await;
            self.see_the_start_page(look).await;
            let won = self.text_for_the_first_time(look, phone).await;
            if harness::wants_readme_picture() && look.width == 1440 && look.scheme == "light" {
                self.picture_the_readme(look, phone, &won).await;
            }
            self.text_again(look, phone, &won).await;
            self.open_the_coupon(look, &won).await;
            self.redeem(look, &won).await;
            self.see_the_used_coupon(look, &won).await;
            self.redeem_again(look, &won).await;
            self.miss_a_page(look).await;
        }
        self.follow_every_link().await;
    }

    async fn see_the_start_page(&mut self, look: Look) {
        self.browser.open(&format!("{}/", self.base)).await;
        self.check("start", look).await;
        self.browser.click(r#".tile[href="/simulator"]"#).await;
        self.browser.find("[data-sim]").await;
        self.check("simulator_empty", look).await;
        self.browser.open(&format!("{}/", self.base)).await;
        self.browser.click(r#".tile[href="/till"]"#).await;
        self.browser.find("#code").await;
        self.check("till_empty", look).await;
    }

    fn phone_url(&self, number: &str) -> String {
        format!("{}?phone={}", self.simulator, number.replace('+', "%2B"))
    }

    /// Opens the phone and gives the selector of its part of the page.
    async fn open_phone(&self, phone: &str) -> String {
        self.browser.open(&self.phone_url(phone)).await;
        format!(r#"[data-phone="{phone}"]"#)
    }

    async fn send(&self, phone: &str, text: &str) {
        self.browser.fill(&format!("{phone} [data-text]"), text).await;
        self.browser.click(&format!("{phone} .send")).await;
    }

    /// From the page's beginning.
    async fn text_by_keyboard(&self, phone: &str) {
        self.browser.find(&format!("{phone} [data-text]")).await;
        self.browser.press(TAB).await;
        let skips = "document.activeElement.matches('.skip') && document.activeElement.getBoundingClientRect().top > 0";
        self.browser.wait_until("the way past the head shows itself", skips).await;
        self.browser.press(ENTER).await;
        self.tab_to(&format!("{phone} [data-text]")).await;
        self.browser.press(&format!("PIZZA{ENTER}")).await;
    }

    /// Walks with the tabulator to an element; on the way every element that has the focus shows it.
    async fn tab_to(&self, css: &str) {
        for _ in 0..40 {
            self.browser.press(TAB).await;
            let script = format!(
                "const now = document.activeElement; const ring = getComputedStyle(now); \
                 return [now.outerHTML.slice(0, 80), ring.outlineStyle === 'solid' && ring.outlineWidth === '2px', now.matches('{css}')]"
            );
            let seen = self.browser.evaluate(&script).await;
            assert_eq!(seen[1], true, "{} does not show the focus", seen[0]);
            if seen[2] == true {
                return;
            }
        }
        panic!("the tabulator never came to {css}")
    }

    async fn text_for_the_first_time(&mut self, look: Look, number: &str) -> Won {
        let phone = self.open_phone(number).await;
        self.send(&phone, "PIZZA").await;
        let code = self.browser.text(&format!("{phone} .bubble.ours [data-code]")).await;
        assert!(code.starts_with("PZA-"), "a code of the pool, not {code}");
        let link = self.browser.find(&format!("{phone} .bubble.ours a")).await.prop("href").await.unwrap().unwrap();
        self.check("simulator_code", look).await;
        Won { code, link }
    }

    async fn text_again(&mut self, look: Look, number: &str, won: &Won) {
        let phone = self.open_phone(number).await;
        let by = if look.scheme == "light" { By::Keyboard } else { By::Mouse };
        match by {
            By::Keyboard => self.text_by_keyboard(&phone).await,
            By::Mouse => self.send(&phone, "PIZZA").await,
        }
        let two = format!("document.querySelectorAll('{phone} .bubble.ours [data-code]').length === 2");
        self.browser.wait_until("the second answer is there", &two).await;
        let codes =
            format!("return [...document.querySelectorAll('{phone} [data-code]')].map((code) => code.textContent)");
        assert_eq!(self.browser.evaluate(&codes).await, serde_json::json!([won.code, won.code]), "the same code again");
        let unfold = format!("{phone} .bubble.ours:last-child summary");
        match by {
            By::Keyboard => {
                self.open_phone(number).await;
                self.tab_to(&unfold).await;
                self.browser.press(ENTER).await;
            }
            By::Mouse => self.browser.click(&unfold).await,
        }
        let why = self.browser.text(&format!("{phone} .bubble.ours:last-child .details")).await;
        assert!(why.contains("Decision") && why.contains("PIZZA"), "the bubble unfolds to its decision, not {why}");
        self.check("simulator_repeat", look).await;
    }

    async fn open_the_coupon(&mut self, look: Look, won: &Won) {
        self.browser.open(&won.link).await;
        self.browser.find(r#"[data-face="active"]"#).await;
        assert_eq!(self.browser.text(".coupon [data-code]").await, won.code);
        let width = self.browser.evaluate("return document.querySelector('.qr').getBoundingClientRect().width").await;
        assert!(width.as_f64().unwrap() >= 200.0, "the QR code is {width} px wide");
        self.check("coupon_active", look).await;
    }

    async fn picture_the_readme(&self, look: Look, number: &str, won: &Won) {
        let phone = self.phone_url(number);
        let frame = format!(r#"[data-phone="{number}"]"#);
        self.browser.readme_picture([(&phone, &frame), (&won.link, ".coupon")]).await;
        self.browser.look(look).await;
    }

    async fn press(&self, won: &Won, action: &str) {
        self.browser.open(&format!("{}/till", self.base)).await;
        self.browser.fill("#code", &won.code).await;
        self.browser.fill("#store", "store-17").await;
        self.browser.fill("#amount", "25.00").await;
        self.browser.click(&format!(r#"button[value="{action}"]"#)).await;
    }

    async fn redeem(&mut self, look: Look, won: &Won) {
        self.press(won, "validate").await;
        self.browser.find(r#"[data-result="valid"]"#).await;
        self.check("till_valid", look).await;
        self.press(won, "redeem").await;
        self.browser.find(r#"[data-result="redeemed"]"#).await;
        assert_ne!(self.browser.text("[data-redemption]").await, "", "a redemption has an id");
        self.check("till_redeemed", look).await;
    }

    async fn see_the_used_coupon(&mut self, look: Look, won: &Won) {
        self.browser.open(&won.link).await;
        self.browser.find(r#"[data-face="used"]"#).await;
        assert!(!self.browser.source().await.contains(&won.code), "a used coupon does not carry its code");
        self.check("coupon_used", look).await;
    }

    async fn redeem_again(&mut self, look: Look, won: &Won) {
        self.press(won, "redeem").await;
        let words = self.browser.text(r#"[data-result="refused"] .verdict"#).await;
        assert_eq!(words, "Already used");
        self.check("till_refused", look).await;
    }

    /// The only pages whose console may speak: the browser itself reports their 404.
    async fn miss_a_page(&mut self, look: Look) {
        for (name, path) in [("missing_coupon", "/c/0000000000000000000000"), ("missing_page", "/nothing-here")] {
            self.browser.open(&format!("{}{path}", self.base)).await;
            self.browser.find(".notice h1").await;
            let said = self.browser.console().await;
            assert!(said.iter().all(|line| line.contains("status of 404")), "{said:?}");
            self.check(name, look).await;
        }
    }

    /// What holds for every page: nothing in the console, no sideways scroll; its picture and its links are kept.
    async fn check(&mut self, name: &str, look: Look) {
        let said = self.browser.console().await;
        assert_eq!(said, Vec::<String>::new(), "{name}: the console spoke");
        let room = self.browser.evaluate("return [document.documentElement.scrollWidth, innerWidth]").await;
        assert!(room[0].as_u64() <= room[1].as_u64(), "{name} at {} px is {} px wide", look.width, room[0]);
        let links = self.browser.evaluate("return [...document.querySelectorAll('a[href], link[href], script[src]')].map((link) => link.href || link.src)").await;
        let links = links.as_array().unwrap().iter().map(|link| link.as_str().unwrap());
        let ours = links.filter(|link| link.starts_with(&format!("{}/", self.base)));
        self.links.extend(ours.map(|link| link.split('#').next().unwrap().to_owned()));
        self.browser.picture(name, look).await;
    }

    async fn follow_every_link(&self) {
        assert!(self.links.len() >= 6, "found only {:?}", self.links);
        for link in &self.links {
            let status = reqwest::get(link).await.unwrap().status();
            assert!(status.as_u16() < 400, "{link} answers {status}");
        }
    }
}
