//! The language table and the choice among available languages. (api.md, "Shared ground", "Which language")

use std::collections::HashSet;

use herald::domain::language::{Language, LanguageReason, choose};

#[test]
fn a_tag_has_one_lcid_and_an_lcid_one_tag() {
    let all = Language::all();
    let tags: HashSet<String> = all.iter().map(|l| l.tag().to_lowercase()).collect();
    let lcids: HashSet<u32> = all.iter().map(|l| l.lcid()).collect();
    assert_eq!((all.len(), tags.len(), lcids.len()), (416, 416, 416));
    assert!(all.is_sorted_by_key(|l| l.tag()));
    assert!(all.iter().all(|l| Language::parse(l.tag()).unwrap() == *l));
    assert!(
        all.iter()
            .all(|l| Language::from_lcid(l.lcid().into()) == Some(*l))
    );
}

#[test]
fn known_pairs_of_tag_and_lcid() {
    let pairs = [
        ("en", 9),
        ("en-GB", 2057),
        ("en-US", 1033),
        ("de", 7),
        ("de-DE", 1031),
        ("de-AT", 3079),
        ("de-CH", 2055),
        ("fr-FR", 1036),
        ("fr-CA", 3084),
        ("es-ES", 3082),
        ("es-MX", 2058),
        ("it-IT", 1040),
        ("nl-NL", 1043),
        ("da-DK", 1030),
        ("sv-SE", 1053),
        ("nb-NO", 1044),
        ("fi-FI", 1035),
        ("pl-PL", 1045),
        ("pt-BR", 1046),
        ("pt-PT", 2070),
        ("ru-RU", 1049),
        ("ja-JP", 1041),
        ("ko-KR", 1042),
        ("zh-CN", 2052),
        ("zh-TW", 1028),
        ("zh-Hans", 4),
        ("zh-Hant", 31748),
        ("ca-ES-valencia", 2051),
        ("sr-Cyrl-RS", 10266),
        ("uk-UA", 1058),
    ];
    for (tag, lcid) in pairs {
        assert_eq!(Language::parse(tag).unwrap().lcid(), lcid, "{tag}");
    }
}

#[test]
fn case_does_not_matter_and_the_usual_one_is_kept() {
    for (typed, stored) in [("EN-gb", "en-GB"), ("ZH-HANS", "zh-Hans"), ("De", "de")] {
        assert_eq!(Language::parse(typed).unwrap().tag(), stored);
    }
    assert_eq!(Language::parse("zh-hans").unwrap().primary(), "zh");
}

#[test]
fn an_unknown_tag_is_refused_with_a_sentence() {
    for typed in ["en_GB", "", "xx", "english", " en", "es-ES_tradnl"] {
        let error = Language::parse(typed).unwrap_err();
        let sentence =
            format!("Language '{typed}' is not known; write a BCP 47 tag such as 'en-GB'.");
        assert_eq!(
            (error.code(), error.details()),
            ("err_InvalidElement", sentence)
        );
    }
    assert_eq!(Language::from_lcid(4096), None);
    assert_eq!(Language::from_lcid(-1), None);
}

#[test]
fn exact_then_same_primary_then_default_then_lowest_lcid() {
    use LanguageReason::{Default, Exact, LowestLcid, SamePrimary};
    type Row<'a> = (&'a [&'a str], &'a str, Option<(&'a str, LanguageReason)>);
    let table: [Row<'_>; 8] = [
        (&["de", "de-DE", "en"], "de-DE", Some(("de-DE", Exact))),
        (
            &["de-AT", "de-DE", "en-GB"],
            "de-CH",
            Some(("de-DE", SamePrimary)),
        ),
        (
            &["de-AT", "de", "en-GB"],
            "de-CH",
            Some(("de", SamePrimary)),
        ),
        (
            &["fr-FR", "en-GB", "da-DK"],
            "de-DE",
            Some(("en-GB", Default)),
        ),
        (
            &["fr-FR", "en-US", "da-DK"],
            "de-DE",
            Some(("da-DK", LowestLcid)),
        ),
        (
            &["zh-Hant", "zh-TW"],
            "zh-Hans",
            Some(("zh-TW", SamePrimary)),
        ),
        (&["nb-NO"], "en-GB", Some(("nb-NO", LowestLcid))),
        (&[], "en-GB", None),
    ];
    let language = |tag: &str| Language::parse(tag).unwrap();
    for (available, wanted, expected) in table {
        let available: Vec<Language> = available.iter().map(|t| language(t)).collect();
        let chosen = choose(&available, language(wanted), language("en-GB"));
        assert_eq!(chosen.map(|(l, r)| (l.tag(), r)), expected, "{wanted}");
    }
}
