//! The table of provider URLs: what is understood, what is shown of it, and what is refused with which sentence.

use herald::channel::url::{EXAMPLES, ProviderUrl, SCHEMES, help, rate_of};
use herald::domain::format::Channel::{self, Email, Push, Sms};

#[test]
#[rustfmt::skip] // A table: one URL a line.
fn good_urls_are_understood_and_shown_without_their_secret() {
    let smtp = |host: &str, port: u16, tls: &str, user: Option<&str>, from: Option<&str>, helo: Option<&str>, connections: usize| {
        let credentials = user.map(|u| (u, "***"));
        let credentials = format!("{credentials:?}").replace("\"***\"", "***");
        format!("host: {host:?}, port: {port}, tls: {tls}, credentials: {credentials}, from: {from:?}, helo: {helo:?}, connections: {connections} }})")
    };
    let twilio = |base: &str, account: &str, origin: &str| {
        format!("base: {base:?}, account: {account:?}, token: ***, origin: {origin} }})")
    };
    let vonage = |base: &str, from: &str| format!("base: {base:?}, key: \"abc1\", secret: ***, from: {from:?} }})");
    let ntfy = |base: &str, account: &str| format!("base: {base:?}, account: {account} }})");
    let gotify = |base: &str| format!("base: {base:?}, token: *** }})");
    let fcm = |base: &str, file: &str| format!("base: {base:?}, file: {file:?} }})");
    let cases: Vec<(Channel, &str, &str, String)> = vec![
        (Email, "smtp://mail.example", "smtp://mail.example", smtp("mail.example", 587, "Required", None, None, None, 4)),
        (Email, "smtp://anna:hunter2@Mail.Example:2525", "smtp://anna:***@Mail.Example:2525", smtp("mail.example", 2525, "Required", Some("anna"), None, None, 4)),
        (Email, "smtp://anna%40example.com:p%40ss%3A%2F%3F%25@mail.example?tls=required&from=App%20%3Capp@example.com%3E&helo=me.example&connections=64",
            "smtp://anna%40example.com:***@mail.example?tls=required&from=App%20%3Capp@example.com%3E&helo=me.example&connections=64",
            smtp("mail.example", 587, "Required", Some("anna@example.com"), Some("App <app@example.com>"), Some("me.example"), 64)),
        (Email, "smtp://localhost:1025", "smtp://localhost:1025", smtp("localhost", 1025, "None", None, None, None, 4)),
        (Email, "smtp://127.1.2.3", "smtp://127.1.2.3", smtp("127.1.2.3", 587, "None", None, None, None, 4)),
        (Email, "smtp://u:hunter2@[::1]:25", "smtp://u:***@[::1]:25", smtp("::1", 25, "None", Some("u"), None, None, 4)),
        (Email, "smtp://localhost?tls=required", "smtp://localhost?tls=required", smtp("localhost", 587, "Required", None, None, None, 4)),
        (Email, "smtp://relay.example?tls=none", "smtp://relay.example?tls=none", smtp("relay.example", 587, "None", None, None, None, 4)),
        (Email, "smtp://relay.example/?tls=opportunistic", "smtp://relay.example/?tls=opportunistic", smtp("relay.example", 587, "Opportunistic", None, None, None, 4)),
        (Email, "smtps://u:hunter2@mail.example?connections=1", "smtps://u:***@mail.example?connections=1", smtp("mail.example", 465, "Implicit", Some("u"), None, None, 1)),
        (Sms, "twilio://AC1:hunter2@api.twilio.com?from=%2B15550001111", "twilio://AC1:***@api.twilio.com?from=%2B15550001111", twilio("https://api.twilio.com", "AC1", "From(\"+15550001111\")")),
        (Sms, "twilio://AC1:hunter2@api.twilio.com?from=+15550001111", "twilio://AC1:***@api.twilio.com?from=+15550001111", twilio("https://api.twilio.com", "AC1", "From(\"+15550001111\")")),
        (Sms, "vonage://abc1:hunter2@rest.nexmo.com?from=Acme%20Inc", "vonage://abc1:***@rest.nexmo.com?from=Acme%20Inc", vonage("https://rest.nexmo.com", "Acme Inc")),
        (Sms, "vonage+http://abc1:hunter2@localhost:99?from=%2B15550001111", "vonage+http://abc1:***@localhost:99?from=%2B15550001111", vonage("http://localhost:99", "15550001111")),
        (Push, "ntfy://ntfy.example", "ntfy://ntfy.example", ntfy("https://ntfy.example", "Anyone")),
        (Push, "ntfy://hunter2@ntfy.example:8443/a%20b/?rate=2", "ntfy://***@ntfy.example:8443/a%20b/?rate=2", ntfy("https://ntfy.example:8443/a%20b", "Token(***)")),
        (Push, "ntfy+http://anna:hunter2@[::1]/", "ntfy+http://anna:***@[::1]/", ntfy("http://[::1]", "User(\"anna\", ***)")),
        (Push, "gotify://hunter2@push.example", "gotify://***@push.example", gotify("https://push.example")),
        (Push, "gotify+http://hunter2@push.example/gotify", "gotify+http://***@push.example/gotify", gotify("http://push.example/gotify")),
        (Push, "fcm:///etc/herald/key.json", "fcm:///etc/herald/key.json", fcm("https://fcm.googleapis.com", "/etc/herald/key.json")),
        (Push, "fcm+http://[::1]:9/a%20b.json?rate=5", "fcm+http://[::1]:9/a%20b.json?rate=5", fcm("http://[::1]:9", "/a b.json")),
        (Sms, "twilio+http://AC1:hunter2@[::1]:99?service=MG1", "twilio+http://AC1:***@[::1]:99?service=MG1", twilio("http://[::1]:99", "AC1", "Service(\"MG1\")")),
    ];
    for (channel, url, masked, debug) in cases {
        let parsed = ProviderUrl::parse(channel, url).unwrap_or_else(|why| panic!("{url}: {why}"));
        assert_eq!(parsed.masked(), masked);
        let shown = format!("{parsed:?}");
        assert!(shown.ends_with(&debug), "{shown}\n{debug}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    for channel in Channel::ALL {
        assert_eq!(ProviderUrl::parse(channel, "capture:").unwrap(), ProviderUrl::Capture);
    }
}

#[test]
fn a_url_says_how_many_messages_a_second_it_takes() {
    let paced = |value: &str| rate_of(&format!("smtp://mail.example?rate={value}&helo=me.example"));
    assert_eq!(rate_of("smtp://mail.example").unwrap(), None);
    for (value, rate) in [
        ("0.001", 0.001),
        ("0.5", 0.5),
        ("10", 10.0),
        ("100000", 100_000.0),
    ] {
        assert_eq!(paced(value).unwrap(), Some(rate));
    }
    let wrong = "rate= is given once, as messages a second from 0.001 to 100000, such as rate=10 or rate=0.5.";
    for value in [
        "0", "0.0009", "100001", "-1", "NaN", "inf", "ten", "", "1&rate=2",
    ] {
        assert_eq!(paced(value).unwrap_err().details(), wrong, "{value}");
    }
}

const PASSWORD: &str =
    "In the password of smtp:// there is a control character or line break; remove it.";
const PERCENT: &str = "In the password of smtp:// a `%` must be followed by two hexadecimal digits that make UTF-8; write a `%` itself as %25.";
const HOST: &str = "smtp:// needs a host after `//` or the `@`, as in smtp://user:password@host.example; a port is a number from 1 to 65535, and `/`, `?` and `:` in a password are written %2F, %3F and %3A.";
const CLEAR: &str = "A password is not sent over a connection that may be unencrypted: use tls=required or smtps://, or leave out user and password.";
const BOTH: &str =
    "smtp:// takes a user and a password together, as in smtp://user:password@host, or neither.";
const ORIGIN: &str = "twilio:// needs either from= with a number such as %2B15550001111 or a name of up to 11 characters, or service= with a messaging service such as MG0123.";
const TOKEN: &str = "twilio:// needs the account's SID and its token before the host, as in twilio://SID:TOKEN@api.twilio.com.";

const FROM: &str = "vonage:// needs from= with a number such as %2B15550001111 or a name of up to 11 letters and digits.";
const KEY: &str = "vonage:// needs the API key, of letters and digits, and its secret before the host, as in vonage://KEY:SECRET@rest.nexmo.com.";
const NTFY: &str = "ntfy:// takes an access token, as in ntfy://TOKEN@host, or user:password@, or nothing before the host.";
const FCM: &str =
    "fcm:// needs the path of a key file, as in fcm:///etc/herald/service-account.json.";
const GOTIFY: &str = "gotify:// needs the token of an application before the host, as in gotify://TOKEN@host, and no password.";

#[test]
#[rustfmt::skip] // A table: one URL a line.
fn bad_urls_are_refused_with_what_to_write_instead() {
    let cases = [
        (Email, "", "A provider URL begins with a scheme and a colon; known are smtp, smtps, twilio, twilio+http, vonage, vonage+http, ntfy, ntfy+http, gotify, gotify+http, fcm, fcm+http, webhook+https, webhook+http, capture."),
        (Email, "Hunter2!:x", "A provider URL begins with a scheme and a colon; known are smtp, smtps, twilio, twilio+http, vonage, vonage+http, ntfy, ntfy+http, gotify, gotify+http, fcm, fcm+http, webhook+https, webhook+http, capture."),
        (Email, "pigeon://k:hunter2@h", "unknown provider scheme pigeon; known are smtp, smtps, twilio, twilio+http, vonage, vonage+http, ntfy, ntfy+http, gotify, gotify+http, fcm, fcm+http, webhook+https, webhook+http, capture."),
        (Sms, "smtp://h", "smtp: does not carry sms; for sms there are twilio:, twilio+http:, vonage:, vonage+http:, webhook+https:, webhook+http:, capture:."),
        (Push, "twilio://h", "twilio: does not carry push; for push there are ntfy:, ntfy+http:, gotify:, gotify+http:, fcm:, fcm+http:, webhook+https:, webhook+http:, capture:."),
        (Email, "smtp://h ?x", "A provider URL must not contain spaces or control characters; write a space as %20."),
        (Email, "smtp://u:hunter2\r\n@h", "A provider URL must not contain spaces or control characters; write a space as %20."),
        (Email, "capture:x", "capture: takes nothing after the colon; write `capture:` alone."),
        (Email, "smtp:h", "smtp: needs `//` and a host, as in smtp://user:password@host.example."),
        (Email, "smtp://", "smtp: needs `//` and a host, as in smtp://user:password@host.example."),
        (Email, "smtp://u:hunter2@", HOST),
        (Email, "smtp://h:0", HOST),
        (Email, "smtp://h:65536", HOST),
        (Email, "smtp://h:+25", HOST),
        (Email, "smtp://bücher.example", HOST),
        (Email, "smtp://[::1", HOST),
        (Email, "smtp://u:hunter2/x@h", HOST),
        (Email, "smtp://u:hunter2?x@h", HOST),
        (Email, "smtp://u:hunter2#x@h", "smtp:// takes no `#`; write a `#` in a password as %23."),
        (Email, "smtp://u:hunter2@x@h", "smtp:// has more than one `@` before the host; write an `@` in a user or password as %40."),
        (Email, "smtp://u:hunter2:x@h", "smtp:// has a second `:` in its password; write it as %3A."),
        (Email, "smtp://u:25/hunter2@h", "smtp:// takes no path after the host; write a `/` in a password as %2F."),
        (Email, "smtp://u:25?hunter2=x@h", "Parameter 1 of smtp:// is not known or comes twice; known are tls, from, helo, connections."),
        (Email, "smtp://u:hunter2%@h", PERCENT),
        (Email, "smtp://u:hunter2%4@h", PERCENT),
        (Email, "smtp://u:hunter2%zz@h", PERCENT),
        (Email, "smtp://u:hunter2%ff@h", PERCENT),
        (Email, "smtp://u:hunter2%0d%0a@h", PASSWORD),
        (Email, "smtp://u:hunter2%00@h", PASSWORD),
        (Email, "smtp://u%0A:hunter2@h", "In the user of smtp:// there is a control character or line break; remove it."),
        (Email, "smtp://h?from=a@b.example%0D%0Ax", "In a parameter of smtp:// there is a control character or line break; remove it."),
        (Email, "smtp://h?helo=x%00", "In a parameter of smtp:// there is a control character or line break; remove it."),
        (Email, "smtp://u@h", BOTH),
        (Email, "smtp://u:@h", BOTH),
        (Email, "smtp://:hunter2@h", BOTH),
        (Email, "smtp://u:hunter2@h?tls=none", CLEAR),
        (Email, "smtp://u:hunter2@h?tls=opportunistic", CLEAR),
        (Email, "smtp://h?tls=maybe", "tls= of smtp:// is required, opportunistic or none."),
        (Email, "smtp://h?tls", "Each parameter of smtp:// is `name=value`, joined by `&`."),
        (Email, "smtp://h?", "Each parameter of smtp:// is `name=value`, joined by `&`."),
        (Email, "smtp://h?connections=0", "connections= of smtp:// is a number from 1 to 64."),
        (Email, "smtp://h?connections=65", "connections= of smtp:// is a number from 1 to 64."),
        (Email, "smtp://h?helo=a%20b", "helo= of smtp:// is a host name such as mail.example.com, or an address such as [192.0.2.1]."),
        (Email, "smtp://h?from=anna", "from= of smtp:// is no mailbox. 'anna' is not an e-mail address: it has no @; the form is 'anna@example.com'. A sender is 'Name <anna@example.com>' or 'anna@example.com'."),
        (Email, "smtp://h?tls=none&tls=none", "Parameter 2 of smtp:// is not known or comes twice; known are tls, from, helo, connections."),
        (Email, "smtps://h?tls=none", "Parameter 1 of smtps:// is not known or comes twice; known are from, helo, connections."),
        (Sms, "twilio://AC1:hunter2@h", ORIGIN),
        (Sms, "twilio://AC1:hunter2@h?from=Acme&service=MG1", ORIGIN),
        (Sms, "twilio://AC1:hunter2@h?from=%2B12ab", ORIGIN),
        (Sms, "twilio://AC1@h?from=Acme", TOKEN),
        (Sms, "twilio://AC1:@h?from=Acme", TOKEN),
        (Sms, "twilio://A%2FC:hunter2@h?from=Acme", "The SID of twilio:// is made of letters and digits, as in AC0123456789."),
    ];
    expect_refused(&cases);
}

#[test]
#[rustfmt::skip] // A table: one URL a line.
fn bad_urls_of_other_services_are_refused_too() {
    expect_refused(&[
        (Sms, "vonage://k:hunter2@h", FROM),
        (Sms, "vonage://k:hunter2@h?from=", FROM),
        (Sms, "vonage://k:hunter2@h?from=TwelveLetter", FROM),
        (Sms, "vonage://k:hunter2@h?from=A%26B", FROM),
        (Sms, "vonage://k:hunter2@h?from=%2B1234567890123456", FROM),
        (Sms, "vonage://k@h?from=Acme", KEY),
        (Sms, "vonage://k:@h?from=Acme", KEY),
        (Sms, "vonage://k%2F:hunter2@h?from=Acme", KEY),
        (Sms, "vonage://k:hunter2@h/path?from=Acme", "vonage:// takes no path after the host; write a `/` in a password as %2F."),
        (Sms, "vonage://k:hunter2@h?from=Acme&type=hunter2", "Parameter 2 of vonage:// is not known or comes twice; known are from."),
        (Push, "ntfy://", "ntfy: needs `//` and a host, as in ntfy://user:password@host.example."),
        (Push, "ntfy:host", "ntfy: needs `//` and a host, as in ntfy://user:password@host.example."),
        (Push, "ntfy://@host", NTFY),
        (Push, "ntfy://hunter2:@host", NTFY),
        (Push, "ntfy://:hunter2@host", NTFY),
        (Push, "ntfy://host?topic=hunter2", "Parameter 1 of ntfy:// is not known or comes twice; known are rate only."),
        (Push, "ntfy://hunter2@host/a%2", "In the path of ntfy:// a `%` must be followed by two hexadecimal digits that make UTF-8; write a `%` itself as %25."),
        (Push, "ntfy://hunter2@host/a%0Ab", "In the path of ntfy:// there is a control character or line break; remove it."),
        (Push, "ntfy://hunter2@host/æ", "The path of ntfy:// holds a character that has to be percent-encoded."),
        (Push, "gotify://host", GOTIFY),
        (Push, "gotify://@host", GOTIFY),
        (Push, "gotify://anna:hunter2@host", GOTIFY),
        (Push, "fcm:", FCM),
        (Push, "fcm://", FCM),
        (Push, "fcm:///", FCM),
        (Push, "fcm://hunter2@host/key.json", "fcm:// takes no user: the key file says who sends, as in fcm:///etc/herald/service-account.json."),
        (Push, "fcm:///key.json?topic=hunter2", "Parameter 1 of fcm:// is not known or comes twice; known are rate only."),
        (Push, "fcm:///key%2", "In the path of fcm:// a `%` must be followed by two hexadecimal digits that make UTF-8; write a `%` itself as %25."),
        (Push, "fcm+http:///key.json", "fcm+http: needs `//` and a host, as in fcm+http://user:password@host.example."),
        (Push, "gotify://hunter2@host?priority=hunter2", "Parameter 1 of gotify:// is not known or comes twice; known are rate only."),
    ]);
}

#[test]
#[rustfmt::skip] // A table: one URL a line.
fn urls_of_any_gateway_are_understood_or_refused() {
    let good = "webhook+https://hook.example:8443/a/b?rate=1&header.X-Key=hunter2&field.app=hunter2&subject=&id=ref";
    let parsed = ProviderUrl::parse(Email, good).unwrap();
    assert_eq!(parsed.masked(), "webhook+https://hook.example:8443/a/b?rate=1&header.X-Key=***&field.app=***&subject=&id=ref");
    let names = r#"Names { to: Some("to"), text: Some("text"), subject: None, html: Some("html"), from: Some("from"), id: Some("ref") }"#;
    let shown = format!("{parsed:?}");
    let expected = format!(r#"address: "https://hook.example:8443/a/b", method: "POST", form: false, names: {names}, headers: [("X-Key", ***)], fields: [("app", ***)], account: None }})"#);
    assert!(shown.ends_with(&expected), "{shown}");
    let header = |at: usize| format!("Header {at} of a webhook is not one that can be set: it is `header.NAME=value`, once, in ASCII, and not one that the body, the connection or the user makes.");
    let names = "The fields of a webhook each have a name of their own, of 1 to 64 characters; `subject=` without a name leaves that field out.";
    let account = "A webhook takes a user and a password together, as in webhook+https://user:password@host/path, or neither.";
    let long = format!("webhook+https://h/?to={}", "n".repeat(65));
    for (url, sentence) in [
        ("webhook+https://hunter2@h/", account),
        ("webhook+https://u:@h/", account),
        ("webhook+https://h/?method=GET", "method= of a webhook is POST or PUT."),
        ("webhook+https://h/?format=xml", "format= of a webhook is json or form."),
        ("webhook+https://h/?text=", "text= of a webhook names the field of the text; it cannot be left out."),
        ("webhook+https://h/?to=a&text=a", names),
        ("webhook+https://h/?to=to&field.to=hunter2", names),
        ("webhook+https://h/?field.text=hunter2", "text= of a webhook names the field of the text; it cannot be left out."),
        ("webhook+https://h/?field.=hunter2", names),
        (&long, names),
        ("webhook+https://h/?header.A=1&header.B(c)=hunter2", &header(2)),
        ("webhook+https://h/?header.Host=hunter2", &header(1)),
        ("webhook+https://h/?header.content-TYPE=hunter2", &header(1)),
        ("webhook+https://h/?header.A=hunter2&header.a=hunter2", &header(2)),
        ("webhook+https://h/?header.A=b%C3%A6", &header(1)),
        ("webhook+https://u:hunter2@h/?header.Authorization=hunter2", &header(1)),
        ("webhook+https://h/?header.A=a%0D%0AB:hunter2", "In a parameter of webhook+https:// there is a control character or line break; remove it."),
        ("webhook+https://h/?header.A=1&key=hunter2", "Parameter 2 of webhook+https:// is not known or comes twice; known are method, format, to, text, subject, html, from, id, header.NAME, field.NAME."),
        ("webhook+https://h/a%2", "In the path of webhook+https:// a `%` must be followed by two hexadecimal digits that make UTF-8; write a `%` itself as %25."),
    ] {
        expect_refused(&[(Sms, url, sentence)]);
    }
}

/// What the help shows can be written, and it shows every kind.
#[test]
fn the_help_has_a_good_url_of_each_kind() {
    let help = help();
    for (url, meaning) in EXAMPLES {
        let channels = Channel::ALL.into_iter();
        let good = channels.filter(|channel| ProviderUrl::parse(*channel, url).is_ok());
        assert!(good.count() > 0 && help.contains(meaning), "{url}");
    }
    for scheme in SCHEMES {
        let plain = scheme.word.strip_suffix("+http").unwrap_or(scheme.word);
        let shown = |(url, _): &(&str, &str)| url.starts_with(plain);
        assert!(EXAMPLES.iter().any(shown), "{}", scheme.word);
    }
}

fn expect_refused(cases: &[(Channel, &str, &str)]) {
    for (channel, url, sentence) in cases {
        let why = ProviderUrl::parse(*channel, url)
            .expect_err(url)
            .to_string();
        assert_eq!(why, *sentence, "{url}");
        assert!(!why.contains("hunter2"));
    }
}
