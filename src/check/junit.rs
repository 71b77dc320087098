//! Results as JUnit XML, as CI servers read it: a test suite for each script, a test case for each expectation.

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::writer::Writer;

use super::result::Run;

/// The XML of several runs, each with the name of its script.
///
/// # Errors
/// Never: it is written to memory.
pub fn junit(runs: &[(String, Run)]) -> std::io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let tests: usize = runs.iter().map(|(_, run)| run.checks.len()).sum();
    let failures: usize = runs.iter().map(|(_, run)| run.failures()).sum();
    let mut suites = BytesStart::new("testsuites");
    suites.push_attribute(("tests", tests.to_string().as_str()));
    suites.push_attribute(("failures", failures.to_string().as_str()));
    writer.write_event(Event::Start(suites))?;
    for (name, run) in runs {
        suite(&mut writer, name, run)?;
    }
    writer.write_event(Event::End(BytesEnd::new("testsuites")))?;
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    Ok(text)
}

fn suite(writer: &mut Writer<Vec<u8>>, name: &str, run: &Run) -> std::io::Result<()> {
    let mut suite = BytesStart::new("testsuite");
    suite.push_attribute(("name", clean(name).as_str()));
    suite.push_attribute(("tests", run.checks.len().to_string().as_str()));
    suite.push_attribute(("failures", run.failures().to_string().as_str()));
    suite.push_attribute(("errors", "0"));
    suite.push_attribute(("skipped", "0"));
    suite.push_attribute(("time", format!("{:.3}", run.took.as_secs_f64()).as_str()));
    writer.write_event(Event::Start(suite))?;
    for (number, check) in (1..).zip(&run.checks) {
        let mut case = BytesStart::new("testcase");
        case.push_attribute(("name", clean(&format!("{number}. {}", check.expected)).as_str()));
        case.push_attribute(("classname", clean(name).as_str()));
        case.push_attribute(("time", "0.000"));
        let Some(instead) = &check.instead else {
            writer.write_event(Event::Empty(case))?;
            continue;
        };
        writer.write_event(Event::Start(case))?;
        let mut failure = BytesStart::new("failure");
        failure.push_attribute(("message", clean(&format!("seen instead: {instead}")).as_str()));
        failure.push_attribute(("type", "expectation"));
        writer.write_event(Event::Start(failure))?;
        let text = format!("expected: {}\nseen instead: {instead}", check.expected);
        writer.write_event(Event::Text(BytesText::new(&clean(&text))))?;
        writer.write_event(Event::End(BytesEnd::new("failure")))?;
        writer.write_event(Event::End(BytesEnd::new("testcase")))?;
    }
    writer.write_event(Event::Start(BytesStart::new("system-out")))?;
    let out = format!("{}\n{}", run.about, run.ladders);
    writer.write_event(Event::Text(BytesText::new(&clean(&out))))?;
    writer.write_event(Event::End(BytesEnd::new("system-out")))?;
    writer.write_event(Event::End(BytesEnd::new("testsuite")))
}

/// Without the characters that XML cannot hold.
fn clean(text: &str) -> String {
    let is_legal = |letter: &char| matches!(*letter, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_legal).collect()
}
