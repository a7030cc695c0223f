//! `/c/{token}`: the live coupon. Server-rendered; its one script only tells that it is open.

use askama::Template;

use super::{icons::Icon, qr::QrSvg};

/// A brand's colour, `#RRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrandColour([u8; 3]);

/// The text is not a colour of the form `#RRGGBB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a brand colour is written #RRGGBB")]
pub struct NotAColour;

impl BrandColour {
    /// Reads `#RRGGBB`, either case.
    ///
    /// # Errors
    /// [`NotAColour`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NotAColour> {
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .ok_or(NotAColour)?;
        let channel = |range| digits.get(range).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or(NotAColour);
        Ok(Self([channel(0..2)?, channel(2..4)?, channel(4..6)?]))
    }

    /// Relative luminance as WCAG 2 defines it, 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Whether white text has more contrast on this colour than black text.
    fn wants_white(self) -> bool {
        let luminance = self.luminance();
        1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05
    }

    pub(super) fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

/// Who gives the coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrandView {
    /// "Acme".
    pub name: String,
    /// The colour of the block at the head; without one the page's accent is used.
    pub colour: Option<BrandColour>,
}

impl BrandView {
    /// Class that chooses the text colour on the block.
    pub(super) fn ink_class(&self) -> &'static str {
        match self.colour {
            None => "on-accent",
            Some(colour) if colour.wants_white() => "on-dark",
            Some(_) => "on-light",
        }
    }
}

/// The state the coupon is in. Only the active face carries the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CouponFace {
    /// Can be used now.
    Active {
        /// The code with its separators.
        code: String,
        /// The same code for a scanner.
        qr: QrSvg,
        /// "Thu 31 Dec 2026, 11:59 PM ET"; none when it does not expire.
        valid_until: Option<String>,
        /// "14 Nov 2026, 6:22 PM": when the system that honours it last said so; none where we honour it.
        checked: Option<String>,
    },
    /// Given out, but its first day is to come.
    NotYetActive {
        /// "Tue 24 Nov 2026, 9:00 AM ET".
        from: String,
    },
    /// Redeemed.
    Used {
        /// "14 Nov 2026, 6:22 PM, Store 17".
        stamp: String,
    },
    /// Past its last moment.
    Expired {
        /// "31 Dec 2026, 11:59 PM ET".
        at: String,
    },
    /// The campaign is over or paused for redeeming.
    Ended {
        /// "31 Dec 2026"; none when it is only paused.
        at: Option<String>,
    },
    /// Taken back by the brand.
    Void,
}

/// The live coupon.
#[derive(Debug, Template)]
#[template(path = "coupon.html", config = ".askama.toml")]
pub struct CouponView {
    /// Who gives it.
    pub brand: BrandView,
    /// "$5 off any large pizza".
    pub offer_title: String,
    /// The state.
    pub face: CouponFace,
    /// The conditions, a sentence each.
    pub terms: Vec<String>,
}

impl CouponView {
    /// A used, expired, ended or void coupon is shown in grey.
    fn is_over(&self) -> bool {
        !matches!(self.face, CouponFace::Active { .. } | CouponFace::NotYetActive { .. })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::http::web::qr;

    const CODE: &str = "PZA-7KMQ-4XTD";

    fn render(face: CouponFace) -> String {
        let brand = BrandView { name: "Acme".to_owned(), colour: None };
        let terms = vec!["One per person.".to_owned()];
        CouponView { brand, offer_title: "$5 off".to_owned(), face, terms }.render().unwrap()
    }

    #[test]
    fn an_active_coupon_shows_code_scanner_picture_terms_and_its_last_moment() {
        let html = render(CouponFace::Active {
            code: CODE.to_owned(),
            qr: qr::svg(CODE).unwrap(),
            valid_until: Some("Thu 31 Dec 2026, 11:59 PM ET".to_owned()),
            checked: None,
        });
        for part in [CODE, "<svg class=\"qr\"", "One per person.", "Valid until Thu 31 Dec 2026, 11:59 PM ET"] {
            assert!(html.contains(part), "{part} is missing");
        }
    }

    #[test]
    fn a_used_coupon_is_stamped_and_carries_neither_code_nor_scanner_picture() {
        let html = render(CouponFace::Used { stamp: "14 Nov 2026, 6:22 PM, Store 17".to_owned() });
        assert!(html.contains("14 Nov 2026, 6:22 PM, Store 17"));
        assert!(!html.contains("class=\"qr\"") && !html.contains("class=\"code\""));
    }

    #[test]
    fn every_face_is_read_without_its_script_which_only_tells_that_it_is_open() {
        let faces = [
            CouponFace::NotYetActive { from: "Tue 24 Nov 2026, 9:00 AM ET".to_owned() },
            CouponFace::Used { stamp: "14 Nov 2026".to_owned() },
            CouponFace::Expired { at: "31 Dec 2026".to_owned() },
            CouponFace::Ended { at: None },
            CouponFace::Void,
        ];
        for face in faces {
            let html = render(face.clone());
            assert_eq!(html.matches("<script").count(), html.matches("/static/seen.js").count(), "{face:?}");
        }
    }

    #[test]
    fn the_text_on_a_brand_block_is_the_one_with_more_contrast() {
        for (colour, class) in
            [("#C8102E", "on-dark"), ("#FFD100", "on-light"), ("#ffffff", "on-light"), ("#000000", "on-dark")]
        {
            let brand = BrandView { name: "Acme".to_owned(), colour: Some(BrandColour::parse(colour).unwrap()) };
            assert_eq!(brand.ink_class(), class, "{colour}");
        }
    }

    #[test]
    fn a_colour_that_is_not_six_hex_digits_is_refused() {
        for text in ["", "#fff", "red", "#12345g", "123456", "#12345é", "#+1+2+3"] {
            assert_eq!(BrandColour::parse(text), Err(NotAColour), "{text}");
        }
    }
}
