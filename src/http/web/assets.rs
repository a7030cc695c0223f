//! The stylesheet, the script and the icon of our pages: compiled in, served from memory.
//!
//! Pages name an asset by [`url`], which carries a hash of its bytes; that address is cached for a year and changes
//! with the content. The bare address works too and is revalidated by its `ETag`.

use std::{fmt::Write as _, sync::LazyLock};

use aws_lc_rs::digest;
use axum::{
    Router,
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// A file compiled into the program.
#[derive(Debug)]
pub struct Asset {
    name: &'static str,
    content_type: &'static str,
    body: &'static [u8],
    /// First 16 hex digits of the SHA-256 of `body`.
    hash: String,
}

impl Asset {
    fn new(name: &'static str, content_type: &'static str, body: &'static [u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, body);
        let mut hash = String::new();
        for byte in digest.as_ref().iter().take(8) {
            // Writing into a String cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        Self { name, content_type, body, hash }
    }

    /// Bytes it takes on the way to a browser.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.body.len()
    }
}

static ASSETS: LazyLock<[Asset; 6]> = LazyLock::new(|| {
    [
        Asset::new("app.css", "text/css; charset=utf-8", include_bytes!("static/app.css")),
        Asset::new("creator.css", "text/css; charset=utf-8", include_bytes!("static/creator.css")),
        Asset::new("docs.css", "text/css; charset=utf-8", include_bytes!("static/docs.css")),
        Asset::new("app.js", "text/javascript; charset=utf-8", include_bytes!("static/app.js")),
        Asset::new("seen.js", "text/javascript; charset=utf-8", include_bytes!("static/seen.js")),
        Asset::new("icon.svg", "image/svg+xml", include_bytes!("static/icon.svg")),
    ]
});

/// The asset of that file name, if there is one.
#[must_use]
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The address a page should use: `/static/app.css?v=0123456789abcdef`. An unknown name gets its bare address.
#[must_use]
pub fn url(name: &str) -> String {
    find(name).map_or_else(|| format!("/static/{name}"), |asset| format!("/static/{name}?v={}", asset.hash))
}

/// The routes `/static/{name}` and `/favicon.ico` (which browsers ask for unasked).
pub fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route(
            "/static/{name}",
            get(|Path(name): Path<String>, query, headers| async move { answer(&name, query, &headers) }),
        )
        .route("/favicon.ico", get(|headers: HeaderMap| async move { answer("icon.svg", RawQuery(None), &headers) }))
}

fn answer(name: &str, RawQuery(query): RawQuery, headers: &HeaderMap) -> Response {
    let Some(asset) = find(name) else {
        return super::not_found(super::errors::Missing::Page);
    };
    let etag = format!("\"{}\"", asset.hash);
    let is_versioned = query.is_some_and(|query| query.strip_prefix("v=") == Some(asset.hash.as_str()));
    let cache = if is_versioned { "public, max-age=31536000, immutable" } else { "no-cache" };
    let is_fresh = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let mut response = if is_fresh { StatusCode::NOT_MODIFIED.into_response() } else { asset.body.into_response() };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    response
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;

    use super::*;

    async fn fetch(path: &str, etag: Option<&str>) -> Response {
        let mut request = Request::get(path);
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        routes::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn an_address_with_its_hash_is_cached_for_a_year() {
        let response = fetch(&url("app.css"), None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
    }

    #[tokio::test]
    async fn an_address_with_another_hash_is_not_kept() {
        let response = fetch("/static/app.js?v=0000000000000000", None).await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
    }

    #[tokio::test]
    async fn a_known_etag_is_answered_without_a_body() {
        let etag = fetch("/static/app.js", None).await.headers()[header::ETAG].to_str().unwrap().to_owned();
        let response = fetch("/static/app.js", Some(&etag)).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(axum::body::to_bytes(response.into_body(), 1).await.unwrap().len(), 0);
    }

    #[tokio::test]
    async fn an_unknown_asset_is_a_finished_404_page() {
        let response = fetch("/static/nothing.css", None).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }

    #[test]
    fn each_stylesheet_stays_under_25_kb_and_the_script_under_30_kb() {
        assert!(find("app.css").unwrap().body.len() <= 25_000);
        assert!(find("creator.css").unwrap().body.len() <= 25_000);
        assert!(find("app.js").unwrap().body.len() <= 30_000);
    }
}
