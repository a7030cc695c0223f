//! One campaign: is it new, does it differ, may it be so?

use super::compare::{campaigns, cap_words, words};
use super::{CodeWork, Ground, Lines, Mark, Plan, creators, lines, lint, pools};
use crate::domain::campaign::{PoolKind, Status};
use crate::domain::catalog::CampaignRecord;
use crate::domain::document::{CampaignDoc, Located};
use crate::domain::keyword::Keyword;
use crate::store::config::CampaignWrite;

pub(super) fn plan(ground: &Ground<'_>, located: &Located<CampaignDoc>, plan: &mut Plan) {
    let doc = &located.value;
    let known = ground.catalog.rows.campaigns.iter().find(|record| record.doc.name == doc.name);
    let live = known.filter(|record| record.status.is_some());
    let sender = lint::sender(ground, doc);
    let pool = pools::wanted(ground, located, live);
    let mut lines = lines(&mut plan.steps, located, format!("campaign {}", doc.name));
    let grows = pool.write.size > pool.live || pool.new_codes > 0;
    let same = live.is_some_and(|record| record.doc == *doc);
    if same && !grows {
        return;
    }
    if live.is_some_and(|record| record.status == Some(Status::Ended)) {
        lines.refuse("it is over for ever; start one of another name");
        return;
    }
    match live {
        None => announce(doc, &pool, sender.as_deref(), &mut lines),
        Some(record) => {
            lines.say(Mark::Change, format!("campaign {}", doc.name));
            for (mark, text) in campaigns(&record.doc, doc) {
                lines.say(mark, format!("  {text}"));
            }
            match ground.facts.followers.get(&record.id).copied().unwrap_or(0) {
                0 => {}
                1 => lines.say(Mark::Change, "  the caps of 1 partner count by its days".to_owned()),
                n => lines.say(Mark::Change, format!("  the caps of {n} partners count by its days")),
            }
            if grows {
                lines.say(Mark::Add, format!("  {} more codes", pool.growth()));
            }
            keeps_promises(ground, record, doc, &mut lines);
        }
    }
    creators::announce(ground, live, doc, &mut lines);
    lint::campaign(ground, doc, known, sender.as_deref(), &mut lines);
    creators::lint(ground, doc, sender.as_deref(), &mut lines);
    pools::lint(ground, doc, live, &pool, &mut lines);
    let stored = match pool.write.kind {
        // It has no codes to write. But an interrupted apply may have left a draft with a pool of another kind; and
        // beside others, it takes its number in the documents' order.
        PoolKind::Derived => live.is_none() && (known.is_some() || ground.documents.campaigns.len() > 1),
        PoolKind::Generated | PoolKind::Imported => grows,
    };
    if stored {
        plan.codes.push(CodeWork {
            doc: doc.clone(),
            id: live.map(|record| record.id),
            pool: pool.write.clone(),
            live: pool.live,
            file: pool.file.clone(),
        });
    }
    let id = live.map(|record| record.id);
    let creators = creators::wanted(ground, doc);
    plan.change.campaigns.push(CampaignWrite { id, doc: doc.clone(), pool: pool.write, creators, sender });
}

fn announce(doc: &CampaignDoc, pool: &pools::Wanted, sender: Option<&str>, lines: &mut Lines<'_>) {
    lines.say(Mark::Add, format!("campaign {}: {}", doc.name, doc.offer.words()));
    let pattern = doc.code.pattern.as_ref().map(|text| format!(" {}", text.as_str())).unwrap_or_default();
    lines.say(Mark::Add, format!("  pool of {} {} codes{pattern}", pool.growth(), pool.write.kind.word()));
    let words: Vec<_> = words(doc).iter().map(Keyword::to_string).collect();
    if let Some(sender) = sender.filter(|_| !words.is_empty()) {
        lines.say(Mark::Add, format!("  keywords {} on {sender}", words.join(", ")));
    }
    for cap in doc.all_caps() {
        lines.say(Mark::Add, format!("  {}", cap_words(&cap)));
    }
}

/// Codes that are out were given under a promise: what would break it is refused.
fn keeps_promises(ground: &Ground<'_>, record: &CampaignRecord, doc: &CampaignDoc, lines: &mut Lines<'_>) {
    let old = &record.doc;
    if !ground.facts.issued.contains(&record.id) {
        return;
    }
    if !old.offer.record().same_worth(&doc.offer.record()) {
        lines.refuse(format!(
            "codes are out that promise \"{}\": end it and start another campaign for another offer",
            old.offer.words()
        ));
    }
    if doc.offer.min_spend > old.offer.min_spend {
        lines.refuse("codes are out without this minimum spend: it may only be lowered");
    }
    if doc.redemption.holder_only && !old.redemption.holder_only {
        lines.refuse("codes are out that anybody may use: holder_only cannot be set any more");
    }
    if doc.redemption.stops_with_campaign && !old.redemption.stops_with_campaign {
        lines.refuse("codes are out that outlive a pause: stops_with_campaign cannot be set any more");
    }
    if doc.code.valid_from > old.code.valid_from {
        lines.refuse("codes are out that are good already: valid_from may only be earlier");
    }
    if !lint::still_counts_everywhere(&old.redemption.places.places(), &doc.redemption.places.places()) {
        lines.refuse("codes are out that count in more places: places may only be added");
    }
}
