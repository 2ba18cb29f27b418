//! What an SMS costs. (3GPP TS 23.038 and 23.040)

use herald::domain::segments::{Encoding, Measure, measure};

fn expect(text: &str, encoding: Encoding, units: usize, segments: usize, offending: &str) {
    let expected = Measure {
        encoding,
        units,
        segments,
        offending: offending.chars().collect(),
    };
    assert_eq!(measure(text), expected, "{text:?}");
}

#[test]
fn a_single_segment_holds_160_septets_and_each_of_several_153() {
    expect("", Encoding::Gsm7, 0, 1, "");
    expect(&"a".repeat(160), Encoding::Gsm7, 160, 1, "");
    expect(&"a".repeat(161), Encoding::Gsm7, 161, 2, "");
    expect(&"a".repeat(306), Encoding::Gsm7, 306, 2, "");
    expect(&"a".repeat(307), Encoding::Gsm7, 307, 3, "");
}

#[test]
fn a_character_of_the_extension_takes_two_septets_and_is_never_cut() {
    expect("€", Encoding::Gsm7, 2, 1, "");
    expect(&"€".repeat(80), Encoding::Gsm7, 160, 1, "");
    // 153 is odd: the 77th pair does not fit and moves on whole, so 153 pairs take three segments and not two.
    expect(&"€".repeat(152), Encoding::Gsm7, 304, 2, "");
    expect(&"€".repeat(153), Encoding::Gsm7, 306, 3, "");
}

#[test]
fn one_character_outside_gsm_7_makes_everything_ucs_2() {
    expect(&"ж".repeat(70), Encoding::Ucs2, 70, 1, "ж");
    expect(&"ж".repeat(71), Encoding::Ucs2, 71, 2, "ж");
    expect(&"ж".repeat(134), Encoding::Ucs2, 134, 2, "ж");
    expect(&"ж".repeat(135), Encoding::Ucs2, 135, 3, "ж");
    expect("“quoted” ê", Encoding::Ucs2, 10, 1, "“”ê");
}

#[test]
fn a_surrogate_pair_takes_two_units_and_is_never_cut() {
    expect("😀", Encoding::Ucs2, 2, 1, "😀");
    // 67 is odd: 33 pairs a segment.
    expect(&"😀".repeat(66), Encoding::Ucs2, 132, 2, "😀");
    expect(&"😀".repeat(67), Encoding::Ucs2, 134, 3, "😀");
}
