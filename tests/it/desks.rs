//! The desks of creators: who gets in, how often, and what she sees.

use crate::harness::on_both;

on_both! {
    desk_is_answered_to_her_own_number_and_to_nobody_else,
    a_link_opens_once_of_a_hundred_tries_in_two_processes_and_not_after_ten_minutes,
    a_look_uses_no_link_up_and_the_button_opens_her_desk_for_twelve_hours,
    a_desk_shows_her_own_figures_and_what_is_pending_confirmed_and_reversed,
    a_desk_after_a_quiet_spell_keeps_its_figures_and_what_she_earned,
    a_desk_tells_the_end_of_her_own_part_and_of_no_other,
    a_desk_counts_what_her_pool_has_where_no_other_codes_follow,
    a_desk_tells_of_codes_with_her_name_that_are_shown_and_were_not_given_out,
    a_desk_tells_what_came_of_her_link_by_sub,
    a_creator_without_a_campaign_or_with_a_mistyped_one_reads_what_is_so,
    a_creator_who_is_stopped_has_a_closed_desk_and_a_stranger_none,
}

mod bodies {
    use crate::apply::written::{apply, pizza};
    use crate::claims::bodies::{FIRST, claim, doors, fetch};
    use crate::harness::House;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, Response, StatusCode, header};
    use chrono::Duration;
    use codewell::domain::act::Presented;
    use codewell::domain::decision::outcome::{Outcome, Told};
    use codewell::domain::ids::{RequestId, SenderId, Spot};
    use codewell::domain::reply::ReplyId;
    use codewell::engine::{CreatorIn, DeskDoor, DeskReport, Settled, Which};
    use tokio::task::JoinSet;
    use tower::ServiceExt as _;

    /// The phone that stands for Emma's own number, +1 202 555 0107.
    const HERSELF: u64 = 5_550_107;

    async fn creators(house: &House) {
        for (handle, phone) in [("emma", Some("+12025550107")), ("anna", None)] {
            let wanted = CreatorIn {
                handle: handle.to_owned(),
                name: format!("{}{}", handle[..1].to_uppercase(), &handle[1..]),
                phone: phone.map(str::to_owned),
                disclosure: None,
            };
            house.engine.add_creator(&wanted).await.expect("she is made");
        }
    }

    async fn open(house: &House) {
        creators(house).await;
        let part = "cap = 20\ncommission = { percent = 10 }\n";
        let parts = format!(
            "[campaign.creators.anna]\n{part}[campaign.creators.emma]\n{part}posts = {{ EMMA7 = \"reel7\" }}\n"
        );
        apply(house, &pizza(100, &parts)).await;
    }

    /// The token of a link to her desk.
    async fn link(house: &House, handle: &str) -> String {
        let (url, _) = house.engine.new_desk_link(handle).await.expect("a link");
        url.rsplit('/').next().expect("a token").to_owned()
    }

    async fn code(house: &House, phone: u64, word: &str) -> String {
        let outcome = house.text(phone, word).await.expect("it is settled").outcome;
        let code = house.engine.code_at(outcome.spot().expect("a code")).await.expect("it is read");
        code.expect("it is there").expose().to_owned()
    }

    async fn sell(house: &House, code: &str, amount: i64, order: &str) -> String {
        let request = RequestId { door: "till-k1".to_owned(), key: house.key() };
        let shown = Presented { amount: Some(amount), order: Some(order.to_owned()), ..Presented::default() };
        let settled = house.engine.redeem(request, code, shown).await.expect("it is settled");
        let Some(Settled { outcome: Outcome::Redeemed(_, id), .. }) = settled else { panic!("it is redeemed") };
        id
    }

    async fn report(house: &House) -> DeskReport {
        let emma = house.engine.creator("emma").await.expect("she is there").row;
        house.engine.desk_report(&emma, "PIZZA", 30).await.expect("it is read").expect("she has a part")
    }

    fn desk(house: &House) -> Router {
        codewell::http::desk::routes().with_state(house.engine.clone())
    }

    async fn send(house: &House, method: &str, path: &str, cookie: Option<&str>) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, format!("other=1; {cookie}"));
        }
        desk(house).oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
    }

    async fn page(house: &House, path: &str, cookie: Option<&str>) -> (StatusCode, String) {
        let answer = send(house, "GET", path, cookie).await;
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Presses the button behind a link; the cookie that her browser keeps.
    async fn enter(house: &House, token: &str) -> Option<String> {
        let answer = send(house, "POST", &format!("/creator/open/{token}"), None).await;
        let cookie = answer.headers().get(header::SET_COOKIE)?.to_str().expect("plain").to_owned();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        for attribute in ["Path=/creator", "HttpOnly", "SameSite=Lax", "Max-Age=43200", "Secure"] {
            assert!(cookie.contains(attribute), "{attribute}");
        }
        cookie.split(';').next().map(str::to_owned)
    }

    pub(super) async fn desk_is_answered_to_her_own_number_and_to_nobody_else(house: House) {
        open(&house).await;
        let stranger = house.text(1, "DESK").await.expect("it is settled").outcome;
        assert_eq!(stranger, Outcome::Told(Told::Unknown));
        let settled = house.text(HERSELF, " desk. ").await.expect("it is settled");
        assert_eq!(settled.outcome, Outcome::Told(Told::Desk));
        house.clock.forward(Duration::minutes(2));
        let due = house.engine.claim_due(SenderId(1), Duration::minutes(1), 10).await.expect("messages are claimed");
        let reply = due.iter().map(|one| &one.message).find(|one| one.reply == ReplyId::T24Desk).expect("a reply");
        let composed = house.engine.compose(reply).await.expect("it is written");
        assert_eq!(composed.segments, 1);
        let token =
            composed.body.split("/creator/open/").nth(1).and_then(|rest| rest.split(' ').next()).expect("a link");
        let door = house.engine.desk_door(token).await.expect("it is read");
        assert!(matches!(door, DeskDoor::Opens(creator) if creator.handle == "emma"));
        assert!(house.engine.enter_desk(token).await.expect("it is read").is_ok());
        house.audited().await;
    }

    pub(super) async fn a_link_opens_once_of_a_hundred_tries_in_two_processes_and_not_after_ten_minutes(house: House) {
        open(&house).await;
        let houses = [house.clone(), house.second().await];
        let token = link(&house, "emma").await;
        let mut tasks = JoinSet::new();
        for i in 0..200_usize {
            let (house, token) = (houses[i % 2].clone(), token.clone());
            tasks.spawn(async move { house.engine.enter_desk(&token).await.expect("it is settled") });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Err(DeskDoor::Used)).count(), 199);
        let late = link(&house, "emma").await;
        house.clock.forward(Duration::minutes(10));
        assert_eq!(house.engine.enter_desk(&late).await.expect("it is settled"), Err(DeskDoor::Expired));
        for made_up in ["", "x", "0000000000000000000000", "zzzzzzzzzzzzzzzzzzzzzz"] {
            assert_eq!(house.engine.desk_door(made_up).await.expect("it is read"), DeskDoor::Unknown);
        }
    }

    pub(super) async fn a_look_uses_no_link_up_and_the_button_opens_her_desk_for_twelve_hours(house: House) {
        open(&house).await;
        let (status, text) = page(&house, "/creator", None).await;
        assert!(status == StatusCode::OK && text.contains("DESK") && text.contains("12345"));
        let token = link(&house, "emma").await;
        for _ in 0..3 {
            let (status, text) = page(&house, &format!("/creator/open/{token}"), None).await;
            assert!(status == StatusCode::OK && !text.contains("Emma"), "a preview does not say whose it is");
        }
        let cookie = enter(&house, &token).await.expect("she is in");
        assert_eq!(enter(&house, &token).await, None);
        let (status, text) = page(&house, &format!("/creator/open/{token}"), None).await;
        assert!(status == StatusCode::GONE && text.contains("This link has been used"));
        let (status, text) = page(&house, "/creator", Some(&cookie)).await;
        assert!(status == StatusCode::OK && text.contains("Emma") && text.contains("Text EMMA to 12345"), "{text}");
        assert!(text.contains("Your first follower is still to come"));
        for (path, kind) in [("/creator/qr.svg", "image/svg+xml"), ("/creator/qr.png?campaign=PIZZA", "image/png")] {
            let answer = send(&house, "GET", path, Some(&cookie)).await;
            assert_eq!(
                (answer.status(), answer.headers()[header::CONTENT_TYPE].to_str().unwrap()),
                (StatusCode::OK, kind)
            );
            assert_eq!(send(&house, "GET", path, None).await.status(), StatusCode::UNAUTHORIZED);
        }
        house.clock.forward(Duration::hours(12));
        assert!(page(&house, "/creator", Some(&cookie)).await.1.contains("Your time at the desk is over"));
        let out = send(&house, "POST", "/creator/sign-out", Some(&cookie)).await;
        assert!(out.headers()[header::SET_COOKIE].to_str().unwrap().starts_with("codewell_desk=; "));
    }

    pub(super) async fn a_desk_shows_her_own_figures_and_what_is_pending_confirmed_and_reversed(house: House) {
        open(&house).await;
        house.text(9, "PIZZA").await.expect("it is settled");
        house.text(9, "EMMA").await.expect("it is settled");
        let [one, two] = [code(&house, 1, "EMMA").await, code(&house, 2, "EMMA7").await];
        let annas = code(&house, 3, "ANNA").await;
        sell(&house, &annas, 99_900, "1").await;
        sell(&house, &code(&house, HERSELF, "EMMA").await, 5_000, "2").await;
        sell(&house, &one, 2_500, "3").await;
        house.clock.forward(Duration::days(10));
        let sale = sell(&house, &two, 1_000, "10023").await;
        let seen = report(&house).await;
        assert_eq!((seen.now.requests, seen.now.issued, seen.now.redeemed, seen.now.assists), (3, 2, 2, 1));
        assert_eq!((seen.now.revenue, seen.left), (3_500, 17));
        let (_, earned, _) = seen.commission.clone().expect("she earns");
        assert_eq!((earned.pending, earned.confirmed, earned.reversed), (350, 0, 0));
        let by_post: Vec<_> = seen.posts.iter().map(|(post, figures)| (post.clone(), figures.redeemed)).collect();
        assert_eq!(by_post, [(Some(("reel7".to_owned(), "EMMA7".to_owned())), 1), (None, 1)]);
        house.clock.forward(Duration::days(20));
        let request = RequestId { door: "till-k1".to_owned(), key: house.key() };
        house.engine.roll_back(request, sale, "returned".to_owned()).await.expect("it is settled");
        let seen = report(&house).await;
        let (_, earned, reversals) = seen.commission.clone().expect("she earns");
        assert_eq!((earned.pending, earned.confirmed, earned.reversed), (0, 250, 100));
        assert_eq!((reversals[0].amount, reversals[0].order.as_deref()), (100, Some("10023")));
        let cookie = enter(&house, &link(&house, "emma").await).await.expect("she is in");
        let (_, text) = page(&house, "/creator?campaign=PIZZA&days=90", Some(&cookie)).await;
        for words in
            ["$25", "17 of 20 codes left", "reel7", "order 10023", "One follower you sent", "10 % of every sale"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("$999"), "what Anna sold is Anna's");
        house.audited().await;
    }

    pub(super) async fn a_desk_after_a_quiet_spell_keeps_its_figures_and_what_she_earned(house: House) {
        open(&house).await;
        assert!(report(&house).await.is_new);
        let routes = doors(&house);
        for times in ["opened once", "opened 2 times"] {
            fetch(&routes, "/x/emma").await;
            house.engine.write_openings().await.expect("they are written");
            let cookie = enter(&house, &link(&house, "emma").await).await.expect("she is in");
            let (_, text) = page(&house, "/creator", Some(&cookie)).await;
            assert!(text.contains("first follower is still to come") && text.contains(times), "{text}");
        }
        sell(&house, &code(&house, 1, "EMMA").await, 2_500, "1").await;
        house.clock.forward(Duration::days(200));
        let seen = report(&house).await;
        assert!(!seen.is_new && seen.now.issued == 0 && seen.before.issued == 0);
        let cookie = enter(&house, &link(&house, "emma").await).await.expect("she is in");
        let (_, text) = page(&house, "/creator", Some(&cookie)).await;
        assert!(text.contains("Commission") && text.contains("Last 90 days"), "{text}");
        assert!(!text.contains("Your first follower is still to come"));
        house.audited().await;
    }

    pub(super) async fn a_desk_tells_the_end_of_her_own_part_and_of_no_other(house: House) {
        open(&house).await;
        let parts = "[campaign.creators.anna]\ncap = 20\nend = \"2026-12-01\"\n\
             [campaign.creators.emma]\ncap = 20\nend = \"2026-12-24\"\n";
        apply(&house, &pizza(100, parts)).await;
        for (handle, end, other) in [("emma", "23 Dec 2026", "30 Nov 2026"), ("anna", "30 Nov 2026", "23 Dec 2026")] {
            let cookie = enter(&house, &link(&house, handle).await).await.expect("she is in");
            let (_, text) = page(&house, "/creator", Some(&cookie)).await;
            assert!(text.contains(end) && !text.contains(other), "{handle}: {text}");
        }
    }

    pub(super) async fn a_desk_counts_what_her_pool_has_where_no_other_codes_follow(house: House) {
        creators(&house).await;
        for (rest, words) in [("", "19 of 20 codes left"), ("when_empty = \"sold_out\"\n", "2 of 3 codes left")] {
            let parts = format!("[campaign.creators.emma]\ncap = 20\nsize = 3\n{rest}");
            apply(&house, &pizza(100, &parts)).await;
            code(&house, 1, "EMMA").await;
            let cookie = enter(&house, &link(&house, "emma").await).await.expect("she is in");
            let (_, text) = page(&house, "/creator", Some(&cookie)).await;
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    pub(super) async fn a_desk_tells_of_codes_with_her_name_that_are_shown_and_were_not_given_out(house: House) {
        open(&house).await;
        code(&house, 1, "EMMA").await;
        let creator = house.engine.creator("emma").await.expect("she is there").row.id;
        let catalog = house.engine.catalog();
        let campaign = catalog.campaign_named("PIZZA").expect("it is there");
        let pool = campaign.pools_of(Some(creator)).next().expect("her own comes first").pool_no;
        let campaign = campaign.id;
        for (position, words) in
            [(7, "One of your codes was tried by people it was not given to"), (8, "2 of your codes")]
        {
            let stock = Spot { campaign, pool, position };
            let code = house.engine.code_at(stock).await.expect("it is read").expect("it is there");
            let request = RequestId { door: "till-k1".to_owned(), key: house.key() };
            let settled = house.engine.redeem(request, code.expose(), Presented::default()).await.expect("it is asked");
            assert!(settled.is_none());
            let cookie = enter(&house, &link(&house, "emma").await).await.expect("she is in");
            let (_, text) = page(&house, "/creator", Some(&cookie)).await;
            assert!(text.contains(words), "{words}: {text}");
        }
        let cookie = enter(&house, &link(&house, "anna").await).await.expect("she is in");
        let (_, text) = page(&house, "/creator", Some(&cookie)).await;
        assert!(!text.contains("Possible leak"), "{text}");
        let open = house.engine.alerts(Which::Open, 10).await.expect("they are read");
        assert_eq!(open.iter().map(|one| one.about.as_str()).collect::<Vec<_>>(), ["campaign PIZZA, creator emma"]);
        house.audited().await;
    }

    pub(super) async fn a_desk_tells_what_came_of_her_link_by_sub(house: House) {
        open(&house).await;
        let routes = doors(&house);
        for path in ["/x/emma?sub=story1", "/x/emma?sub=story1", "/x/emma", "/x/anna?sub=annas"] {
            fetch(&routes, path).await;
        }
        claim(&house, &routes, "emma", FIRST).await;
        sell(&house, &code(&house, FIRST, "EMMA").await, 2_500, "1").await;
        code(&house, 3, "EMMA").await;
        house.engine.write_openings().await.expect("they are written");
        let seen: Vec<_> = report(&house).await.subs;
        let rows: Vec<_> = seen.iter().map(|row| (row.sub_id.as_str(), row.opens, row.issued, row.redeemed)).collect();
        assert_eq!(rows, [("reel-7", 1, 1, 1), ("story1", 2, 0, 0)]);
        let cookie = enter(&house, &link(&house, "emma").await).await.expect("she is in");
        let (_, text) = page(&house, "/creator", Some(&cookie)).await;
        assert!(text.contains("story1") && text.contains("reel-7") && !text.contains("annas"), "{text}");
        house.audited().await;
    }

    pub(super) async fn a_creator_without_a_campaign_or_with_a_mistyped_one_reads_what_is_so(house: House) {
        creators(&house).await;
        apply(&house, &pizza(100, "")).await;
        let cookie = enter(&house, &link(&house, "emma").await).await.expect("she is in");
        for path in ["/creator", "/creator?campaign=PIZZA"] {
            let (status, text) = page(&house, path, Some(&cookie)).await;
            assert!(status == StatusCode::OK && text.contains("Emma, you have no campaign yet"), "{text}");
        }
        apply(&house, &pizza(100, "[campaign.creators.emma]\ncap = 20\n")).await;
        let (status, text) = page(&house, "/creator?campaign=PIZZZA", Some(&cookie)).await;
        assert!(status == StatusCode::NOT_FOUND && text.contains("You have no campaign of that name"), "{text}");
        assert!(text.contains("PIZZZA") && text.contains("/creator?campaign=PIZZA"));
        assert!(!text.contains("is closed"));
    }

    pub(super) async fn a_creator_who_is_stopped_has_a_closed_desk_and_a_stranger_none(house: House) {
        open(&house).await;
        let cookie = enter(&house, &link(&house, "emma").await).await.expect("she is in");
        house.engine.switch_creator("emma", false).await.expect("she is stopped");
        let (status, text) = page(&house, "/creator", Some(&cookie)).await;
        assert!(status == StatusCode::FORBIDDEN && text.contains("your desk is closed"));
        let (_, sign) = cookie.split_once('=').expect("a cookie");
        for forged in [sign.replacen('1', "2", 1), format!("{sign}0"), String::new()] {
            let (_, text) = page(&house, "/creator", Some(&format!("codewell_desk={forged}"))).await;
            assert!(text.contains("There is no password"), "a forged sign is nobody's");
        }
        assert_eq!(page(&house, "/creator?campaign=NONE", Some(&cookie)).await.0, StatusCode::FORBIDDEN);
        house.engine.switch_creator("emma", true).await.expect("she is back");
        assert_eq!(page(&house, "/creator", Some(&cookie)).await.0, StatusCode::OK);
    }
}
