//! Scripts in virtual time.

use std::path::{Path, PathBuf};

use super::*;

/// The scripts that are shipped, in order.
fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ext| ext == "ron")).collect();
    files.sort();
    files
}

fn script(source: &str) -> CheckedScript {
    read_script(source).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

fn play(source: &str, seed: u64) -> Run {
    play_in_virtual_time(&script(source), seed).unwrap()
}

#[test]
fn every_shipped_script_passes_whatever_the_seed() {
    let files = shipped();
    assert!(files.len() >= 31, "{} scripts", files.len());
    let mut failed = String::new();
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        assert!(source.starts_with("// "), "{} has no comment that says what it shows", file.display());
        for seed in 1..=3 {
            let run = play(&source, seed);
            if !run.has_passed() {
                failed.push_str(&format!(
                    "{}\n\n",
                    run.text(&format!("{} seed {seed}", file.display()), false)
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// James writes to Ann and Bob over a path with faults.
const STORM: &str = r#"Script(
    about: "a storm",
    people: [Person(name: "Ann"), Person(name: "Bob", does: "drop=1")],
    faults: ["path:loss=30%,jitter=200ms,dup=10%"],
    steps: [
        Send(to: ["Ann", "Bob"], text: "Come here."),
        WaitForOutcomes("1m"),
        Expect([Outcome(of: ["Ann", "Bob"], is: Delivered), Reports(count: 7), Uplink(messages: 2)]),
    ],
)"#;

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    let (one, again, other) = (play(STORM, 7), play(STORM, 7), play(STORM, 8));
    assert_eq!(one, again);
    assert_ne!(one.ladders, other.ladders);
}

#[test]
fn what_is_not_met_is_said_with_what_was_seen_instead_and_the_ladder() {
    let run = play(
        r#"(
            about: "all wrong",
            people: [Person(name: "Ann"), Person(name: "Ben", does: "486"), Person(name: "Cy")],
            steps: [
                Send(to: ["Ann", "Ben"], text: "Come here."),
                Wait("5s"),
                Expect([
                    Outcome(of: "Ann", is: Failed, status: 486, transmissions: 2),
                    Outcome(of: "Ben", is: Delivered),
                    Outcome(of: "Cy", is: Delivered),
                    Outcome(of: "Ben", is: Failed, latency_at_least: "1s"),
                    Outcome(of: "Ben", transmissions_at_least: 2),
                    Outcome(of: "Ben", transmissions_at_most: 0),
                    NoOutcome(of: "Ben", within: "5s"),
                    Uplink(messages: 2, transmissions: 3, bytes_at_most: 10, status: 503),
                    Arrived(at: ["Ann", "Ben"], times: 2),
                    Reports(count: 9),
                    Window(line: "Delivered to both", resend_goes_to: ["Ann"]),
                ]),
            ],
        )"#,
        1,
    );
    assert_eq!((run.checks.len(), run.failures(), run.has_passed()), (12, 12, false));
    let text = run.text("wrong.ron", false);
    for line in [
        "FAIL wrong.ron: all wrong",
        "  FAIL    5.000 s  Ann: Failed, status 486, sent 2 times",
        "seen instead: Delivered, status 200, sent once, known after ",
        "  FAIL    5.000 s  Ben: Delivered (line ",
        "seen instead: Failed, status 486, sent once, known after ",
        "seen instead: the message does not go there",
        "  FAIL    5.000 s  Ben: Failed, known after 1.0 s or later",
        "  FAIL    5.000 s  Ben: sent at least 2 times",
        "  FAIL    5.000 s  Ben: sent at most never",
        "  FAIL    5.000 s  Ben: nothing known within 5.0 s",
        "  FAIL    5.000 s  uplink: 2 MESSAGEs, sent 3 times, at most 10 bytes, answered 503",
        "seen instead: one MESSAGE, sent once, ",
        " bytes, answered 202",
        "  FAIL    5.000 s  arrived at Ann 2 times",
        "seen instead: never",
        "  FAIL    5.000 s  reports: 9",
        "  FAIL    5.000 s  window: \"Delivered to both\", Resend goes to Ann",
        "seen instead: \"1 of 2 not delivered\", Resend goes to Ben",
        "|-- MESSAGE ----------->|",
        "<- 486 Busy Here -",
    ] {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }
}

#[test]
fn what_is_met_is_said_too_and_the_ladder_where_it_is_wanted() {
    let run = play(
        r#"(about: "good", people: [Person(name: "Ann")], steps: [
            Send(to: "Ann", text: "Hi."), WaitForOutcomes("1s"), Expect([Arrived(at: "Ann")]),
        ])"#,
        1,
    );
    let text = run.text("good.ron", false);
    assert!(text.starts_with("pass good.ron: good\n  pass "), "{text}");
    assert!(text.ends_with("  arrived at Ann once"), "{text}");
    assert!(run.text("good.ron", true).contains("|-- MESSAGE ----------->|"));
}

#[test]
fn an_error_in_a_script_names_line_column_and_what_was_perhaps_meant() {
    let with = |people: &str, steps: &str| {
        format!("(\n  about: \"x\",\n  people: [{people}],\n  steps: [{steps}],\n)")
    };
    let ann = r#"Person(name: "Ann")"#;
    let expects = r#"Send(to: "Ann", text: "Hi"), Expect([Arrived(at: "Ann")])"#;
    // The script, where it is wrong (the place of these words in it), and what is said.
    for (source, place, said) in [
        (String::new(), "", ""),
        (with(ann, ""), "(", "nothing is expected; a step like"),
        (
            with(r#"Person(nam: "Ann")"#, expects),
            "nam",
            "there is no field \"nam\" here; the fields are name, address, does, simulated; did you mean name?",
        ),
        (with(ann, "Sned(to: \"Ann\")"), "Sned", "\"Sned\" is not one of Send, Resend, "),
        (with(ann, "Sned(to: \"Ann\")"), "Sned", "did you mean Send?"),
        (
            with(ann, "Wait(\"5\")"),
            "5\")],",
            "\"5\" is not a time; write it like \"500ms\", \"2s\", \"5m\" or \"1h\"",
        ),
        (with(ann, "Wait(5)"), "5)", "a text is wanted here, in quotes"),
        (
            with(ann, "Send(to: 5, text: \"x\")"),
            "5,",
            "a name like \"Ann\", or several like [\"Ann\", \"Ben\"] is wanted here, not ",
        ),
        (
            with(ann, &format!("{expects}, GoOffline(\"An\")")),
            "An\")",
            "\"An\" is none of the people whom the script plays, who are Ann; did you mean Ann?",
        ),
        (
            with(ann, &format!("{expects}, Fault(\"path:los=2%\")")),
            "los=2",
            "\"los=2%\" is not a fault of path; use loss=P%",
        ),
        (
            with(ann, &format!("{expects}, Fault(\"bob:486\")")),
            "bob",
            "\"bob\" is none of the people whom the script plays",
        ),
        (with(r#"Person(name: "Ann", does: "silnt")"#, expects), "silnt", "\"silnt\" is not an answer"),
        (with(r#"Person(name: "Path")"#, expects), "Path", "\"Path\" cannot be the name of a person"),
        (with(&format!("{ann}, {ann}"), expects), "Ann", "there are two people of the name \"Ann\""),
        (
            with(r#"Person(name: "Ann", address: "a b")"#, expects),
            "a b",
            "\"a b\" is not an address; write it like sip:ann@domain.com",
        ),
        (
            with(ann, &format!("{expects}, Send(to: \"Ann\", text: \"H\")")),
            "H\"",
            "the text of a message is in that of another one",
        ),
        (with(ann, "Expect([Arrived(at: \"Ann\")])"), "(", "a step speaks of a message before any Send"),
        (
            with(ann, "Send(to: \"Ann\", text: \"Hi\"), Expect([Arrived(at: \"Ann\", message: 2)])"),
            "message: 2",
            "message: 2 is not sent before it is spoken of",
        ),
        (with(ann, &format!("{expects}, Wait(\"999h\")")), "(", "a time in a script is at most 168 h"),
    ] {
        let error = read_script(&source).unwrap_err();
        let before = source.get(..source.find(place).unwrap()).unwrap();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().len() + 1;
        assert!(error.what.contains(said), "{said}\n{error}\n{source}");
        assert_eq!((error.line, error.column), (line, column), "{said}\n{error}\n{source}");
    }
}

#[test]
fn the_schema_names_every_field_and_every_kind() {
    let wrong = |source: &str| read_script(source).unwrap_err().what;
    let known = |words: &str| -> Vec<String> {
        let names = words.split(" are ").nth(1).or_else(|| words.split("is not one of ").nth(1)).unwrap();
        let names = names.split(';').next().unwrap();
        names.split(", ").map(str::to_owned).collect()
    };
    let steps = |step: &str| format!("(about: \"x\", people: [], steps: [{step}])");
    let expectations = |one: &str| steps(&format!("Expect([{one}])"));
    for source in [
        "(zzzz: 1)".to_owned(),
        "(people: [Person(zzzz: 1)])".to_owned(),
        "(lists: [List(zzzz: 1)])".to_owned(),
        steps("Send(zzzz: 1)"),
        steps("Resend(zzzz: 1)"),
        steps("Zzzz"),
        steps("Send(report: Zzzz)"),
        expectations("Zzzz"),
        expectations("Outcome(zzzz: 1)"),
        expectations("Outcome(is: Zzzz)"),
        expectations("NoOutcome(zzzz: 1)"),
        expectations("Uplink(zzzz: 1)"),
        expectations("Arrived(zzzz: 1)"),
        expectations("Reports(zzzz: 1)"),
        expectations("Window(zzzz: 1)"),
    ] {
        let words = wrong(&source);
        for name in known(&words) {
            let is_there = SCHEMA
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|word| word == name);
            assert!(is_there, "{name} of {source} is not in the schema ({words})");
        }
    }
    // The example in it is a script that can be read, but for the people who are not in it.
    let example = SCHEMA.get(SCHEMA.find("Script(").unwrap()..).unwrap();
    let error = read_script(example).unwrap_err();
    assert!(error.what.starts_with("\"Ben\" is none of the people whom the script plays"), "{error}");
}

#[test]
fn junit_xml_counts_names_and_escapes() {
    let run = Run {
        about: "a < b".to_owned(),
        checks: vec![
            Check { at: Default::default(), line: 1, expected: "good \"one\"".to_owned(), instead: None },
            Check {
                at: Default::default(),
                line: 2,
                expected: "bad".to_owned(),
                instead: Some("x & \u{1} y".to_owned()),
            },
        ],
        ladders: "|<- 200 OK -|\n".to_owned(),
        took: std::time::Duration::from_millis(32_500),
    };
    let text = junit(&[("a.ron".to_owned(), run)]).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    let attribute = |name: &str| suite.attribute(name).unwrap();
    assert_eq!(
        ["name", "tests", "failures", "errors", "skipped", "time"].map(attribute),
        ["a.ron", "2", "1", "0", "0", "32.500"]
    );
    let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases[0].attribute("name"), Some("1. good \"one\""));
    let failure = cases[1].first_element_child().unwrap();
    assert_eq!(failure.attribute("message"), Some("seen instead: x &  y"));
    assert_eq!(failure.text(), Some("expected: bad\nseen instead: x &  y"));
    let out = suite.children().find(|node| node.has_tag_name("system-out")).unwrap();
    assert_eq!(out.text(), Some("a < b\n|<- 200 OK -|\n"));
}
