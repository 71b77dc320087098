//! The texts of the window: each is there in every language, translated, with the same things filled in, and used; and nothing
//! is drawn in words that did not come from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{
    CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement, Resource, Variant,
};
use proc_macro2::{TokenStream, TokenTree};

use super::{assert_none, read};

/// Texts that read the same in another language: its file, and their names.
const SAME: &[(&str, &[&str])] = &[
    (
        "es",
        &[
            "bytes",
            "emoji",
            "export-csv-name",
            "export-html-name",
            "export-json-name",
            "key-alt",
            "key-ctrl",
            "proxy",
            "realm",
            "wire-facts",
        ],
    ),
    (
        "de",
        &[
            "clock-am",
            "clock-pm",
            "cmd-details",
            "count-deferred",
            "day-initials-friday",
            "day-initials-monday",
            "day-initials-saturday",
            "details",
            "emoji",
            "export-button",
            "export-csv-name",
            "export-html-name",
            "export-json-name",
            "export-text-name",
            "filter",
            "form-text",
            "hit-in",
            "import-button",
            "in-secondary-to",
            "key-alt",
            "key-minus",
            "key-plus",
            "language-system",
            "list-name-example",
            "median",
            "month-april",
            "month-august",
            "month-november",
            "month-september",
            "name",
            "pause",
            "person",
            "port",
            "preset-tunnel",
            "proxy",
            "realm",
            "short-offline",
            "tab-matrix",
            "theme-system",
        ],
    ),
];
/// Abbreviations, which are the same everywhere.
const ABBREVIATIONS: &str = "transport-";

/// What a text says, and what is filled in.
#[derive(Debug, Default, PartialEq)]
struct Said {
    words: String,
    given: BTreeSet<String>,
}

/// The texts of a file by their names, and what is wrong with the file.
fn texts(path: &str, source: &str) -> (BTreeMap<String, Said>, Vec<String>) {
    let (resource, mut wrong): (Resource<&str>, Vec<String>) = match fluent_syntax::parser::parse(source) {
        Ok(resource) => (resource, Vec::new()),
        Err((resource, errors)) => {
            (resource, errors.iter().map(|error| format!("{path}: {error}")).collect())
        }
    };
    let mut found = BTreeMap::new();
    for entry in &resource.body {
        let Entry::Message(message) = entry else { continue };
        let mut said = Said::default();
        match &message.value {
            Some(pattern) => pattern_said(pattern, &mut said),
            None => wrong.push(format!("{path}: `{}` is empty", message.id.name)),
        }
        if found.insert(message.id.name.to_owned(), said).is_some() {
            wrong.push(format!("{path}: `{}` is there twice", message.id.name));
        }
    }
    (found, wrong)
}

fn pattern_said(pattern: &Pattern<&str>, said: &mut Said) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => said.words.push_str(value),
            PatternElement::Placeable { expression: Expression::Inline(inline) } => inline_said(inline, said),
            PatternElement::Placeable { expression: Expression::Select { selector, variants } } => {
                inline_said(selector, said);
                for Variant { value, .. } in variants {
                    pattern_said(value, said);
                }
            }
        }
    }
}

fn inline_said(inline: &InlineExpression<&str>, said: &mut Said) {
    match inline {
        InlineExpression::VariableReference { id } => drop(said.given.insert(id.name.to_owned())),
        InlineExpression::FunctionReference { arguments: CallArguments { positional, .. }, .. } => {
            positional.iter().for_each(|argument| inline_said(argument, said));
        }
        InlineExpression::Placeable { expression } => {
            if let Expression::Inline(inline) = &**expression {
                inline_said(inline, said);
            }
        }
        InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. } => {}
    }
}

/// One `say!(…)` or `TextId(…)`.
struct Use {
    place: String,
    name: String,
    /// None if that is decided elsewhere.
    given: Option<BTreeSet<String>>,
}

fn uses(path: &str, tokens: TokenStream, found: &mut Vec<Use>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
        let before = |back: usize| at.checked_sub(back).map(|at| trees[at].to_string()).unwrap_or_default();
        let is_said = before(1) == "!" && before(2) == "say";
        let is_held = before(1) == "TextId";
        uses(path, group.stream(), found);
        let inside: Vec<TokenTree> = group.stream().into_iter().collect();
        let Some(TokenTree::Literal(name)) = inside.first().filter(|_| is_said || is_held) else { continue };
        let names: BTreeSet<String> = inside
            .windows(3)
            .filter(|three| three[0].to_string() == "," && three[2].to_string() == "=")
            .map(|three| three[1].to_string())
            .collect();
        found.push(Use {
            place: format!("{path}:{}", name.span().start().line),
            name: name.to_string().trim_matches('"').to_owned(),
            given: is_said.then_some(names),
        });
    }
}

fn uses_in(root: &Path, folder: &Path, found: &mut Vec<Use>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            uses_in(root, &path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            uses(&name, text.parse().unwrap(), found);
        }
    }
}

#[test]
fn each_text_is_there_in_every_language_and_says_something_of_its_own() {
    let (english, mut found) = texts("en", &read("assets/lang/en.ftl"));
    for (language, same) in SAME {
        let (texts, wrong) = texts(language, &read(&format!("assets/lang/{language}.ftl")));
        found.extend(wrong);
        found.extend(differences(language, &english, &texts, same));
    }
    assert_none(&found);
}

/// What one language lacks, has too much, did not translate, or fills in otherwise.
fn differences(
    language: &str,
    english: &BTreeMap<String, Said>,
    texts: &BTreeMap<String, Said>,
    same: &[&str],
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, said) in english {
        let Some(there) = texts.get(name) else {
            found.push(format!("{language}: `{name}` is missing"));
            continue;
        };
        if there.given != said.given {
            found.push(format!("{language}: `{name}` fills in {:?}, not {:?}", there.given, said.given));
        }
        let has_words = said.words.chars().any(char::is_alphabetic) && !name.starts_with(ABBREVIATIONS);
        let is_same = there.words == said.words && has_words;
        if is_same != same.contains(&name.as_str()) {
            let what = if is_same { "is not translated" } else { "is translated, and listed as the same" };
            found.push(format!("{language}: `{name}` {what}"));
        }
    }
    let unknown = texts.keys().filter(|name| !english.contains_key(*name));
    found.extend(unknown.map(|name| format!("{language}: `{name}` is not in English")));
    found
}

#[test]
fn each_text_is_used_and_each_that_is_used_is_there_with_what_it_fills_in() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (english, mut found) = texts("en", &read("assets/lang/en.ftl"));
    let mut all = Vec::new();
    uses_in(root, &root.join("src"), &mut all);
    for Use { place, name, given } in &all {
        match (english.get(name), given) {
            (None, _) => found.push(format!("{place}: there is no text `{name}`")),
            (Some(said), Some(given)) if said.given != *given => {
                found.push(format!("{place}: `{name}` fills in {:?}, not {given:?}", said.given));
            }
            (Some(_), _) => {}
        }
    }
    let used: BTreeSet<&str> = all.iter().map(|it| it.name.as_str()).collect();
    found.extend(
        english
            .keys()
            .filter(|name| !used.contains(name.as_str()))
            .map(|name| format!("`{name}` is not used")),
    );
    assert_none(&found);
}

#[test]
fn what_a_language_lacks_is_found() {
    let english = texts("en", "a = One\nb = Two { $count }\nc = Same\nd = Only here").0;
    let (spanish, wrong) = texts("es", "a = Uno\na = Uno\nb = Dos { $cuenta }\nc = Same\ne = De más\nf");
    assert_eq!(wrong.len(), 2, "twice, and not a text at all: {wrong:?}");
    let found = differences("es", &english, &spanish, &["a"]);
    let expected = [
        "es: `a` is translated, and listed as the same",
        "es: `b` fills in {\"cuenta\"}, not {\"count\"}",
        "es: `c` is not translated",
        "es: `d` is missing",
        "es: `e` is not in English",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_use_is_found_wherever_it_stands() {
    let text =
        r#"fn a() { b(say!("one"), [TextId("two")]); c(|| say!("three", count = n, name = f(x, y = 2))) }"#;
    let mut found = Vec::new();
    uses("a.rs", text.parse().unwrap(), &mut found);
    let given = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let all: Vec<_> = found.into_iter().map(|it| (it.name, it.given)).collect();
    let expected = [
        ("one".to_owned(), given(&[])),
        ("two".to_owned(), None),
        ("three".to_owned(), given(&["count", "name"])),
    ];
    assert_eq!(all, expected);
}
