//! Finds the lines of the expectations of a script: what reads RON forgets where it found a value.

/// The words with which an expectation begins. No step and no field has one of these names.
const EXPECTATIONS: [&str; 6] = ["Outcome", "NoOutcome", "Uplink", "Arrived", "Reports", "Window"];

/// The line, from 1, on which each expectation begins, in order. Comments and texts in quotes do not count.
pub(super) fn expectation_lines(source: &str) -> Vec<usize> {
    let (mut lines, mut line, mut rest) = (Vec::new(), 1, source);
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest, first);
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if EXPECTATIONS.contains(&token) && after.trim_start().starts_with('(') {
            lines.push(line);
        }
        line += token.matches('\n').count();
        rest = after;
    }
    lines
}

/// Bytes of the word, text, comment or other letter at the start, which is `first`.
fn token_length(rest: &str, first: char) -> usize {
    let until = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("//") {
        return until(rest.find('\n'));
    }
    if rest.starts_with("/*") {
        return comment_length(rest);
    }
    if first == '"' {
        return text_length(rest);
    }
    if first.is_alphabetic() || first == '_' {
        let length = until(rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_'));
        // A text in which a backslash is a backslash: r#"…"#.
        if let Some(raw) = rest.strip_prefix('r') {
            let marks: String = raw.chars().take_while(|letter| *letter == '#').collect();
            if raw.strip_prefix(marks.as_str()).is_some_and(|raw| raw.starts_with('"')) {
                let (end, begin) = (format!("\"{marks}"), marks.len() + 2);
                let inside = rest.get(begin..).unwrap_or_default();
                return inside.find(&end).map_or(rest.len(), |place| begin + place + end.len());
            }
        }
        return length;
    }
    first.len_utf8()
}

/// A comment may hold others.
fn comment_length(rest: &str) -> usize {
    let (mut depth, mut length) = (0_usize, 0);
    while let Some(left) = rest.get(length..).filter(|left| !left.is_empty()) {
        let step = if left.starts_with("/*") {
            depth += 1;
            2
        } else if left.starts_with("*/") {
            depth -= 1;
            2
        } else {
            left.chars().next().map_or(1, char::len_utf8)
        };
        length += step;
        if depth == 0 {
            return length;
        }
    }
    rest.len()
}

fn text_length(rest: &str) -> usize {
    let mut is_escaped = false;
    for (place, letter) in rest.char_indices().skip(1) {
        match letter {
            '"' if !is_escaped => return place + 1,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_found_on_their_lines_and_not_in_texts_or_comments() {
        let source = "Script(\n// Outcome(\n/* Window( /* Reports( */\nUplink( */\nabout: \"Outcome(\\\" Arrived(\",\n\
                      hints: r#\"\nWindow(\" Reports(\"#,\nExpect([Outcome(of: \"é\"), NoOutcome\n(of: 1),\nUplink(), \
                      Arrived(at: Outcomes), Reports(),\nWindow (line: 1)]))";
        assert_eq!(expectation_lines(source), [8, 8, 10, 10, 10, 11]);
    }

    #[test]
    fn what_never_ends_ends_with_the_script() {
        for source in ["\"Outcome(", "/* Outcome( /* */", "r#\"Outcome(\"", "// Outcome("] {
            assert_eq!(expectation_lines(source), [0; 0], "{source}");
        }
    }
}
