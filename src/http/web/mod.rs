//! The pages people see: plain structs with already-worded strings, and the templates that show them.
//!
//! A handler fills a view (`home::HomeView`, `simulator::SimulatorView`, `till::TillView`, `coupon::CouponView`,
//! `claim::ClaimView`, `creator_desk::DeskView`) and returns [`page`]. Nothing in here decides, reads a clock or a
//! database; what a view holds is shown as it is (escaped). All pages work under a content security policy without inline styles and scripts, and can be read
//! without a script.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

pub mod assets;
pub mod charts;
pub mod claim;
pub mod coupon;
pub mod creator_desk;
pub mod docs;
pub mod errors;
pub mod home;
pub mod icons;
pub mod qr;
pub mod simulator;
pub mod text;
pub mod till;

#[cfg(test)]
mod style_tests;

/// Answers with a page. Pages are never stored by caches: they show the state of one moment.
///
/// A template that cannot be rendered is logged and answered as the 500 page.
pub fn page(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(html) => html_response(status, html),
        Err(error) => {
            tracing::error!(error = %error, "rendering a page failed");
            html_response(StatusCode::INTERNAL_SERVER_ERROR, errors::LAST_RESORT.to_owned())
        }
    }
}

/// The neutral 404 page.
#[must_use]
pub fn not_found(missing: errors::Missing) -> Response {
    page(StatusCode::NOT_FOUND, &errors::ErrorView::not_found(missing))
}

/// The 500 page: says that nothing was lost and what to do; the cause is in the log, never on the page.
#[must_use]
pub fn server_error() -> Response {
    page(StatusCode::INTERNAL_SERVER_ERROR, &errors::ErrorView::server_error())
}

fn html_response(status: StatusCode, html: String) -> Response {
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
