//! Faults in words, and back.

use herald::simulate::fault::{Fault, Manner, Place, Reply, Stage, Twist};
use herald::simulate::orders::{Order, Times};
use std::time::Duration;

fn reply(code: u16, headers: &[(&str, &str)], text: &str) -> Option<Reply> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    Some(Reply {
        code,
        headers: headers.iter().map(owned).collect(),
        text: text.into(),
    })
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn each_form_means_one_fault_and_is_written_one_way() {
    use Fault::{Answer, Bytes, Close, Flood, Garbage, Hold, Refuse, Report, Reset, Silence};
    use Manner::{Huge, Late, Slow, Torn, Truncated, Whole};
    use Stage::*;
    use Times::{Always, For, Next, Percent};
    const TWILIO: Option<&str> = Some("twilio");
    let (smtp, secs) = (Place::Smtp, Duration::from_secs);
    let ends = |status: &str, code| Report(Twist::Ends(status.into(), code));
    let cases = [
        ("smtp.rcpt = 451 4.7.1 Try again", smtp(Rcpt), Always, Answer(reply(451, &[], "4.7.1 Try again"), Whole), ""),
        ("smtp.rcpt=451", smtp(Rcpt), Always, Answer(reply(451, &[], ""), Whole), "smtp.rcpt = 451"),
        (" smtp.mail  always =  550  two  spaces", smtp(Mail), Always, Answer(reply(550, &[], " two  spaces"), Whole), "smtp.mail = 550  two  spaces"),
        ("smtp.data = 554 Reason: spam = yes", smtp(Data), Always, Answer(reply(554, &[], "Reason: spam = yes"), Whole), "smtp.data = 554 | Reason: spam = yes"),
        ("smtp.dot next = close", smtp(Dot), Next(1), Close, "smtp.dot next 1 = close"),
        ("smtp.kept next 3 = reset", smtp(Kept), Next(3), Reset, ""),
        ("smtp.greeting 20% = silence", smtp(Greeting), Percent(20), Silence, ""),
        ("smtp.ehlo for 90s = hold", smtp(Ehlo), For(secs(90)), Hold, ""),
        ("smtp.connect for 120s = refuse", smtp(Connect), For(secs(120)), Refuse, "smtp.connect for 2m = refuse"),
        ("smtp.connect = refuse", smtp(Connect), Always, Refuse, ""),
        ("smtp.auth = garbage", smtp(Auth), Always, Garbage, ""),
        (r"smtp.helo = raw 250-a\r\n\x00\\\t", smtp(Helo), Always, Bytes(b"250-a\r\n\0\\\t".to_vec()), ""),
        (r"smtp.quit = flood 250-\r\n", smtp(Quit), Always, Flood(b"250-\r\n".to_vec()), ""),
        ("smtp.starttls = late 1500ms", smtp(StartTls), Always, Answer(None, Late(Duration::from_millis(1500))), ""),
        ("smtp.handshake = late 5s", smtp(Handshake), Always, Answer(None, Late(secs(5))), ""),
        ("smtp.body = 421 Bye", smtp(Body), Always, Answer(reply(421, &[], "Bye"), Whole), ""),
        ("smtp.after-dot = close", smtp(AfterDot), Always, Close, ""),
        ("smtp.rset = slow", smtp(Rset), Always, Answer(None, Slow(1)), "smtp.rset = slow 1/s"),
        ("smtp.rset = slow 20/s 421 Bye", smtp(Rset), Always, Answer(reply(421, &[], "Bye"), Slow(20)), ""),
        ("http = close", Place::Answer(None), Always, Close, ""),
        ("http.connect next 2 = reset", Place::HttpConnect, Next(2), Reset, ""),
        ("http.connect for 5m = refuse", Place::HttpConnect, For(secs(300)), Refuse, ""),
        ("http.twilio = 503", Place::Answer(TWILIO), Always, Answer(reply(503, &[], ""), Whole), ""),
        ("http.twilio = huge", Place::Answer(TWILIO), Always, Answer(None, Huge), ""),
        ("http.twilio = truncated 500 {\"code\":1}", Place::Answer(TWILIO), Always, Answer(reply(500, &[], "{\"code\":1}"), Truncated), ""),
        ("http.kept = torn", Place::Kept(None), Always, Answer(None, Torn), ""),
        ("http.twilio.kept = 429 Retry-After: 60", Place::Kept(TWILIO), Always, Answer(reply(429, &[("Retry-After", "60")], ""), Whole), ""),
        ("http = 429 A: 1 | B: c: d | Busy | now", Place::Answer(None), Always, Answer(reply(429, &[("A", "1"), ("B", "c: d")], "Busy | now"), Whole), ""),
        ("http = 400 | Error: no header", Place::Answer(None), Always, Answer(reply(400, &[], "Error: no header"), Whole), ""),
        ("http = 400 A: 1 | | B: 2", Place::Answer(None), Always, Answer(reply(400, &[("A", "1")], "B: 2"), Whole), ""),
        ("http.report = twice", Place::Report(None), Always, Report(Twist::Twice), ""),
        ("http.twilio.report = late 30s", Place::Report(TWILIO), Always, Report(Twist::Late(secs(30))), ""),
        ("http.twilio.report = reversed", Place::Report(TWILIO), Always, Report(Twist::Reversed), ""),
        ("http.twilio.report = early", Place::Report(TWILIO), Always, Report(Twist::Early), ""),
        ("http.twilio.report 50% = lost", Place::Report(TWILIO), Percent(50), Report(Twist::Lost), ""),
        ("http.twilio.report = ends failed", Place::Report(TWILIO), Always, ends("failed", None), ""),
        ("http.twilio.report next 9 = ends undelivered 30003", Place::Report(TWILIO), Next(9), ends("undelivered", Some(30003)), ""),
    ];
    for (text, place, times, fault, written) in cases {
        let read: Order = text.parse().unwrap();
        assert_eq!(read, Order { place, times, fault }, "{text}");
        let written = if written.is_empty() { text } else { written };
        assert_eq!(read.to_string(), written);
        assert_eq!(written.parse(), Ok(read));
    }
}

#[test]
#[rustfmt::skip] // A table: one case a line.
fn what_cannot_be_read_says_what_could() {
    const OFTEN: &str = "Write always, next 3, 20% or for 5m before the equals sign.";
    const WHAT: &str = "Write a reply such as 451 Try again, or close, reset, silence, hold, refuse, garbage, raw, flood, late 30s, slow, huge, truncated or torn.";
    const TWISTS: &str = "Reports go wrong as ends undelivered 30003, twice, late 30s, reversed, early or lost.";
    const ESCAPES: &str = "after a backslash stands r, n, t, another backslash, a quote, or x with two hexadecimal digits.";
    for (text, why) in [
        ("", "write where, an equals sign and what, as in smtp.rcpt = 451 4.7.1 Try again later."),
        ("smtp.rcpt", "write where, an equals sign and what, as in smtp.rcpt = 451 4.7.1 Try again later."),
        ("smtp.rcpt never = 451", &format!("how often is \"never\"? {OFTEN}")),
        ("smtp.rcpt next 0 = 451", &format!("how often is \"next 0\"? {OFTEN}")),
        ("smtp.rcpt 0% = 451", &format!("how often is \"0%\"? {OFTEN}")),
        ("smtp.rcpt 101% = 451", &format!("how often is \"101%\"? {OFTEN}")),
        ("smtp.rcpt for 0s = 451", &format!("how often is \"for 0s\"? {OFTEN}")),
        ("smtp.rcpt for 1441m = 451", &format!("how often is \"for 1441m\"? {OFTEN}")),
        ("smtp.rcpt for 5 = 451", &format!("how often is \"for 5\"? {OFTEN}")),
        ("smtp.rcpt =", &format!("what is \"\"? {WHAT}")),
        ("smtp.rcpt = slam", &format!("what is \"slam\"? {WHAT}")),
        ("smtp.rcpt = 199", "199 is no reply; codes go from 200 to 599."),
        ("smtp.rcpt = 600", "600 is no reply; codes go from 200 to 599."),
        ("smtp.rcpt = close now", "close stands alone, without \"now\"."),
        ("smtp.rcpt = late", "how late is \"\"? Write 500ms, 30s or 5m, up to a day."),
        ("smtp.rcpt = late 86401s", "how late is \"86401s\"? Write 500ms, 30s or 5m, up to a day."),
        ("smtp.rcpt = slow 0/s", "how slow is \"0/s\"? Write bytes a second, such as 20/s."),
        ("smtp.rcpt = slow fast", &format!("what is \"fast\"? {WHAT}")),
        ("smtp.rcpt = raw", "say which bytes, as in raw 250 Ok\\r\\n."),
        ("smtp.rcpt = raw \\q", ESCAPES),
        ("smtp.rcpt = raw \\x1", ESCAPES),
        ("smtp.rcpt = refuse", "a port can refuse only at smtp.connect and http.connect, not at smtp.rcpt."),
        ("smtp.connect next 2 = refuse", "a closed port does not see who knocks, so it cannot count; write always or for 5m."),
        ("http.connect = close", "faults are lifted over that port too, so this one has to end by itself: write next 3, 20% or for 5m."),
        ("smtp.connect = slow 5/s", "nothing is usually said at smtp.connect, so nothing can be slow 5/s; late 30s, or a reply, would do."),
        ("smtp.body = huge", "nothing is usually said at smtp.body, so nothing can be huge; late 30s, or a reply, would do."),
        ("http.twilio.report = 503", &format!("what is \"503\"? {TWISTS}")),
        ("http.twilio.report = ends", &format!("what is \"ends\"? {TWISTS}")),
        ("http.twilio.report = ends failed soon", &format!("what is \"ends failed soon\"? {TWISTS}")),
    ] {
        assert_eq!(text.parse::<Order>(), Err(format!("{text:?} is no fault: {why}")));
    }
    let place = "smtp.rcptt = 451".parse::<Order>().unwrap_err();
    assert!(place.starts_with("\"smtp.rcptt = 451\" is no fault: there is no place \"smtp.rcptt\". There are smtp.connect, "), "{place}");
    assert!(place.contains(", http.twilio.kept, http.twilio.report, http.twilio"), "{place}");
}
