//! Rendering: the built-in templates as whole files, escaping, holes, limits and weapons.

use std::collections::BTreeMap;
use std::path::PathBuf;

use herald::assets::built_in_templates;
use herald::domain::format::Format;
use herald::domain::message_type::{MessageType, built_in};
use herald::domain::placeholder::{Value, Values};
use herald::domain::template::Draft;
use herald::render::{
    Parts, Problem, check_link, check_url_value, custom_email, inspect, link, render,
};

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// The catalogue's samples as the values of a send.
fn samples(message_type: &MessageType) -> Values {
    let mut values = Values::new();
    for word in message_type.catalogue() {
        match word.name.split_once('.') {
            None => drop(values.insert(word.name, Value::Text(word.sample))),
            Some((root, attribute)) => {
                let map = values
                    .entry(root.into())
                    .or_insert_with(|| Value::Map(BTreeMap::new()));
                if let Value::Map(map) = map {
                    map.insert(attribute.into(), Value::Text(word.sample));
                }
            }
        }
    }
    values
}

/// Compares with a file of `tests/cases/render`; `HERALD_WRITE_CASES=1` writes it instead, to be read before it is committed.
#[track_caller]
fn same_as_file(name: &str, got: &str) {
    let path = PathBuf::from("tests/cases/render").join(name);
    if std::env::var_os("HERALD_WRITE_CASES").is_some() {
        std::fs::write(&path, got).unwrap();
    }
    assert_eq!(
        got,
        std::fs::read_to_string(&path).unwrap_or_default(),
        "{}",
        path.display()
    );
}

#[test]
fn the_built_in_templates_render_with_their_samples() {
    let types = built_in();
    let templates = built_in_templates();
    assert_eq!(templates.len(), 12);
    for built_in in templates {
        let message_type = types
            .iter()
            .find(|t| t.slug.as_str() == built_in.slug)
            .unwrap();
        let draft = Draft {
            type_id: message_type.id.0,
            format: built_in.format.number(),
            language: built_in.language.into(),
            sender: Some("herald@example.com".into()),
            subject: built_in.subject,
            body: Some(built_in.body),
            html_body: built_in.html_body,
        };
        let template = draft.check(Some(message_type), inspect).unwrap();
        let rendered = render(&Parts::from(&template), &samples(message_type)).unwrap();
        let name = format!("{}.{}.txt", built_in.slug, built_in.format.name());
        let whole = format!(
            "=== Subject\n{}\n=== Body\n{}\n=== HTMLBody\n{}\n",
            rendered.subject.unwrap_or_default(),
            rendered.body,
            rendered.html_body.unwrap_or_default()
        );
        same_as_file(&name, &whole);
        if built_in.format == Format::Sms {
            assert!(
                rendered.body.is_ascii() && rendered.body.len() < 160,
                "{name}"
            );
        }
    }
}

fn parts<'a>(subject: &'a str, body: &'a str) -> Parts<'a> {
    Parts {
        format: Format::CombinedEmail,
        subject: Some(subject),
        body: Some(body),
        html_body: Some(body),
    }
}

#[test]
fn html_is_escaped_exactly_once_and_text_not_at_all() {
    let values = Values::from([("text".into(), text("<b a='1' b=\"2\">&amp;</b>/{{ text }}"))]);
    let rendered = render(&parts("{{ text }}", "{{ text|trim }}"), &values).unwrap();
    assert_eq!(
        rendered.subject.unwrap(),
        "<b a='1' b=\"2\">&amp;</b>/{{ text }}"
    );
    assert_eq!(rendered.body, "<b a='1' b=\"2\">&amp;</b>/{{ text }}");
    assert_eq!(
        rendered.html_body.unwrap(),
        "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;amp;&lt;/b&gt;/{{ text }}"
    );
}

/// The body's text, or the sentence of the refusal.
fn rendered(body: &str, values: &Values) -> String {
    let parts = Parts {
        format: Format::Sms,
        subject: None,
        body: Some(body),
        html_body: None,
    };
    render(&parts, values).map_or_else(|e| e.details(), |r| r.body)
}

#[test]
fn templates_do_what_authors_need() {
    let list = Value::List(vec![text("a"), text("b"), text("c")]);
    let item = Value::Map(BTreeMap::from([
        ("name".into(), text("pen")),
        ("price".into(), Value::Float(1.5)),
    ]));
    let values = Values::from([
        ("list".into(), list),
        ("items".into(), Value::List(vec![item])),
        ("name".into(), text("anna BERG")),
        ("empty".into(), text("")),
        ("count".into(), Value::Int(3)),
        ("yes".into(), Value::Bool(true)),
        ("nothing".into(), Value::Null),
    ]);
    let table = [
        (
            "{{ name|upper }} {{ name|lower }} {{ name|capitalize }} {{ name|length }}",
            "ANNA BERG anna berg Anna berg 9",
        ),
        (
            "{{ list|join(', ') }} {{ list|first }} {{ list|last }} {{ list|length }}",
            "a, b, c a c 3",
        ),
        (
            "{{ missing|default('x') }} {{ empty or 'y' }} {{ name|default(missing) }}",
            "x y anna BERG",
        ),
        (
            "{% for i in items %}{{ loop.index }} {{ i.name }} {{ i.price }}{% endfor %}",
            "1 pen 1.5",
        ),
        (
            "{% for i in list %}{{ i }}{% if not loop.last %}-{% endif %}{% endfor %}",
            "a-b-c",
        ),
        (
            "{% if count > 2 and yes %}many{% elif count == 1 %}one{% else %}few{% endif %}",
            "many",
        ),
        (
            "{% if name in ['anna BERG', 'b'] %}in{% endif %}{% if 'z' not in list %} out{% endif %}",
            "in out",
        ),
        (
            "{% if missing %}a{% else %}b{% endif %}{% if missing is defined %}c{% endif %}",
            "b",
        ),
        (
            "{% raw %}{{ name }}{% endraw %}{# a comment #}",
            "{{ name }}",
        ),
        (
            "{{ missing }}",
            "Body, line 1: the placeholder 'missing' has no value; the message is not sent.",
        ),
        (
            "a\n{{ nothing }}",
            "Body, line 2: the placeholder 'nothing' has no value; the message is not sent.",
        ),
        (
            "a\nb {{ name.first }}",
            "Body, line 2: the placeholder 'name.first' has no value; the message is not sent.",
        ),
        (
            "{{ missing.x }}",
            "Body, line 1: the placeholder 'missing.x' has no value; the message is not sent.",
        ),
        (
            "{% for i in missing %}{{ i }}{% endfor %}",
            "Body, line 1: the placeholder 'missing' has no value; the message is not sent.",
        ),
        (
            "{{ missing|upper }}",
            "Body, line 1: the filter 'upper' stands behind a placeholder without a value; the message is not sent.",
        ),
        (
            "{{ list }}",
            "Body, line 1: 'list' fails: a list or a map cannot be printed; use 'for', 'join' or an attribute; the message is not sent.",
        ),
        (
            "{{ count|upper }}",
            "Body, line 1: 'upper' fails: this filter takes text; the message is not sent.",
        ),
        (
            "{{ empty }}",
            "Body is empty with its values; the message is not sent.",
        ),
    ];
    for (source, expected) in table {
        assert_eq!(rendered(source, &values), expected, "{source}");
    }
}

#[test]
fn hostile_values_are_refused_or_harmless() {
    for hostile in ["a\r\nBcc: b@c", "a\nb", "a\0b", "a\u{2028}b", "a\u{1b}[2J"] {
        let values = Values::from([("text".into(), text(hostile))]);
        let error = render(&parts("{{ text }}", "b"), &values)
            .unwrap_err()
            .details();
        assert!(error.starts_with("Subject must"), "{hostile:?}: {error}");
    }
    let values = Values::from([("text".into(), text("a\0b"))]);
    assert_eq!(
        rendered("{{ text }}", &values),
        "Body must not hold the control character U+0000."
    );
    let values = Values::from([("text".into(), text(" "))]);
    let error = render(&parts("{{ text }}", "b"), &values)
        .unwrap_err()
        .details();
    assert_eq!(
        error,
        "Subject with its values must have 1 to 900 bytes; the message is not sent."
    );
}

#[test]
fn no_render_outgrows_its_limits() {
    let big = text(&"x".repeat(100_000));
    let many = Value::List(vec![Value::Int(1); 5_000]);
    let values = Values::from([("big".into(), big), ("many".into(), many)]);
    let table = [
        (
            "{% for i in many %}{{ big }}{% endfor %}",
            "it becomes larger than 262144 bytes",
        ),
        (
            "{% for i in many %}{% for j in many %}{% endfor %}{% endfor %}",
            "it takes more than 50000 steps",
        ),
        (
            "{% for i in many %}{% if big|upper %}{% endif %}{% endfor %}",
            "it takes more than 50000 steps",
        ),
        ("{{ many|join(big) }}", "it takes more than 50000 steps"),
    ];
    for (source, what) in table {
        assert_eq!(
            rendered(source, &values),
            format!("Body, line 1: {what}; the message is not sent.")
        );
    }
    let refusal = "The placeholders hold more than 262144 bytes or are nested more than 8 deep; the message is not sent.";
    let mut deep = Value::Int(1);
    for _ in 0..9 {
        deep = Value::List(vec![deep]);
    }
    for value in [
        text(&"x".repeat(300_000)),
        Value::List(vec![Value::Null; 20_000]),
        deep,
    ] {
        assert_eq!(rendered("a", &Values::from([("v".into(), value)])), refusal);
    }
}

/// A stack smaller than any thread of ours has, so that a recursion that only just fits is found.
fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap()
}

#[test]
fn weapons_are_refused_before_they_work() {
    let table = std::fs::read_to_string("tests/cases/weapons.tsv").unwrap();
    let mut answers = String::new();
    for row in table.lines() {
        if row.starts_with('#') {
            answers += &format!("{row}\n");
            continue;
        }
        let cells: Vec<&str> = row.split('\t').collect();
        let [before, times, repeated, after] = [cells[0], cells[1], cells[2], cells[3]];
        let source = format!("{before}{}{after}", repeated.repeat(times.parse().unwrap()));
        let source = source.replace("\\0", "\0").replace("\\n", "\n");
        let (took, result) = on_a_small_stack(move || {
            let start = std::time::Instant::now();
            let result = inspect(&source);
            (start.elapsed(), result)
        });
        eprintln!("{took:>10.1?}  {before} {times} {repeated} {after}");
        let Problem { line, column, what } = result.expect_err(row);
        answers += &format!("{}\t{line}:{column} {what}\n", cells[..4].join("\t"));
    }
    same_as_file("../weapons.tsv", &answers);
}

#[test]
fn the_deepest_template_that_is_allowed_fits_a_small_stack() {
    let deep = "{% if ((((((a and not not a)))))) %}";
    let source = deep.repeat(24) + "x" + &"{% endif %}".repeat(24);
    let values = Values::from([("a".into(), Value::Bool(true))]);
    assert_eq!(on_a_small_stack(move || rendered(&source, &values)), "x");
    let chain = format!(
        "{{% if b %}}{}{{% endif %}}",
        "{% elif b %}".repeat(22) + "{% elif a %}x"
    );
    let values = Values::from([("a".into(), Value::Bool(true))]);
    assert_eq!(on_a_small_stack(move || rendered(&chain, &values)), "x");
}

fn html_only(html: &str) -> Parts<'_> {
    Parts {
        format: Format::CombinedEmail,
        subject: Some("s"),
        body: None,
        html_body: Some(html),
    }
}

#[test]
fn a_mail_with_only_html_gets_a_readable_text() {
    let html = "<html><head><title>t</title><style>p{}</style></head><body><h1>Hello &amp; welcome</h1><p>Dear <b>{{ name }}</b>,<br>please \
                <a href=\"https://x.example/a?b=1&amp;c=2\">sign in</a>.</p><ul><li>one</li><li>two</li></ul><table><tr><td>a</td><td>b</td></tr></table></body></html>";
    let values = Values::from([("name".into(), text("<Anna>"))]);
    let rendered = render(&html_only(html), &values).unwrap();
    same_as_file("html-only.txt", &rendered.body);
}

#[test]
fn html_nested_deeply_is_refused_before_it_is_turned_into_text() {
    for tag in ["div", "table><tr><td", "blockquote", "ul><li", "b", "DIV/"] {
        let html = format!("<{tag}>").repeat(60_000 / (tag.len() + 2)) + "a";
        let details = on_a_small_stack(move || {
            render(&html_only(&html), &Values::new())
                .unwrap_err()
                .details()
        });
        let expected = "HTMLBody nests its elements more than 200 deep, so no text part can be made of it; write Body yourself.";
        assert_eq!(details, expected, "{tag}");
    }
    let flat = "<p>a<br><li>b<img src=x><b>c</b>".repeat(1_000);
    render(&html_only(&flat), &Values::new()).unwrap();
}

#[test]
fn a_custom_body_is_encoded_once_with_br_for_line_ends() {
    let (plain, html) = custom_email("a < b & {{ c }}\r\n\"d\"\n\n'e'\r<br>");
    assert_eq!(plain, "a < b & {{ c }}\r\n\"d\"\n\n'e'\r<br>");
    assert_eq!(
        html,
        "a &lt; b &amp; {{ c }}<br>\n&quot;d&quot;<br>\n<br>\n&#39;e&#39;<br>\n&lt;br&gt;"
    );
}

#[test]
fn words_that_end_in_url_hold_only_addresses_a_reader_may_open() {
    let good = [
        "https://a.example/x?y=1#z",
        "http://localhost:8080",
        "https://[::1]/",
        "myapp://open",
        "mailto:a@b",
        "HTTPS://A",
    ];
    for address in good {
        check_url_value("loginUrl", &text(address)).unwrap();
    }
    check_url_value("loginUrl", &Value::Null).unwrap();
    let bad = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "\u{1}javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:x",
        "/relative",
        "//host/x",
        "www.example.com",
        "",
        "https:",
        "https://",
        "https:///x",
        "http:x",
        "https://a b",
        ":x",
        "1a:x",
        "&#106;avascript:x",
    ];
    for address in bad {
        check_url_value("loginUrl", &text(address)).expect_err(address);
    }
    check_url_value("loginUrl", &Value::Int(1)).unwrap_err();
    let values = Values::from([("resetUrl".into(), text("javascript:1"))]);
    assert_eq!(
        rendered("a", &values),
        "The value of 'resetUrl' must not be an address that runs code or opens files."
    );
}

#[test]
fn link_patterns_make_addresses() {
    let user = Value::Map(BTreeMap::from([(
        "guid".into(),
        text("5a4b2f5c-6e0d-4b1e-9c37-1d2f0c8a7e10"),
    )]));
    let app = Value::Map(BTreeMap::from([(
        "url".into(),
        text("https://app.example.com"),
    )]));
    let values = Values::from([
        ("user".into(), user),
        ("app".into(), app),
        ("token".into(), text("a.b.c")),
    ]);
    assert_eq!(
        link(
            "{{ app.url }}/reset?u={{ user.guid }}&t={{ token }}",
            &values
        )
        .unwrap(),
        "https://app.example.com/reset?u=5a4b2f5c-6e0d-4b1e-9c37-1d2f0c8a7e10&t=a.b.c"
    );
    assert_eq!(
        check_link("{{ app.url }}/{{ user.name }}")
            .unwrap_err()
            .details(),
        "Link pattern, column 18: there is no word 'user.name'; there are app.url, user.guid, user.language, token."
    );
    assert!(link("javascript:{{ token }}", &values).is_err());
    assert!(link("{{ app.url }}/{{ user.language }}", &values).is_err());
}

#[test]
#[ignore = "a measurement, not a promise: cargo test --release -- --ignored --nocapture"]
fn how_long_a_usual_html_mail_takes() {
    let types = built_in();
    let template = built_in_templates().remove(9);
    let values = samples(&types[3]);
    let parts = Parts {
        format: template.format,
        subject: template.subject.as_deref(),
        body: Some(&template.body),
        html_body: template.html_body.as_deref(),
    };
    let start = std::time::Instant::now();
    for _ in 0..2_000 {
        render(&parts, &values).unwrap();
    }
    eprintln!(
        "{:?} for one mail of subject, text and HTML",
        start.elapsed() / 2_000
    );
}
