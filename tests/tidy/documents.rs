//! The documents: each test that they name is there, and what a script should run, it runs.

use super::source::{Source, find};
use super::{assert_none, read, sources};

#[test]
fn what_was_tried_with_programs_of_others_is_tried_by_tests_that_there_are() {
    let files = sources(&["tests/real"]);
    assert_none(&missing_tests(&read("docs/compatibility.md"), &read("script/interop"), &files));
}

#[test]
fn each_line_of_what_a_stranger_may_do_and_of_the_exit_statuses_names_a_test_that_there_is() {
    let files = sources(&["src", "tests"]);
    let mut found = lines_without_a_test("docs/security.md", &read("docs/security.md"), &files);
    let operating = read("docs/operating.md");
    let statuses = operating.split_once("## Exit statuses\n").unwrap().1;
    let statuses = statuses.split("\n## ").next().unwrap();
    found.extend(lines_without_a_test("docs/operating.md", statuses, &files));
    assert_none(&found);
}

/// Rows of a document's tables whose last column names no test, or one that is not in its file: `FILE::TEST`, in backquotes.
pub(super) fn lines_without_a_test(path: &str, document: &str, files: &[Source]) -> Vec<String> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.trim_end().ends_with("| test |");
    let rows: Vec<&str> = document.lines().filter(is_row).collect();
    assert!(!rows.is_empty(), "no tables");
    let mut found = Vec::new();
    for row in rows {
        let last = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            found.push(format!("{path}: no test in: {row}"));
        }
        for name in named {
            let is_there = name.split_once("::").is_some_and(|(path, test)| {
                files
                    .iter()
                    .any(|file| file.path == path && !find(&file.whole, &format!("fn {test} (")).is_empty())
            });
            if !is_there {
                found.push(format!("{path}: there is no test {name}"));
            }
        }
    }
    found
}

/// Tests that the table names and that there are not, or that the script of the table does not run.
pub(super) fn missing_tests(table: &str, script: &str, files: &[Source]) -> Vec<String> {
    let there: Vec<String> = files.iter().flat_map(real_tests).collect();
    let filters: Vec<&str> = script
        .lines()
        .filter_map(|line| line.split_once(" -- "))
        .flat_map(|(_, rest)| rest.split(' '))
        .collect();
    let rows = table.lines().filter(|line| line.starts_with('|'));
    let is_test = |name: &&str| name.contains("::") && name.starts_with(|c: char| c.is_ascii_lowercase());
    let named: Vec<&str> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).filter(is_test).collect();
    assert!(!named.is_empty() && !filters.is_empty(), "no table or no script");
    let mut found = Vec::new();
    for name in named {
        let start = name.trim_end_matches('\u{2026}');
        let mut meant = there.iter().filter(|test| test.starts_with(start)).peekable();
        if meant.peek().is_none() {
            found.push(format!("docs/compatibility.md: there is no test {name}"));
        }
        if !meant.all(|test| filters.iter().any(|filter| test.contains(filter))) {
            found.push(format!("script/interop: does not run {name}"));
        }
    }
    found
}

/// The tests of one file of the real suite, as a filter names them.
fn real_tests(file: &Source) -> Vec<String> {
    let place = file.path.trim_start_matches("tests/real/").trim_end_matches(".rs").replace('/', "::");
    let words: Vec<&str> = file.whole.iter().map(|token| token.text.as_str()).collect();
    let is_test = |at: &usize| words[*at..].starts_with(&["#", "[", "test", "]"]);
    let name = |at: usize| words[at..].iter().skip_while(|word| **word != "fn").nth(1);
    (0..words.len()).filter(is_test).filter_map(name).map(|test| format!("{place}::{test}")).collect()
}
