//! Pages for what went wrong: neutral, without navigation (they are shown to consumers too).

use askama::Template;

use super::icons::Icon;

/// What was asked for and is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Any address we do not serve.
    Page,
    /// A coupon link whose token we do not know.
    Coupon,
}

/// A finished error page.
#[derive(Debug, Template)]
#[template(path = "error.html", config = ".askama.toml")]
pub struct ErrorView {
    /// The status in figures, as a small label.
    status: &'static str,
    icon: Icon,
    title: &'static str,
    text: &'static str,
    /// What the reader can do now: words and address. None when there is nothing to follow.
    action: Option<(&'static str, &'static str)>,
}

impl ErrorView {
    /// The 404 page. It names no product and offers no link that could itself be missing.
    #[must_use]
    pub const fn not_found(missing: Missing) -> Self {
        match missing {
            Missing::Page => Self {
                status: "404",
                icon: Icon::Void,
                title: "There is no page here",
                text: "The address may be mistyped, or the page may have moved. Check it and try again.",
                action: None,
            },
            Missing::Coupon => Self {
                status: "404",
                icon: Icon::Ticket,
                title: "We can\u{2019}t find this coupon",
                text: "The link may be incomplete. Open it again from your message, or text the keyword once more: you get the same coupon.",
                action: None,
            },
        }
    }

    /// The 500 page, with a link that loads the same address again.
    #[must_use]
    pub const fn server_error() -> Self {
        Self {
            status: "500",
            icon: Icon::Alert,
            title: "Something went wrong on our side",
            text: "Nothing was lost: a code that was given out stays yours. Please try again in a moment.",
            action: Some(("Try again", "")),
        }
    }

    /// The 503 page: too busy or the store is away; trying again helps.
    #[must_use]
    pub const fn busy() -> Self {
        Self {
            status: "503",
            icon: Icon::Clock,
            title: "We are busy right now",
            text: "Your request was not taken, so nothing was counted. Please try again in a few seconds.",
            action: Some(("Try again", "")),
        }
    }
}

/// What is sent when even the error page cannot be rendered.
pub(super) const LAST_RESORT: &str = "<!doctype html><html lang=\"en\"><title>Something went wrong</title><h1>Something went wrong on our side</h1><p>Please try again in a moment.</p></html>";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_coupon_404_says_what_to_do_and_links_nowhere() {
        let html = ErrorView::not_found(Missing::Coupon).render().unwrap();
        assert!(html.contains("find this coupon") && html.contains("you get the same coupon"));
        assert!(!html.contains("<a "));
    }

    #[test]
    fn the_500_page_offers_to_try_again() {
        let html = ErrorView::server_error().render().unwrap();
        assert!(html.contains("Try again") && html.contains("500"));
    }
}
