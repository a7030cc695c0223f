//! `/`: the start page of the demo, and the page of a host without one.

use askama::Template;

use super::{icons::Icon, simulator::KeywordView};

/// The creator the start page lets people be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatorTile {
    /// "Anna".
    pub name: String,
    /// "ANNA".
    pub keyword: String,
    /// Where the tile leads: "/creator" or "/x/anna".
    pub href: String,
}

/// The start page: what this is, and a tile for each part one can play.
#[derive(Debug, Template)]
#[template(path = "home.html", config = ".askama.toml")]
pub struct HomeView {
    /// The number to text, as shown: "12345".
    pub sender: String,
    /// The demo's keywords, the running ones first.
    pub keywords: Vec<KeywordView>,
    /// Where a partner's tile leads, such as "/docs"; none where no partner is set up.
    pub partner: Option<String>,
    /// The creator's tile; none where no creator is set up.
    pub creator: Option<CreatorTile>,
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
        let html = home(keywords).render().unwrap();
        assert!(html.contains(r#"href="/simulator""#) && html.contains(r#"href="/till""#));
        assert!(html.contains("PIZZA") && html.contains("Ended 31 Aug"));
        assert_eq!(html.matches(r#"class="tile""#).count(), 2, "nothing leads to what is not set up");
    }

    #[test]
    fn a_partner_and_a_creator_have_tiles_where_they_are_set_up() {
        let creator = CreatorTile { name: "Anna".to_owned(), keyword: "ANNA".to_owned(), href: "/x/anna".to_owned() };
        let view = HomeView { partner: Some("/docs".to_owned()), creator: Some(creator), ..home(Vec::new()) };
        let html = view.render().unwrap();
        assert!(html.contains(r#"href="/docs""#) && html.contains(r#"href="/x/anna""#) && html.contains("ANNA"));
    }

    fn home(keywords: Vec<KeywordView>) -> HomeView {
        HomeView { sender: "12345".to_owned(), keywords, partner: None, creator: None }
    }
}
