//! `/x/{slug}`: the claim page of a creator or of a placement. Server-rendered, without any script.
//!
//! A claim has two steps, each a plain form post to [`PhoneForm::action`] or [`CodeForm::action`]: the phone
//! (`step=send`, fields `phone` and perhaps `marketing`), then the six digits that were texted to it (`step=prove`,
//! field `code`). "Send it again" is `step=send` without a `phone`: the hidden fields carry what the server needs to
//! know. Success has no view: the handler answers 303 to the live coupon.

use askama::Template;

use super::{coupon::BrandView, icons::Icon};

/// Who hands the offer on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiverView {
    /// "Anna", as she is known.
    pub name: String,
    /// One or two letters that stand for her picture: "A".
    pub monogram: String,
    /// Her disclosure in her own voice: "Ad: I earn a commission if you use my code". Shown beside "Paid partnership".
    pub disclosure: String,
}

/// A field the form carries unseen, such as the signed state of the claim or the sub id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenField {
    /// Its name.
    pub name: &'static str,
    /// Its value; escaped by the template.
    pub value: String,
}

/// A box that is not ticked for anybody: texts beyond the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketingConsent {
    /// "Acme may also text me offers, up to 4 a month. I can stop any time with STOP."
    pub words: String,
    /// As she left it.
    pub is_ticked: bool,
}

/// The first step: her number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneForm {
    /// Where it is posted: the page's own address with its query.
    pub action: String,
    /// Carried unseen.
    pub hidden: Vec<HiddenField>,
    /// As typed.
    pub phone: String,
    /// The fix, in words: "Write the number with its area code, such as (202) 555-0188".
    pub phone_error: Option<String>,
    /// Which numbers are taken: "A mobile number from the US or Canada. Others begin with + and the country code."
    pub country_hint: String,
    /// What pressing the button means: "By going on you agree to get one text with a 6-digit code. Msg & data rates
    /// may apply."
    pub consent_line: String,
    /// Where only a code she has is to be found, why: "All codes of this offer are gone."
    pub why_own: Option<&'static str>,
    /// Asked apart from the claim; none where the campaign asks for nothing more.
    pub marketing: Option<MarketingConsent>,
    /// The word and the number of the other way: ("ANNA", "12345"); none where there is no keyword.
    pub by_text: Option<(String, String)>,
}

/// Whether the digits can be sent once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resend {
    /// By a press of the button.
    Now,
    /// "in 40 seconds" or "at 2:31 PM".
    Later(String),
    /// Not for this claim any more: another number or another day.
    Never,
}

/// The second step: the digits that were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeForm {
    /// Where it is posted.
    pub action: String,
    /// Carried unseen in both forms of this step.
    pub hidden: Vec<HiddenField>,
    /// The number, masked: "(•••) •••-••88".
    pub sent_to: String,
    /// As [`PhoneForm::why_own`]: digits were sent only if the number has a code, and the page does not say which.
    pub why_own: Option<&'static str>,
    /// As typed.
    pub code: String,
    /// The fix, in words: "These are not the digits we sent. Check the newest message."
    pub code_error: Option<String>,
    /// How often she may still try; shown below five.
    pub tries_left: u8,
    /// When the digits end: "2:41 PM".
    pub valid_until: String,
    /// Sending once more.
    pub resend: Resend,
    /// Said above the form after a press: "We sent new digits. The old ones no longer count."
    pub notice: Option<String>,
    /// The page's first step, to use another number.
    pub other_number: String,
}

/// Where a claim stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimStep {
    /// Asks for the number.
    Phone(PhoneForm),
    /// Asks for the digits.
    Code(CodeForm),
    /// Every code is given out.
    SoldOut,
    /// Begins later: "Tue 24 Nov 2026, 9:00 AM ET".
    NotStarted {
        /// When.
        from: String,
    },
    /// Over: "31 Dec 2026".
    Ended {
        /// When; none when it was ended by hand.
        at: Option<String>,
    },
    /// Campaign paused, creator paused or suspended: the page does not say which.
    Paused,
    /// Too many tries with one number, from one address or in one country.
    Throttled {
        /// "at 3:05 PM" or "tomorrow".
        again: String,
        /// The page's first step.
        back: String,
    },
    /// A cap is full: "Sun 1 Nov 2026, 12:00 AM ET" is the next chance; none where there is none.
    Capped {
        /// When.
        again: Option<String>,
    },
    /// The code must be confirmed first; it comes by text.
    Promised,
    /// The engine could not take the request; nothing was counted.
    Busy {
        /// The page's first step.
        back: String,
    },
}

/// The claim page.
#[derive(Debug, Template)]
#[template(path = "claim.html", config = ".askama.toml")]
pub struct ClaimView {
    /// Whose offer it is.
    pub brand: BrandView,
    /// The creator; none on a placement of the house, which needs no disclosure.
    pub giver: Option<GiverView>,
    /// "$5 off any large pizza".
    pub offer_title: String,
    /// The conditions, a sentence each.
    pub terms: Vec<String>,
    /// Where the claim stands.
    pub step: ClaimStep,
    /// On a closed page, where she finds a code that she has; none where nobody can have one.
    pub own: Option<String>,
}

impl ClaimView {
    /// A page with nothing to do on it.
    fn is_closed(&self) -> bool {
        !matches!(self.step, ClaimStep::Phone(_) | ClaimStep::Code(_))
    }

    /// For the page's title: the step, and whether a field has to be mended.
    fn title_prefix(&self) -> &'static str {
        match &self.step {
            ClaimStep::Phone(form) if form.phone_error.is_some() => "Please check your number: ",
            ClaimStep::Code(form) if form.code_error.is_some() => "Please check the digits: ",
            ClaimStep::Code(_) => "Enter the 6 digits: ",
            ClaimStep::Phone(_)
            | ClaimStep::SoldOut
            | ClaimStep::NotStarted { .. }
            | ClaimStep::Ended { .. }
            | ClaimStep::Paused
            | ClaimStep::Throttled { .. }
            | ClaimStep::Capped { .. }
            | ClaimStep::Promised
            | ClaimStep::Busy { .. } => "",
        }
    }
}

impl CodeForm {
    /// Said only when it matters.
    fn tries(&self) -> Option<String> {
        match self.tries_left {
            0 | 5.. => None,
            1 => Some("1 try left.".to_owned()),
            left => Some(format!("{left} tries left.")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn render(step: ClaimStep) -> String {
        let giver = GiverView {
            name: "Anna".to_owned(),
            monogram: "A".to_owned(),
            disclosure: "Ad: I earn a commission if you use my code".to_owned(),
        };
        let brand = BrandView { name: "Acme".to_owned(), colour: None };
        let terms = vec!["One per person.".to_owned()];
        ClaimView { brand, giver: Some(giver), offer_title: "$5 off".to_owned(), terms, step, own: None }
            .render()
            .unwrap()
    }

    fn code_form() -> CodeForm {
        CodeForm {
            action: "/x/anna?sub=a".to_owned(),
            hidden: vec![HiddenField { name: "claim", value: "a\"b".to_owned() }],
            sent_to: "88".to_owned(),
            why_own: None,
            code: "12345".to_owned(),
            code_error: Some("Six digits, please.".to_owned()),
            tries_left: 3,
            valid_until: "2:41 PM".to_owned(),
            resend: Resend::Now,
            notice: None,
            other_number: "/x/anna".to_owned(),
        }
    }

    #[test]
    fn the_first_step_discloses_before_it_asks_and_keeps_what_was_typed() {
        let form = PhoneForm {
            action: "/x/anna?sub=a&b".to_owned(),
            phone: "202".to_owned(),
            phone_error: Some("Too short.".to_owned()),
            ..PhoneForm::default()
        };
        let html = render(ClaimStep::Phone(form));
        assert!(html.find("Paid partnership").unwrap() < html.find("<form").unwrap());
        assert!(html.contains(r#"value="202""#) && html.contains(r#"aria-invalid="true""#));
        assert!(html.contains(r#"id="phone-error""#) && html.contains(r#"aria-describedby="phone-error phone-help""#));
        assert!(!html.contains("sub=a&b"), "an address is escaped");
    }

    #[test]
    fn the_second_step_asks_for_a_one_time_code_and_can_send_it_again() {
        let html = render(ClaimStep::Code(code_form()));
        for part in [
            r#"autocomplete="one-time-code""#,
            r#"inputmode="numeric""#,
            r#"value="12345""#,
            "3 tries left",
            r#"value="prove""#,
            r#"value="send""#,
            "a&#34;b",
        ] {
            assert!(html.contains(part), "{part}");
        }
        let html = render(ClaimStep::Code(CodeForm { resend: Resend::Later("at 2:32 PM".to_owned()), ..code_form() }));
        assert!(!html.contains(r#"value="send""#) && html.contains("at 2:32 PM"));
    }

    #[test]
    fn closed_pages_say_why_and_have_no_form_and_no_script() {
        for (step, words) in [
            (ClaimStep::SoldOut, "All codes are gone"),
            (ClaimStep::NotStarted { from: "Tue 24 Nov".to_owned() }, "Tue 24 Nov"),
            (ClaimStep::Ended { at: None }, "has ended"),
            (ClaimStep::Paused, "not available right now"),
            (ClaimStep::Throttled { again: "at 3:05 PM".to_owned(), back: "/x/anna".to_owned() }, "at 3:05 PM"),
            (ClaimStep::Capped { again: Some("Sun 1 Nov".to_owned()) }, "Sun 1 Nov"),
            (ClaimStep::Capped { again: None }, "no more for this number"),
            (ClaimStep::Promised, "by text"),
            (ClaimStep::Busy { back: "/x/anna".to_owned() }, "Nothing was counted"),
        ] {
            let html = render(step);
            assert!(html.contains(words), "{words}");
            assert!(!html.contains("<form") && !html.contains("<script"), "{words}");
        }
    }

    #[test]
    fn a_suspended_creator_is_not_told_apart_from_a_paused_campaign() {
        let html = render(ClaimStep::Paused);
        assert!(!html.to_lowercase().contains("suspend") && !html.contains("creator is"));
    }
}
