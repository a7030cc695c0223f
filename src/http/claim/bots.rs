//! Who opens a page without anybody looking at it: prefetches and the previews of messengers.

use axum::http::{HeaderMap, header};

/// Parts of the names by which programs that fetch links call themselves, lower case.
const PROGRAMS: [&str; 22] = [
    "bot",
    "crawl",
    "spider",
    "preview",
    "facebookexternalhit",
    "facebookcatalog",
    "meta-externalagent",
    "whatsapp",
    "slack",
    "telegram",
    "viber",
    "skypeuripreview",
    "embedly",
    "pinterest/",
    "vkshare",
    "google-safety",
    "google-read-aloud",
    "mediapartners",
    "headlesschrome-lighthouse",
    "snap url",
    "curl/",
    "wget/",
];

/// Whether a request looks like somebody's who reads the page.
pub(super) fn is_a_person(headers: &HeaderMap) -> bool {
    let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_ahead = ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        let purpose = value(name).to_ascii_lowercase();
        purpose.contains("prefetch") || purpose.contains("prerender") || purpose.contains("preview")
    });
    let agent = value(header::USER_AGENT.as_str()).to_ascii_lowercase();
    !is_ahead && !agent.is_empty() && !PROGRAMS.iter().any(|name| agent.contains(name))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn asked(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, "Mozilla/5.0 (iPhone) Safari/604.1".parse().unwrap());
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn browsers_are_people_and_previews_and_prefetches_are_not() {
        assert!(is_a_person(&asked("accept", "text/html")));
        assert!(is_a_person(&asked("user-agent", "Mozilla/5.0 [FBAN/FBIOS;FBAV/400.0]")), "the browser of an app");
        for agent in ["facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0", "WhatsApp/2.23.20", "Googlebot/2.1", ""]
        {
            assert!(!is_a_person(&asked("user-agent", agent)), "{agent}");
        }
        for (name, value) in [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch"), ("x-moz", "prefetch")] {
            assert!(!is_a_person(&asked(name, value)), "{name}");
        }
    }
}
