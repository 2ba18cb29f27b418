//! `herald simulate` as an operator meets it: words and orders in; lines, answers and exit code out.

use super::world::World;
use crate::support::binary::{Running, done, herald};
use crate::support::holes::holed;
use herald::simulate::{LOOK_ALIKES, language};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::TcpListener;

#[test]
fn orders_are_carried_out_or_refused_with_a_sentence() {
    let world = World::start(&[
        "--json",
        "--fault",
        "smtp.rcpt next 2 = 451 Later",
        "--seed",
        "7",
    ]);
    let from_start = r#"{"Number":1,"Fault":"smtp.rcpt next 2 = 451 Later","Struck":0}"#;
    let call = |method: &str, path: &str, body: &str| {
        world.control.call(method, path, &[], body.as_bytes())
    };
    let list = |faults: &str| format!(r#"{{"Faults":[{faults}]}}"#);
    call("GET", "/simulate/faults", "").expect(200, &list(from_start));
    let both = format!(r#"{from_start},{{"Number":2,"Fault":"http 50% = close","Struck":0}}"#);
    call("POST", "/simulate/faults", "\n http 50% = close \r\n\n").expect(201, &list(&both));
    let why = "\"http = slam\" is no fault: what is \"slam\"? Write a reply such as 451 Try again, or close, reset, silence, hold, refuse, garbage, raw, flood, late 30s, slow, huge, truncated or torn.";
    let help = language::help();
    call("POST", "/simulate/faults", "http = close\nhttp = slam")
        .expect(400, &format!("{why}\n\n{help}\n"));
    call("POST", "/simulate/faults", "\n\n")
        .expect(400, &format!("Send faults, one a line.\n\n{help}\n"));
    call("GET", "/simulate/faults", "").expect(200, &list(&both));
    let page = [("origin", "https://evil.example")];
    world
        .control
        .call("DELETE", "/simulate/faults", &page, b"")
        .expect(403, "A web page gives no orders here.\n");
    call("PUT", "/simulate/faults", "").expect(405, "GET, POST or DELETE faults.\n");
    call("POST", "/simulate/messages", "").expect(405, "GET or DELETE messages.\n");
    call("GET", "/simulate/", "")
        .expect(404, "There are /simulate/faults and /simulate/messages.\n");
    call("GET", "/simulate/messages?after=x", "")
        .expect(400, "after takes the number of a message, not \"x\".\n");
    call("GET", "/simulate/messages?before=1", "")
        .expect(400, "Messages are asked for with after=NUMBER, or all.\n");
    // Faults of the services do not strike the orders.
    world.order("http = close");
    world.lift();
    let names: Vec<_> = LOOK_ALIKES.iter().map(|known| known.name).collect();
    let nobody = format!(
        "No service that is simulated here has GET /nowhere. There are: {}.\n",
        names.join(", ")
    );
    call("GET", "/nowhere", "").expect(404, &nobody);
}

#[test]
fn messages_are_listed_from_a_number_on_and_forgotten_on_demand() {
    let world = World::start(&["--json"]);
    let send = |text: &str| {
        let url = world.urls["twilio"].clone();
        let (account, rest) = url
            .strip_prefix("twilio+http://")
            .unwrap()
            .split_once(':')
            .unwrap();
        let (token, _) = rest.split_once('@').unwrap();
        let token = percent_encoding::percent_decode_str(token)
            .decode_utf8()
            .unwrap();
        let proof = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("{account}:{token}"),
        );
        let headers = [("authorization", format!("Basic {proof}"))];
        let headers = headers
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let path = format!("/2010-04-01/Accounts/{account}/Messages.json");
        let form = format!("From=Shop&To=%2B4790000001&Body={text}");
        let reply = world.control.call("POST", &path, &headers, form.as_bytes());
        assert_eq!(reply.status, 201, "{}", reply.body);
    };
    send("one");
    send("two");
    let list = |query: &str| {
        holed(
            &world
                .control
                .get(&format!("/simulate/messages{query}"))
                .body,
        )
    };
    let two = r#"{"Number":2,"Service":"twilio","Id":"<sid>","Reference":null,"Connection":0,"Encrypted":false,"User":"AC0123","From":"Shop","To":["+4790000001"],"Subject":null,"Content":"two","Reports":[]}"#;
    assert_eq!(
        list("?after=1"),
        format!(r#"{{"Taken":2,"Messages":[{two}]}}"#)
    );
    assert_eq!(list("?after=2"), r#"{"Taken":2,"Messages":[]}"#);
    world
        .control
        .delete("/simulate/messages")
        .expect(200, r#"{"Taken":2,"Messages":[]}"#);
    send("three");
    let messages = world.messages();
    assert_eq!((messages.len(), &messages[0]["Number"]), (1, &3.into()));
    world.running.until_it_prints("three");
    assert_eq!(world.printed("Content").len(), 3);
}

#[test]
fn for_people_it_prints_what_to_paste_and_a_line_per_message() {
    let world = World::start(&["--log-level", "warn"]);
    let printed = world.running.printed();
    let lines = holed(&printed);
    let lines: Vec<_> = lines.lines().collect();
    let pasted = LOOK_ALIKES.iter().filter(|known| known.url.is_some());
    assert_eq!(lines.len(), 2 + pasted.count());
    for expected in [
        "smtp: smtp://herald:rehearsal@127.0.0.1:<port>?tls=none",
        "twilio: twilio+http://AC0123:t0ken%2Fwith%2Bsigns@127.0.0.1:<port>?from=%2B15550001111",
        "faults: http://127.0.0.1:<port>/simulate/faults",
    ] {
        assert!(lines.contains(&expected), "{lines:?}");
    }
    let (_, smtp) = printed
        .lines()
        .next()
        .unwrap()
        .split_once("smtp: ")
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data").display().to_string();
    let env = [("HERALD_DATA_DIR", data_dir.as_str())];
    let words = [
        "client",
        "create",
        "--json",
        "--label",
        "app",
        "--scope",
        "relesys.api",
    ];
    let key: Value = serde_json::from_str(&done(&words, &env)).unwrap();
    let server = Running::serve(&data_dir, &[], &[("HERALD_EMAIL", smtp)]);
    let api = server.caller(key["key"].as_str().unwrap());
    let anna = json!({ "UserName": "anna", "Name": "Ånna", "Email": "anna@example.com" });
    let guid = api.post("/api/admin/v1/users", &anna.to_string()).json()["Data"]["Guid"].clone();
    let path = format!(
        "/api/v1.3/communication/messages/{}/send",
        guid.as_str().unwrap()
    );
    let mail = json!({ "deliveryMethod": "email", "messageBody": { "email": { "subject": "Blåbær", "body": "Hei" } } });
    api.post(&path, &mail.to_string()).expect(202, "");
    world.running.until_it_prints("\n1 smtp ");
    let line = world.running.printed().lines().last().unwrap().to_owned();
    assert_eq!(line, "1 smtp herald@localhost -> anna@example.com: Blåbær");
    world.running.signal(Signal::INT);
    assert_eq!(world.running.ended().code, Some(0));
}

#[test]
fn a_port_that_is_taken_is_said_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (smtp, http) in [(address.as_str(), "127.0.0.1:0"), ("127.0.0.1:0", &address)] {
        let said = herald(&["simulate", "--smtp", smtp, "--http", http], &[]);
        let sentence = format!(
            "herald: Cannot listen at {address}: Address already in use (os error 98). Choose another with --smtp or --http.\n"
        );
        assert_eq!((said.code, said.err), (Some(1), sentence));
    }
}
