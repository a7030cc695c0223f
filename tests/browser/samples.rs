//! Pages of creators, filled as handlers fill them: every state, and data of every size.

use askama::Template;
use codewell::http::web::{
    charts::{DailyChart, Day, Line, Series},
    claim::{ClaimStep, ClaimView, CodeForm, GiverView, HiddenField, MarketingConsent, PhoneForm, Resend},
    coupon::{BrandColour, BrandView},
    creator_desk::{
        Choice, CommissionView, DeskClosedView, DeskNoneView, DeskNotice, DeskNumbers, DeskOpenView, DeskStartView,
        DeskView, FigureCard, KitView, LeakView, PoolView, PostRow, SubRow, Trend,
    },
    home::{CreatorTile, HomeView},
    qr,
};

/// Every page with the name of its picture.
pub(crate) fn pages() -> Vec<(&'static str, String)> {
    [home(), claims(), doors(), desks()].concat()
}

fn html(view: &impl Template) -> String {
    view.render().unwrap()
}

fn text(words: &str) -> String {
    words.to_owned()
}

fn home() -> Vec<(&'static str, String)> {
    let creator = CreatorTile { name: text("Anna"), keyword: text("ANNA"), href: text("/x/anna") };
    let view =
        HomeView { sender: text("12345"), keywords: Vec::new(), partner: Some(text("/docs")), creator: Some(creator) };
    vec![("start_full", html(&view))]
}

fn claim(step: ClaimStep) -> ClaimView {
    ClaimView {
        brand: BrandView { name: text("Acme Pizza"), colour: Some(BrandColour::parse("#C8102E").unwrap()) },
        giver: Some(GiverView {
            name: text("Anna"),
            monogram: text("A"),
            disclosure: text("Ad: I earn a commission if you use my code"),
        }),
        offer_title: text("$5 off any large pizza"),
        terms: vec![
            text("One code per person, used once."),
            text("In all stores in the US, not with other offers."),
            text("Valid for 30 days."),
        ],
        step,
        own: None,
    }
}

fn phone_form() -> PhoneForm {
    PhoneForm {
        action: text("/x/anna?sub=reel7"),
        hidden: vec![HiddenField { name: "sub", value: text("reel7") }],
        phone: String::new(),
        phone_error: None,
        country_hint: text("A mobile number from the US or Canada, with its area code."),
        consent_line: text("By going on you ask for one text with 6 digits. Message and data rates may apply."),
        why_own: None,
        marketing: Some(MarketingConsent {
            words: text("Acme Pizza may also text me offers, up to 4 a month. STOP ends them."),
            is_ticked: false,
        }),
        by_text: Some((text("ANNA"), text("12345"))),
    }
}

fn code_form() -> CodeForm {
    CodeForm {
        action: text("/x/anna?sub=reel7"),
        hidden: vec![HiddenField { name: "claim", value: text("9tQ2xWq7LmN4pRs8VbYzKd") }],
        sent_to: text("(•••) •••-••88"),
        why_own: None,
        code: String::new(),
        code_error: None,
        tries_left: 5,
        valid_until: text("2:41 PM"),
        resend: Resend::Later(text("in 40 seconds")),
        notice: None,
        other_number: text("/x/anna?sub=reel7"),
    }
}

fn claims() -> Vec<(&'static str, String)> {
    let wrong_phone = PhoneForm {
        phone: text("202 555"),
        phone_error: Some(text("This number is too short. Write all 10 digits, such as (202) 555-0188.")),
        ..phone_form()
    };
    let wrong_code = CodeForm {
        code: text("482913"),
        code_error: Some(text("These are not the digits we sent. Look at the newest message.")),
        tries_left: 2,
        resend: Resend::Now,
        ..code_form()
    };
    let sent_again = CodeForm {
        notice: Some(text("We sent new digits. The old ones no longer count.")),
        resend: Resend::Never,
        ..code_form()
    };
    let back = || text("/x/anna?sub=reel7");
    let long =
        "The Very Long Named Family Restaurant Company of Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch";
    let mut long_names = claim(ClaimStep::Phone(phone_form()));
    long_names.brand = BrandView { name: text(long), colour: None };
    long_names.giver = Some(GiverView { name: text(long), monogram: text("LL"), disclosure: text(long) });
    long_names.offer_title =
        text("25 % off everything in the store, in the online shop and at the drive-through window");
    let house = ClaimView { giver: None, ..claim(ClaimStep::Phone(PhoneForm { marketing: None, ..phone_form() })) };
    let why_own = Some("All codes of this offer are gone.");
    let own_phone = PhoneForm { why_own, marketing: None, ..phone_form() };
    let own_code = CodeForm { why_own, ..code_form() };
    let sold_out = ClaimView { own: Some(text("/x/anna?sub=reel7&own=1")), ..claim(ClaimStep::SoldOut) };
    vec![
        ("claim_phone", html(&claim(ClaimStep::Phone(phone_form())))),
        ("claim_phone_wrong", html(&claim(ClaimStep::Phone(wrong_phone)))),
        ("claim_house", html(&house)),
        ("claim_long_names", html(&long_names)),
        ("claim_code", html(&claim(ClaimStep::Code(code_form())))),
        ("claim_code_wrong", html(&claim(ClaimStep::Code(wrong_code)))),
        ("claim_code_again", html(&claim(ClaimStep::Code(sent_again)))),
        ("claim_sold_out", html(&sold_out)),
        ("claim_own_phone", html(&claim(ClaimStep::Phone(own_phone)))),
        ("claim_own_code", html(&claim(ClaimStep::Code(own_code)))),
        ("claim_not_started", html(&claim(ClaimStep::NotStarted { from: text("Tue 24 Nov 2026, 9:00 AM ET") }))),
        ("claim_ended", html(&claim(ClaimStep::Ended { at: Some(text("31 Dec 2026")) }))),
        ("claim_paused", html(&claim(ClaimStep::Paused))),
        ("claim_throttled", html(&claim(ClaimStep::Throttled { again: text("at 3:05 PM"), back: back() }))),
        ("claim_busy", html(&claim(ClaimStep::Busy { back: back() }))),
    ]
}

fn doors() -> Vec<(&'static str, String)> {
    let start = |notice| DeskStartView { sender: text("12345"), keyword: text("DESK"), notice };
    let open = DeskOpenView { action: text("/creator/open/9tQ2xWq7LmN4pRs8VbYzKd"), name: Some(text("Anna")) };
    let hers = |words: &str| Choice { words: text(words), href: text("/creator?days=30"), is_current: false };
    let none = |unknown: Option<&str>| DeskNoneView {
        name: text("Anna"),
        contact: text("partners@acme.example"),
        unknown: unknown.map(text),
        campaigns: if unknown.is_some() { vec![hers("Autumn pizza"), hers("Summer ice cream")] } else { Vec::new() },
        sign_out: text("/creator/sign-out"),
    };
    let closed = DeskClosedView { name: text("Anna"), contact: text("partners@acme.example") };
    vec![
        ("desk_start", html(&start(None))),
        ("desk_start_used", html(&start(Some(DeskNotice::LinkUsed)))),
        ("desk_open", html(&open)),
        ("desk_suspended", html(&closed)),
        ("desk_no_campaign", html(&none(None))),
        ("desk_not_hers", html(&none(Some("Autum pizza")))),
    ]
}

fn desk(numbers: Option<DeskNumbers>) -> DeskView {
    let range = |words: &str, is_current| Choice { words: text(words), href: text("/creator?days=30"), is_current };
    DeskView {
        name: text("Anna"),
        monogram: text("A"),
        handle: text("anna"),
        campaigns: vec![range("Autumn pizza", true), range("Summer ice cream", false)],
        ranges: vec![range("7 days", false), range("30 days", true), range("All", false)],
        pause: None,
        leak: None,
        opened: numbers.is_none().then(|| text("Your link was opened 12 times in the last 30 days.")),
        numbers,
        pool: Some(PoolView {
            words: text("688 of 2,000 codes left"),
            left: 688,
            cap: 2_000,
            ends: Some(text("Given out until Thu 31 Dec 2026, 11:59 PM ET.")),
            warning: None,
        }),
        kit: KitView {
            spoken: text("Text ANNA to 12345 for your own $5 off code"),
            caption: text(
                "Ad: I earn a commission if you use my code. Text ANNA to 12345 for your own $5 off code, or get it \
                 here: acme.example/x/anna",
            ),
            link_shown: text("acme.example/x/anna"),
            link: text("https://acme.example/x/anna"),
            qr: qr::link_svg("https://acme.example/x/anna").unwrap(),
            qr_png: text("/creator/qr.png"),
            qr_svg: text("/creator/qr.svg"),
        },
        sign_out: text("/creator/sign-out"),
    }
}

/// A month with a busy weekend, a quiet start and two days nothing was measured.
fn courses() -> (Vec<Option<u64>>, Vec<Option<u64>>) {
    let issued = [
        4, 6, 5, 9, 31, 62, 48, 22, 18, 15, 19, 40, 96, 81, 44, 30, 26, 24, 35, 58, 120, 104, 61, 47, 38, 33, 52, 88,
        76, 41_u64,
    ];
    let measured = |day: usize| !(8..10).contains(&day);
    let issued_course = issued.iter().enumerate().map(|(day, count)| measured(day).then_some(*count)).collect();
    let redeemed = issued.iter().enumerate().map(|(day, count)| measured(day).then_some(count / 4 + day as u64 % 3));
    (issued_course, redeemed.collect())
}

fn numbers() -> DeskNumbers {
    let (issued, redeemed) = courses();
    let days = (1..=30).map(|day| Day { short: format!("{day} Nov"), long: format!("{day} Nov 2026") }).collect();
    let card = |label, figure: &str, note: &str, change, course: &Vec<Option<u64>>| FigureCard {
        label,
        figure: Some(text(figure)),
        note: text(note),
        change: Some(change),
        course: course.clone(),
    };
    let up = |words: &str| (Trend::Up, text(words));
    DeskNumbers {
        cards: [
            card("Requests", "1,438", "", up("+12.4 %"), &issued),
            card("Issued", "1,312", "91.2 % of 1,438", up("+10.1 %"), &issued),
            card("Redeemed", "318", "24.2 % of 1,312", (Trend::Down, text("−3.0 %")), &redeemed),
            card("Revenue", "$7,412.50", "", (Trend::Level, text("±0 %")), &redeemed),
        ],
        period: text("30 days to 30 Nov 2026, compared with the 30 days before"),
        complete_to: Some(text("data complete to 2:30 PM")),
        chart: DailyChart {
            title: text("Codes issued and redeemed per day"),
            days,
            series: vec![
                Series { name: text("Issued"), values: issued, line: Line::Solid },
                Series { name: text("Redeemed"), values: redeemed, line: Line::Solid },
            ],
        },
        commission: Some(CommissionView {
            rate: text("10 % of every sale"),
            pending: text("$51.24"),
            pending_note: text("30 days after the sale; the next $12.40 on Wed 2 Dec 2026"),
            confirmed: text("$312.00"),
            reversed: text("$4.10"),
            reversals: vec![text("$4.10 on 14 Nov 2026, order 10023 returned")],
        }),
        posts: vec![
            post("Reel 7", Some("ANNA7"), ["2,310", "610", "560", "152", "27.1 %", "$3,548.20"]),
            post("Story 3", Some("ANNA3"), ["1,204", "402", "371", "88", "23.7 %", "$2,051.90"]),
            post("Newsletter", None, ["640", "220", "201", "41", "20.4 %", "$957.00"]),
            post("Everything else", Some("ANNA"), ["–", "206", "180", "37", "20.6 %", "$855.40"]),
        ],
        subs: vec![sub("story1", ["1,102", "204", "61"]), sub("bio-link", ["730", "96", "18"])],
        subs_note: None,
        assists: Some(text(
            "18 followers you sent had their code already through somebody else. Whoever reaches a follower first has \
             the credit; these count as your assists.",
        )),
    }
}

fn post(name: &str, keyword: Option<&str>, cells: [&str; 6]) -> PostRow {
    let [opens, requests, issued, redeemed, rate, revenue] = cells.map(str::to_owned);
    PostRow { name: text(name), keyword: keyword.map(str::to_owned), opens, requests, issued, redeemed, rate, revenue }
}

fn sub(name: &str, cells: [&str; 3]) -> SubRow {
    let [opens, issued, redeemed] = cells.map(str::to_owned);
    SubRow { name: text(name), opens, issued, redeemed }
}

fn desks() -> Vec<(&'static str, String)> {
    let troubled = DeskView {
        pause: Some(text(
            "Autumn pizza is paused: your keyword and your link hand out no codes. Codes that are out stay valid.",
        )),
        leak: Some(LeakView {
            words: text(
                "3 of your codes were tried by people they were not given to, first on Sat 14 Nov 2026, 6:22 PM ET.",
            ),
        }),
        pool: Some(PoolView {
            words: text("10 of 2,000 codes left"),
            left: 10,
            cap: 2_000,
            ends: None,
            warning: Some(text("When they are gone, followers get codes of the house and you keep the credit.")),
        }),
        ..desk(Some(numbers()))
    };
    let mut first_day = numbers();
    let days = vec![Day { short: text("1 Nov"), long: text("Sun 1 Nov 2026") }];
    let series = vec![Series { name: text("Issued"), values: vec![Some(1)], line: Line::Solid }];
    first_day.chart = DailyChart { title: text("Codes issued and redeemed per day"), days, series };
    (first_day.posts, first_day.assists, first_day.commission) = (Vec::new(), None, None);
    first_day.subs = Vec::new();
    for card in &mut first_day.cards {
        (card.change, card.note, card.course) = (None, String::new(), vec![Some(1)]);
        card.figure = (card.label != "Revenue").then(|| text("1"));
    }
    let mut many = numbers();
    let long = "A reel with a name as long as people make them when nobody stops them, part two";
    many.posts = (0..200).map(|_| post(long, Some("ANNAABCDEFGHIJKLMNOP"), ["1.2 M"; 6])).collect();
    many.subs = (0..20).map(|n| sub(&format!("{n}{}", "a".repeat(62)), ["1.2 M"; 3])).collect();
    many.subs_note = Some(text("The 20 best are shown."));
    for card in &mut many.cards {
        card.figure = Some(text("$12,345,678.90"));
    }
    let mut long_names = desk(Some(many));
    long_names.name = text(long);
    vec![
        ("desk_full", html(&desk(Some(numbers())))),
        ("desk_empty", html(&desk(None))),
        ("desk_troubled", html(&troubled)),
        ("desk_first_day", html(&desk(Some(first_day)))),
        ("desk_long", html(&long_names)),
    ]
}
