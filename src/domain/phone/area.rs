//! Which country an area code of the North American plan (+1) belongs to.
//!
//! A table of ours because the general numbering plan costs tens of microseconds a number, needs a valid subscriber
//! number, and every inbound text of a campaign with countries asks. Area codes not listed are the United States'.

/// ISO country and its area codes (NANPA and CNAC lists, 2025).
const AREAS: &[(&str, &str)] = &[
    (
        "CA",
        "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 460 468 474 \
         506 514 519 548 579 581 584 587 600 604 613 622 633 639 644 647 655 672 677 683 688 705 709 742 753 778 780 782 807 819 825 867 873 879 \
         902 905 942",
    ),
    ("AG", "268"),
    ("AI", "264"),
    ("AS", "684"),
    ("BB", "246"),
    ("BM", "441"),
    ("BS", "242"),
    ("DM", "767"),
    ("DO", "809 829 849"),
    ("GD", "473"),
    ("GU", "671"),
    ("JM", "658 876"),
    ("KN", "869"),
    ("KY", "345"),
    ("LC", "758"),
    ("MP", "670"),
    ("MS", "664"),
    ("PR", "787 939"),
    ("SX", "721"),
    ("TC", "649"),
    ("TT", "868"),
    ("VC", "784"),
    ("VG", "284"),
    ("VI", "340"),
];

/// The country of a three-digit area code.
pub(super) fn country(area: &str) -> &'static str {
    AREAS.iter().find(|(_, areas)| areas.split(' ').any(|one| one == area)).map_or("US", |(country, _)| country)
}

/// Whether national numbers of this country are those of the plan.
pub(super) fn is_north_american(country: &str) -> bool {
    country == "US" || AREAS.iter().any(|(one, _)| *one == country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_the_general_numbering_plan() {
        let (mut compared, mut wrong) = (0, Vec::new());
        for area in 200..1000 {
            // Some countries use few exchanges, so several are tried.
            for rest in ["5550123", "2345678", "4601234", "3591234", "7012345", "3211234"] {
                let Ok(number) = phonenumber::parse(None, format!("+1{area}{rest}")) else {
                    continue;
                };
                let plan = number.country().id().filter(|_| phonenumber::is_valid(&number));
                if let Some(plan) = plan {
                    if country(&area.to_string()) != plan.as_ref() {
                        wrong.push(format!("+1 {area} {rest} {}", plan.as_ref()));
                    }
                    compared += 1;
                }
            }
        }
        assert_eq!(wrong, [""; 0]);
        assert!(compared > 1_500, "{compared}");
    }
}
