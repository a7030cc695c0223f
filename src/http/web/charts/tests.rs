use super::*;

fn chart(values: Vec<Option<u64>>) -> DailyChart {
    let days = (1..=values.len()).map(|day| Day { short: format!("{day} Nov"), long: format!("Sun {day} Nov 2026") });
    let days = days.collect();
    let series = vec![Series { name: "Issued".to_owned(), values, line: Line::Solid }];
    DailyChart { title: "Codes issued per day".to_owned(), days, series }
}

#[test]
fn large_numbers_are_grouped_and_millions_are_short() {
    for (value, words) in [(0, "0"), (999, "999"), (12_480, "12,480"), (1_000_000, "1 M"), (1_249_000, "1.2 M")] {
        assert_eq!(number(value), words);
    }
}

#[test]
fn every_day_can_be_focused_and_says_its_values() {
    let svg = chart(vec![Some(3), None, Some(12_480)]).wide().to_string();
    assert_eq!(svg.matches(r#"tabindex="0""#).count(), 3);
    for words in ["Sun 1 Nov 2026, Issued 3", "Sun 2 Nov 2026, Issued no data", "Sun 3 Nov 2026, Issued 12,480"] {
        assert!(svg.contains(&format!(r#"aria-label="{words}""#)), "{words}");
    }
}

#[test]
fn a_day_without_data_is_a_gap_not_a_zero() {
    let svg = chart(vec![Some(3), None, Some(3), Some(3)]).wide().to_string();
    let path = svg.split(r#"class="chart-line series-0" d=""#).nth(1).and_then(|rest| rest.split('"').next());
    assert_eq!(path.map(|path| (path.matches('M').count(), path.matches('L').count())), Some((2, 1)));
}

#[test]
fn the_table_has_the_same_numbers_the_newest_first() {
    let chart = chart(vec![Some(1_000), None]);
    assert_eq!(
        chart.rows(),
        [("Sun 2 Nov 2026", vec!["no data".to_owned()]), ("Sun 1 Nov 2026", vec!["1,000".to_owned()])]
    );
}

#[test]
fn a_chart_of_no_one_or_three_hundred_days_is_drawn() {
    assert!(!chart(Vec::new()).has_data() && !chart(vec![None]).has_data());
    for days in [0, 1, 2, 300] {
        let svg = chart(vec![Some(7); days]).narrow().to_string();
        assert!(svg.ends_with("</svg>") && !svg.contains("NaN") && !svg.contains("inf"), "{days}");
    }
}

#[test]
fn weeks_end_with_the_last_day_and_keep_what_was_not_measured() {
    let mut values = vec![Some(1); 16];
    values.splice(2..9, [None; 7]);
    let weeks = chart(values).by_weeks("Codes issued per week".to_owned());
    let names: Vec<&str> = weeks.days.iter().map(|day| day.short.as_str()).collect();
    assert_eq!(names, ["1 Nov", "3 Nov", "10 Nov"]);
    assert_eq!(weeks.series.first().map(|series| series.values.clone()), Some(vec![Some(2), None, Some(7)]));
    assert!(chart(Vec::new()).by_weeks(String::new()).days.is_empty());
}

#[test]
fn words_are_escaped_and_nothing_is_inline() {
    let mut chart = chart(vec![Some(1)]);
    chart.title = r#"<b>"x"&"#.to_owned();
    let svg = chart.wide().to_string();
    assert!(svg.contains("&lt;b&gt;&quot;x&quot;&amp;") && !svg.contains("style=") && !svg.contains("fill=\"#"));
}

#[test]
fn a_sparkline_breaks_at_a_gap_and_ends_in_a_point() {
    let svg = spark(&[Some(1), None, Some(2), Some(4)]).to_string();
    assert!(svg.contains(r#"class="spark-end" cx="108" cy="4""#), "{svg}");
    assert!(!spark(&[]).to_string().contains("spark-end"));
}
