//! `/admin/v1/creators`: made, listed, stopped, and let into their desks.

use super::bodies::Wish;
use super::page::rows;
use crate::engine::{Admin, CreatorChange, CreatorError, CreatorIn as Wanted, CreatorRecord, Engine};
use crate::http::problem::{Json, Path, Problem, Query};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A creator that shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreatorIn {
    /// Her name in links and keywords.
    #[schema(pattern = "^[A-Za-z0-9]{3,20}$", min_length = 3, max_length = 20, example = "emma")]
    handle: String,
    /// Her name, for people.
    #[schema(min_length = 1, max_length = 60, example = "Emma Diaz")]
    name: String,
    /// Her own number: DESK from it opens her desk, and codes for it earn nothing. It is never shown.
    #[schema(example = "+12025550107")]
    phone: Option<String>,
    /// What her audience is told of her interest; a standard sentence where it is left out.
    #[schema(max_length = 200)]
    disclosure: Option<String>,
}

/// What shall be different; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreatorChangeIn {
    /// Her name, for people.
    #[schema(min_length = 1, max_length = 60)]
    name: Option<String>,
    /// Her own number; `null`: none is known any more.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "+12025550108")]
    phone: Wish<String>,
    /// What her audience is told of her interest; the standard words where it is empty.
    #[schema(max_length = 200)]
    disclosure: Option<String>,
}

/// A creator as she is; her number is never told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatorOut {
    /// Her name in links and keywords.
    #[schema(example = "emma")]
    handle: String,
    /// Her name, for people.
    #[schema(example = "Emma Diaz")]
    name: String,
    /// `active` or `suspended`.
    #[schema(example = "active")]
    status: &'static str,
    /// Whether a number of hers is known.
    #[schema(example = true)]
    has_phone: bool,
    /// What her audience is told of her interest.
    #[schema(example = "Paid partnership: I earn a commission.")]
    disclosure: String,
    /// The campaigns she speaks for.
    campaigns: Vec<PartOut>,
    created_at: DateTime<Utc>,
}

/// A creator's part in a campaign.
#[derive(Debug, Serialize, ToSchema)]
struct PartOut {
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    /// The most codes that are her merit.
    #[schema(example = 2_000)]
    cap: u64,
    /// The most in a day of the campaign's zone; left out where there is no such cap.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<u64>,
    /// Her word; left out where none can be made of her handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "EMMA")]
    keyword: Option<String>,
    /// Her page.
    #[schema(example = "/x/emma")]
    link: String,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageIn {
    /// The `next_cursor` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// How many at most; 100 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    #[serde(default)]
    limit: Option<u16>,
}

/// A page of creators.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatorsOut {
    data: Vec<CreatorOut>,
    /// Ask for the next page with it; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "emma")]
    next_cursor: Option<String>,
}

/// A link to a desk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeskLinkOut {
    /// Opens it once.
    #[schema(example = "https://coupons.acme.example/creator/open/6Zr1")]
    url: String,
    /// Until when.
    expires_at: DateTime<Utc>,
}

impl From<CreatorRecord> for CreatorOut {
    fn from(CreatorRecord { row, parts }: CreatorRecord) -> Self {
        let part = |(campaign, part): (String, crate::domain::document::CreatorDoc)| PartOut {
            campaign,
            cap: part.cap,
            day: part.day,
            keyword: part.word(&row.handle).map(|word| word.to_string()),
            link: format!("/x/{}", part.slug(&row.handle)),
        };
        Self {
            campaigns: parts.into_iter().map(part).collect(),
            handle: row.handle,
            name: row.name,
            status: if row.is_active { "active" } else { "suspended" },
            has_phone: row.subject.is_some(),
            disclosure: row.disclosure,
            created_at: row.created_at,
        }
    }
}

impl From<CreatorError> for Problem {
    fn from(error: CreatorError) -> Self {
        match error {
            CreatorError::Unknown(_) => Self::not_found("creator"),
            CreatorError::Campaign(_) => Self::not_found("campaign"),
            CreatorError::Taken { .. } | CreatorError::PhoneTaken(_) | CreatorError::PhoneUsed => {
                Self::new(StatusCode::CONFLICT, "already_exists", error.to_string())
            }
            CreatorError::Handle { .. } | CreatorError::Name | CreatorError::Disclosure | CreatorError::NoCap => {
                Self::invalid(&[error.to_string()])
            }
            CreatorError::Phone(_) => Self::new(StatusCode::BAD_REQUEST, "invalid_phone", error.to_string()),
            CreatorError::Engine(error) => error.into(),
        }
    }
}

/// `POST /admin/v1/creators`: makes a creator. She has no part in any campaign yet.
///
/// # Errors
/// 409 when her handle or number has an owner; the caller's mistakes as 4xx.
#[utoipa::path(
    post,
    path = "/admin/v1/creators",
    tag = "house",
    summary = "Make a creator",
    description = "She has no part in any campaign yet: `codewell creator join`, or a campaign file, gives her one.",
    security(("admin_key" = [])),
    request_body = CreatorIn,
    responses(
        (status = 201, description = "She is there", body = CreatorOut),
        (status = 400, description = "The request is wrong, or her number is none: `invalid_request`, `invalid_phone`"),
        (status = 409, description = "Her handle, the word made of it, or her number has an owner; free handles are named: `already_exists`"),
    )
)]
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn create_creator(
    admin: Admin,
    State(engine): State<Engine>,
    Json(CreatorIn { handle, name, phone, disclosure }): Json<CreatorIn>,
) -> Result<(StatusCode, Json<CreatorOut>), Problem> {
    let made = engine.add_creator(&Wanted { handle, name, phone, disclosure }).await?;
    tracing::info!(creator.handle = made.row.handle, "made a creator");
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// `GET /admin/v1/creators`: every creator, in the order of handles, from page to page.
///
/// # Errors
/// 400 for a page that cannot be.
#[utoipa::path(
    get,
    path = "/admin/v1/creators",
    tag = "house",
    summary = "Every creator",
    description = "In the order of handles, from page to page.",
    security(("admin_key" = [])),
    params(PageIn),
    responses(
        (status = 200, description = "A page", body = CreatorsOut),
        (status = 400, description = "The request is wrong, `errors` say where and how to mend it: `invalid_request`"),
    )
)]
pub(super) async fn list_creators(
    _admin: Admin,
    State(engine): State<Engine>,
    Query(page): Query<PageIn>,
) -> Result<Json<CreatorsOut>, Problem> {
    let limit = rows(page.limit)?;
    let mut found = engine.creators(&page.after.unwrap_or_default(), usize::from(limit) + 1).await?;
    let is_more = found.len() > usize::from(limit);
    found.truncate(usize::from(limit));
    let next_cursor = found.last().filter(|_| is_more).map(|last| last.row.handle.clone());
    Ok(Json(CreatorsOut { data: found.into_iter().map(Into::into).collect(), next_cursor }))
}

/// `GET /admin/v1/creators/{handle}`.
///
/// # Errors
/// 404.
#[utoipa::path(
    get,
    path = "/admin/v1/creators/{handle}",
    tag = "house",
    summary = "One creator",
    description = "With her parts in campaigns.",
    security(("admin_key" = [])),
    params(("handle" = String, Path, description = "The creator", example = "emma")),
    responses(
        (status = 200, description = "The creator", body = CreatorOut),
        (status = 404, description = "No such creator: `not_found`"),
    )
)]
pub(super) async fn show_creator(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
) -> Result<Json<CreatorOut>, Problem> {
    Ok(Json(engine.creator(&handle).await?.into()))
}

/// `PATCH /admin/v1/creators/{handle}`: what is left out stays.
///
/// # Errors
/// 404; 409 when her number has an owner; the caller's mistakes as 4xx.
#[utoipa::path(
    patch,
    path = "/admin/v1/creators/{handle}",
    tag = "house",
    summary = "Change a creator",
    description = "What is left out stays, and so does the credit for codes already out.",
    security(("admin_key" = [])),
    params(("handle" = String, Path, description = "The creator", example = "emma")),
    request_body = CreatorChangeIn,
    responses(
        (status = 200, description = "As she is now", body = CreatorOut),
        (status = 400, description = "The request is wrong, or her number is none: `invalid_request`, `invalid_phone`"),
        (status = 404, description = "No such creator: `not_found`"),
        (status = 409, description = "Her number has an owner, or asked by her word before it was hers: `already_exists`"),
    )
)]
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn change_creator(
    admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
    Json(CreatorChangeIn { name, phone, disclosure }): Json<CreatorChangeIn>,
) -> Result<Json<CreatorOut>, Problem> {
    let (name, disclosure) = (name.map(CreatorChange::Name), disclosure.map(CreatorChange::Disclosure));
    let changes = [name, phone.edit(CreatorChange::Phone), disclosure].into_iter().flatten().collect();
    let record = engine.change_creator(&handle, changes).await?;
    tracing::info!(creator.handle = record.row.handle, "changed a creator");
    Ok(Json(record.into()))
}

/// `POST /admin/v1/creators/{handle}/suspend`: once it is answered, no code is issued by her word or link.
///
/// # Errors
/// 404.
#[utoipa::path(
    post,
    path = "/admin/v1/creators/{handle}/suspend",
    tag = "house",
    summary = "Stop a creator",
    description = "Once it is answered, no code is issued by her word or link, and her desk is closed; codes already out stay good.",
    security(("admin_key" = [])),
    params(("handle" = String, Path, description = "The creator", example = "emma")),
    responses(
        (status = 200, description = "As she is now", body = CreatorOut),
        (status = 404, description = "No such creator: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn suspend_creator(
    admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
) -> Result<Json<CreatorOut>, Problem> {
    switch(&engine, &handle, false).await
}

/// `POST /admin/v1/creators/{handle}/resume`.
///
/// # Errors
/// 404.
#[utoipa::path(
    post,
    path = "/admin/v1/creators/{handle}/resume",
    tag = "house",
    summary = "Let a creator speak again",
    description = "Her word and her link bring codes again.",
    security(("admin_key" = [])),
    params(("handle" = String, Path, description = "The creator", example = "emma")),
    responses(
        (status = 200, description = "As she is now", body = CreatorOut),
        (status = 404, description = "No such creator: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn resume_creator(
    admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
) -> Result<Json<CreatorOut>, Problem> {
    switch(&engine, &handle, true).await
}

/// `POST /admin/v1/creators/{handle}/link`: a link that opens her desk once, within ten minutes.
///
/// # Errors
/// 404.
#[utoipa::path(
    post,
    path = "/admin/v1/creators/{handle}/link",
    tag = "house",
    summary = "A link to her desk",
    description = "It opens her desk once, within ten minutes.",
    security(("admin_key" = [])),
    params(("handle" = String, Path, description = "The creator", example = "emma")),
    responses(
        (status = 201, description = "The link", body = DeskLinkOut),
        (status = 404, description = "No such creator: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(admin.id = admin.id()))]
pub(super) async fn create_creator_link(
    admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
) -> Result<(StatusCode, Json<DeskLinkOut>), Problem> {
    let (url, expires_at) = engine.new_desk_link(&handle).await?;
    tracing::info!("made a link to a creator's desk");
    Ok((StatusCode::CREATED, Json(DeskLinkOut { url, expires_at })))
}

async fn switch(engine: &Engine, handle: &str, is_active: bool) -> Result<Json<CreatorOut>, Problem> {
    engine.switch_creator(handle, is_active).await?;
    let changed = engine.creator(handle).await?;
    tracing::info!(creator.handle = changed.row.handle, "switched a creator");
    Ok(Json(changed.into()))
}
