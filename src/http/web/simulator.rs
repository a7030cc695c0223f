//! `/simulator`: phones in the browser.
//!
//! The page shows one phone as the server knows it (readable and usable without a script); the script adds more
//! phones beside it and keeps them fresh from the JSON interface.

use askama::Template;

use super::{
    icons::Icon,
    text::{self, Piece},
};

/// Whether texting a keyword gets a code at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeywordState {
    /// It does; offered as a quick reply.
    Running,
    /// Not yet, or no more; in words: "Opens 24 Nov", "Ended 31 Aug".
    Closed(String),
}

/// A keyword people can text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeywordView {
    /// The word, upper case.
    pub word: String,
    /// What it brings: "$5 off any large pizza".
    pub offer: String,
    /// Running, or why not.
    pub state: KeywordState,
}

impl KeywordView {
    /// Whether the keyword belongs among the quick replies.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.state == KeywordState::Running
    }
}

/// Who wrote a message, seen from the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the phone to us ("mo").
    Hers,
    /// From us to the phone ("mt").
    Ours,
}

/// One line of a bubble's unfolded part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailView {
    /// "Message", "Segments", "Decision", "Rule", "Counter", …
    pub label: String,
    /// The value in words.
    pub value: String,
}

impl DetailView {
    /// An id is kept on one line and can be copied.
    fn is_id(&self) -> bool {
        matches!(self.label.as_str(), "Message" | "Decision")
    }
}

/// A message in a phone's thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// The id the JSON interface uses for it.
    pub id: String,
    /// Who wrote it.
    pub direction: Direction,
    /// The text as sent.
    pub text: String,
    /// RFC 3339; the script words it in the reader's zone.
    pub at: String,
    /// The time in words for readers without a script: "6:22 PM".
    pub at_words: String,
    /// "received", "queued", "submitted", "delivered", "failed", … as in the JSON.
    pub status: String,
    /// What stands in the unfolded part, in order.
    pub details: Vec<DetailView>,
}

impl MessageView {
    fn is_hers(&self) -> bool {
        self.direction == Direction::Hers
    }

    fn pieces(&self) -> Vec<Piece> {
        text::pieces(&self.text)
    }

    fn code(&self) -> Option<String> {
        match self.direction {
            Direction::Hers => None,
            Direction::Ours => text::first_code(&self.text),
        }
    }

    fn status_words(&self) -> &str {
        status_words(&self.status)
    }

    fn is_failed(&self) -> bool {
        self.status_words() == NOT_DELIVERED
    }
}

const NOT_DELIVERED: &str = "Not delivered";

/// A delivery status in words: "Delivered". An unknown one is shown as it is.
fn status_words(status: &str) -> &str {
    match status {
        "received" => "Received",
        "queued" => "Waiting to be sent",
        "submitting" | "submitted" | "sent" => "Sent",
        "delivered" => "Delivered",
        "failed" | "undelivered" | "rejected" | "dropped" | "cancelled" => NOT_DELIVERED,
        other => other,
    }
}

/// A number among the phones, as a tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneTab {
    /// E.164: "+12025550123".
    pub number: String,
    /// As people write it: "(202) 555-0123".
    pub shown: String,
}

impl PhoneTab {
    /// The number inside a query string: only the plus needs escaping in E.164.
    fn in_query(&self) -> String {
        self.number.replace('+', "%2B")
    }
}

/// The simulator page with one phone open.
#[derive(Debug, Template)]
#[template(path = "simulator.html", config = ".askama.toml")]
pub struct SimulatorView {
    /// The brand that answers: "Acme".
    pub sender_name: String,
    /// The number to text: "12345".
    pub sender: String,
    /// The default phones, the open one among them.
    pub phones: Vec<PhoneTab>,
    /// E.164 number of the open phone.
    pub open: String,
    /// Its messages, oldest first.
    pub messages: Vec<MessageView>,
    /// All keywords of the sender.
    pub keywords: Vec<KeywordView>,
    /// What was typed and could not be sent, kept in the field.
    pub draft: String,
    /// Why it could not be sent, with the fix in words.
    pub error: Option<String>,
}

impl SimulatorView {
    fn open_shown(&self) -> &str {
        self.phones
            .iter()
            .find(|phone| phone.number == self.open)
            .map_or(self.open.as_str(), |phone| phone.shown.as_str())
    }

    fn initial(&self) -> String {
        self.sender_name.chars().next().map_or_else(String::new, |first| first.to_uppercase().collect())
    }

    fn running(&self) -> impl Iterator<Item = &KeywordView> {
        self.keywords.iter().filter(|keyword| keyword.is_running())
    }

    fn first_keyword(&self) -> Option<&str> {
        self.running().next().map(|keyword| keyword.word.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn view(messages: Vec<MessageView>) -> SimulatorView {
        SimulatorView {
            sender_name: "Acme".to_owned(),
            sender: "12345".to_owned(),
            phones: vec![PhoneTab { number: "+12025550123".to_owned(), shown: "(202) 555-0123".to_owned() }],
            open: "+12025550123".to_owned(),
            messages,
            keywords: vec![
                KeywordView { word: "PIZZA".to_owned(), offer: "$5 off".to_owned(), state: KeywordState::Running },
                KeywordView {
                    word: "MORNING".to_owned(),
                    offer: "Coffee".to_owned(),
                    state: KeywordState::Closed("Opens 24 Nov".to_owned()),
                },
            ],
            draft: String::new(),
            error: None,
        }
    }

    fn reply(text: &str) -> MessageView {
        MessageView {
            id: "msg_2".to_owned(),
            direction: Direction::Ours,
            text: text.to_owned(),
            at: "2026-11-14T23:22:00Z".to_owned(),
            at_words: "6:22 PM".to_owned(),
            status: "delivered".to_owned(),
            details: vec![DetailView { label: "Decision".to_owned(), value: "dec_1".to_owned() }],
        }
    }

    #[test]
    fn a_reply_shows_its_link_its_code_and_its_decision_without_a_script() {
        let html = view(vec![reply("Acme: code PZA-7KMQ-4XTD acme.example/c/abc")]).render().unwrap();
        assert!(html.contains(r#"href="//acme.example/c/abc""#));
        assert!(html.contains(r#"data-copy="PZA-7KMQ-4XTD""#));
        assert!(html.contains("dec_1") && html.contains("Delivered"));
    }

    #[test]
    fn what_somebody_texts_is_shown_as_text_not_as_markup() {
        let html = view(vec![reply("<script>alert(1)</script>")]).render().unwrap();
        assert!(!html.contains("<script>alert"));
    }

    #[test]
    fn only_running_keywords_are_quick_replies_but_all_are_listed() {
        let html = view(Vec::new()).render().unwrap();
        assert!(html.contains(r#"data-chip="PIZZA""#) && !html.contains(r#"data-chip="MORNING""#));
        assert!(html.contains("Opens 24 Nov"));
    }

    #[test]
    fn a_text_that_could_not_be_sent_stays_in_the_field_with_its_reason() {
        let mut view = view(Vec::new());
        view.draft = "PIZZA please".to_owned();
        view.error = Some("The simulator is busy. Send it again.".to_owned());
        let html = view.render().unwrap();
        assert!(html.contains(r#"value="PIZZA please""#) && html.contains("Send it again."));
    }
}
