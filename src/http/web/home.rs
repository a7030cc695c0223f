//! `/`: the start page of the demo, and the page of a host without one.

use askama::Template;

use super::{icons::Icon, simulator::KeywordView};

/// The start page: what this is, and the two tiles.
#[derive(Debug, Template)]
#[template(path = "home.html", config = ".askama.toml")]
pub struct HomeView {
    /// The number to text, as shown: "12345".
    pub sender: String,
    /// The demo's keywords, the running ones first.
    pub keywords: Vec<KeywordView>,
}

impl HomeView {
    /// The first running keyword, for the sentence that says what to text.
    fn first_keyword(&self) -> Option<&str> {
        self.keywords.iter().find(|keyword| keyword.is_running()).map(|keyword| keyword.word.as_str())
    }
}

/// What stands at `/` where real phones are texted: what this host is, and nothing to follow.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "host.html", config = ".askama.toml")]
pub struct HostView;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::http::web::simulator::KeywordState;

    #[test]
    fn the_two_tiles_lead_to_the_simulator_and_the_till() {
        let keywords = vec![
            KeywordView {
                word: "SUMMER".to_owned(),
                offer: String::new(),
                state: KeywordState::Closed("Ended 31 Aug".to_owned()),
            },
            KeywordView { word: "PIZZA".to_owned(), offer: "$5 off".to_owned(), state: KeywordState::Running },
        ];
        let html = HomeView { sender: "12345".to_owned(), keywords }.render().unwrap();
        assert!(html.contains(r#"href="/simulator""#) && html.contains(r#"href="/till""#));
        assert!(html.contains("PIZZA") && html.contains("Ended 31 Aug"));
    }
}
