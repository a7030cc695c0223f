//! Pages whose states a journey does not pass: rendered from filled views, served as the product serves them, looked at
//! in every width and theme.

use axum::{
    Router,
    http::{HeaderName, HeaderValue},
    response::Html,
    routing::get,
};
use serde_json::json;

use super::harness::{self, Browser, Look};
use super::samples;

/// What the product sends with every page.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const LOOKS: [Look; 6] = [
    Look { width: 360, height: 800, scheme: "light" },
    Look { width: 360, height: 800, scheme: "dark" },
    Look { width: 768, height: 1024, scheme: "light" },
    Look { width: 768, height: 1024, scheme: "dark" },
    Look { width: 1440, height: 900, scheme: "light" },
    Look { width: 1440, height: 900, scheme: "dark" },
];

/// Fields without a label, pictures without words, ids that stand twice, and headings that skip a level.
const FAULTS: &str = "const faults = []; \
    for (const field of document.querySelectorAll('input:not([type=hidden])')) \
      if (!field.labels.length && !field.ariaLabel) faults.push('no label: ' + field.outerHTML); \
    for (const picture of document.querySelectorAll('[role=img], [role=meter], [role=region]')) \
      if (!picture.getAttribute('aria-label') && !picture.getAttribute('aria-labelledby')) \
        faults.push('no words: ' + picture.outerHTML.slice(0, 80)); \
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id); \
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push('twice: ' + id); \
    for (const element of document.querySelectorAll('[aria-describedby], [aria-labelledby]')) \
      for (const id of (element.getAttribute('aria-describedby') ?? element.getAttribute('aria-labelledby')).split(' ')) \
        if (!document.getElementById(id)) faults.push('names nothing: ' + id); \
    let level = 0; \
    for (const heading of document.querySelectorAll('h1, h2, h3')) { \
      if (Number(heading.tagName[1]) > level + 1) faults.push('skips a level: ' + heading.textContent); \
      level = Number(heading.tagName[1]); } \
    for (const target of document.querySelectorAll('button, a.button, input:not([type=hidden])')) { \
      const box = target.getBoundingClientRect(); \
      if (box.width && box.height < 24) faults.push('too small: ' + target.outerHTML.slice(0, 80)); } \
    return faults";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_of_claims_and_desks_is_finished_in_every_width_and_theme() {
    let Some(driver) = harness::driver_or_skip() else {
        return;
    };
    let pages = samples::pages();
    let (base, server) = serve(&pages).await;
    let (browser, _driver) = Browser::start(&driver).await;
    let names = pages.iter().map(|(name, _)| *name).collect();
    let outcome = tokio::spawn(look_at_all(browser.clone(), base, names)).await;
    browser.close().await;
    server.abort();
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

async fn serve(pages: &[(&'static str, String)]) -> (String, tokio::task::JoinHandle<()>) {
    let mut routes: Router = codewell::http::web::assets::routes();
    for (name, html) in pages {
        let html = html.clone();
        routes = routes.route(&format!("/{name}"), get(|| async move { Html(html) }));
    }
    let policy = tower_http::set_header::SetResponseHeaderLayer::overriding(
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static(POLICY),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, routes.layer(policy)).await.unwrap() });
    (base, server)
}

async fn look_at_all(browser: Browser, base: String, names: Vec<&'static str>) {
    for look in LOOKS {
        browser.look(look).await;
        for name in &names {
            browser.open(&format!("{base}/{name}")).await;
            browser.find("#main").await;
            assert_eq!(browser.console().await, Vec::<String>::new(), "{name}: the console spoke");
            let room = browser.evaluate("return [document.documentElement.scrollWidth, innerWidth]").await;
            assert!(room[0].as_u64() <= room[1].as_u64(), "{name} at {} px is {} px wide", look.width, room[0]);
            assert_eq!(browser.evaluate(FAULTS).await, json!([]), "{name} at {} px", look.width);
            browser.picture(name, look).await;
        }
    }
    read_a_day(&browser, &base).await;
    claim_by_keyboard(&browser, &base).await;
}

/// A day of the chart takes the focus and shows its values.
async fn read_a_day(browser: &Browser, base: &str) {
    let look = Look { width: 1440, height: 900, scheme: "light" };
    browser.look(look).await;
    browser.open(&format!("{base}/desk_full")).await;
    let focus = "const day = document.querySelectorAll('.chart-wide .chart-point')[20]; day.focus(); \
                 return [day.ariaLabel, getComputedStyle(day.querySelector('g')).visibility]";
    let seen = browser.evaluate(focus).await;
    assert_eq!(seen, json!(["21 Nov 2026, Issued 120, Redeemed 32", "visible"]));
    browser.picture("desk_day", look).await;
    let numbers = "document.querySelector('.chart-box .as-table').open = true; \
                   return document.querySelectorAll('.chart-box tbody tr').length";
    assert_eq!(browser.evaluate(numbers).await, 30);
    browser.picture("desk_table", look).await;
}

/// From the page's beginning to the button, nothing but the tabulator; every stop shows the focus.
async fn claim_by_keyboard(browser: &Browser, base: &str) {
    browser.look(Look { width: 360, height: 800, scheme: "light" }).await;
    browser.open(&format!("{base}/claim_phone")).await;
    let stop = "const now = document.activeElement; const ring = getComputedStyle(now); \
                return [now.name, ring.outlineStyle === 'solid' && ring.outlineWidth === '2px']";
    for name in ["phone", "marketing", "step"] {
        browser.press("\u{E004}").await;
        assert_eq!(browser.evaluate(stop).await, json!([name, true]));
    }
    browser.open(&format!("{base}/claim_code")).await;
    let typed = "return [document.activeElement.name, document.activeElement.autocomplete]";
    assert_eq!(browser.evaluate(typed).await, json!(["code", "one-time-code"]), "the digits can be typed at once");
}
