#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::http::web::{
    assets,
    charts::{Day, Line, Series},
    qr,
};

fn card(label: &'static str, figure: Option<&str>) -> FigureCard {
    let change = figure.map(|_| (Trend::Up, "+12.4 %".to_owned()));
    FigureCard { label, figure: figure.map(str::to_owned), note: String::new(), change, course: vec![Some(1), Some(4)] }
}

fn numbers() -> DeskNumbers {
    let days = vec![Day { short: "14 Nov".to_owned(), long: "Sat 14 Nov 2026".to_owned() }];
    let series = vec![Series { name: "Issued".to_owned(), values: vec![Some(3)], line: Line::Solid }];
    DeskNumbers {
        cards: [
            card("Requests", Some("96")),
            card("Issued", Some("90")),
            card("Redeemed", Some("21")),
            card("Revenue", None),
        ],
        period: "Last 30 days".to_owned(),
        complete_to: None,
        chart: DailyChart { title: "Codes per day".to_owned(), days, series },
        commission: None,
        posts: Vec::new(),
        subs: Vec::new(),
        subs_note: None,
        assists: None,
    }
}

fn desk(numbers: Option<DeskNumbers>) -> DeskView {
    DeskView {
        name: "Anna".to_owned(),
        monogram: "A".to_owned(),
        handle: "anna".to_owned(),
        campaigns: Vec::new(),
        ranges: Vec::new(),
        pause: None,
        leak: None,
        numbers,
        opened: None,
        pool: Some(PoolView {
            words: "688 of 2,000 codes left".to_owned(),
            left: 688,
            cap: 2_000,
            ends: None,
            warning: None,
        }),
        kit: KitView {
            spoken: "Text ANNA to 12345 for your own $5 off code".to_owned(),
            caption: "Ad: I earn a commission if you use my code.".to_owned(),
            link_shown: "acme.example/x/anna".to_owned(),
            link: "https://acme.example/x/anna".to_owned(),
            qr: qr::link_svg("https://acme.example/x/anna").unwrap(),
            qr_png: "/creator/qr.png".to_owned(),
            qr_svg: "/creator/qr.svg".to_owned(),
        },
        sign_out: "/creator/sign-out".to_owned(),
    }
}

#[test]
fn a_desk_nobody_asked_at_shows_no_figure_and_no_axis_but_the_kit() {
    let html = desk(None).render().unwrap();
    assert!(!html.contains("figure-card") && !html.contains("chart-grid"));
    assert!(html.contains("Text ANNA to 12345") && html.contains("688 of 2,000 codes left"));
}

#[test]
fn a_figure_that_was_not_measured_is_not_a_zero() {
    let html = desk(Some(numbers())).render().unwrap();
    assert!(html.contains("Not measured yet") && !html.contains("$0.00"));
}

#[test]
fn the_chart_stands_beside_its_table_and_its_lines_can_be_copied() {
    let html = desk(Some(numbers())).render().unwrap();
    assert!(html.contains("Show as table") && html.contains("Sat 14 Nov 2026"));
    assert!(html.contains(r#"data-copy="Text ANNA to 12345 for your own $5 off code""#));
}

#[test]
fn a_desk_of_two_months_weighs_at_most_150_kb_with_its_assets() {
    let mut numbers = numbers();
    let day = Day { short: "14 Nov".to_owned(), long: "Sat 14 Nov 2026".to_owned() };
    let series = |name: &str| Series { name: name.to_owned(), values: vec![Some(12_480); 62], line: Line::Solid };
    numbers.chart.days = vec![day; 62];
    numbers.chart.series = vec![series("Issued"), series("Redeemed")];
    let html = desk(Some(numbers)).render().unwrap();
    let assets: usize = ["app.css", "creator.css", "app.js"].map(|name| assets::find(name).unwrap().len()).iter().sum();
    assert!(html.len() + assets <= 150_000, "{} and {assets} bytes", html.len());
}

#[test]
fn what_came_of_a_link_by_sub_stands_in_a_table_of_its_own_and_only_where_there_is_any() {
    assert!(!desk(Some(numbers())).render().unwrap().contains("subs-title"));
    let row = |name: &str| SubRow {
        name: name.to_owned(),
        opens: "2,310".to_owned(),
        issued: "90".to_owned(),
        redeemed: "21".to_owned(),
    };
    let html = desk(Some(DeskNumbers { subs: vec![row("story1")], ..numbers() })).render().unwrap();
    assert!(html.contains("subs-title") && html.contains("story1") && html.contains("2,310"));
}

#[test]
fn opening_the_link_is_a_post_and_names_nobody_unless_told() {
    let html = DeskOpenView { action: "/creator/open/x".to_owned(), name: None }.render().unwrap();
    assert!(html.contains(r#"method="post" action="/creator/open/x""#) && html.contains("Open my desk"));
}

#[test]
fn the_way_in_says_what_to_text_and_why_she_is_here() {
    for notice in [DeskNotice::LinkUsed, DeskNotice::LinkExpired, DeskNotice::SessionEnded, DeskNotice::SignedOut] {
        let view = DeskStartView { sender: "12345".to_owned(), keyword: "DESK".to_owned(), notice: Some(notice) };
        let html = view.render().unwrap();
        assert!(html.contains(notice.words()) && html.contains("DESK") && html.contains("12345"));
    }
}

#[test]
fn the_pool_s_bar_never_leaves_its_frame() {
    let pool = |left, cap| PoolView { words: String::new(), left, cap, ends: None, warning: None }.share();
    assert_eq!([pool(688, 2_000), pool(0, 0), pool(9, 3), pool(u64::MAX, u64::MAX)], [344, 0, 1_000, 1_000]);
}
