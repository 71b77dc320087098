//! Nothing is drawn in words that did not come from `assets/lang`: what a drawing function of the window is given has no
//! literal with letters in it, but for names and examples that are the same in every language.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

use super::assert_none;
use super::source::product_of;

/// What draws its arguments, or hands them to a screen reader or to the desktop.
const DRAWS: &[&str] = &[
    "accessible_name",
    "add_button",
    "banner",
    "button",
    "checkbox",
    "field",
    "heading",
    "hint",
    "hint_text",
    "hyperlink_to",
    "icon_button",
    "icon_button_with",
    "label",
    "labeled",
    "line_ui",
    "mend_button",
    "menu_button",
    "monospace",
    "named_menu_item",
    "offer",
    "offer_for",
    "on_hover_text",
    "one_line",
    "pill",
    "primary",
    "problem_line",
    "radio",
    "secret_field",
    "selectable_label",
    "selected",
    "small",
    "small_button",
    "strong",
    "tab",
    "text",
    "words_ui",
    "wrapped",
];
/// Types that are drawn, made by their `new`.
const DRAWN: &[&str] = &["Button", "Checkbox", "Label", "RichText"];
/// Names, examples of what can be typed, the letter by which a line is measured, and the id of a button.
const SAME_EVERYWHERE: &[&str] = &[
    "/home/james/contacts.vcf",
    "/home/…/busy.ron",
    "Ann Lee",
    "Fanfare",
    "James",
    "ann@example.com",
    "james@example.com",
    "offer",
    "x",
    "~/Pictures/cat.png",
    "~/company-ca.pem",
    "~/trace.pcapng",
];

/// The literals with letters that are drawn, each with its place.
fn drawn(path: &str, tokens: TokenStream, found: &mut Vec<String>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
        let before = |back: usize| at.checked_sub(back).map(|at| trees[at].to_string()).unwrap_or_default();
        let is_attribute = before(1) == "#" || (before(1) == "!" && before(2) == "#");
        if is_attribute {
            continue;
        }
        let is_made = before(1) == "new" && DRAWN.contains(&before(4).as_str());
        let is_told = before(1) == "push" && before(3) == "toasts";
        // What a debugger is shown is drawn by a method of this name.
        let is_debug = before(1) == "field" && before(2) == ".";
        if is_made || is_told || (DRAWS.contains(&before(1).as_str()) && !is_debug) {
            literals(path, group.stream(), found);
        } else {
            drawn(path, group.stream(), found);
        }
    }
}

/// All literals with letters within what is drawn.
fn literals(path: &str, tokens: TokenStream, found: &mut Vec<String>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        let before = |back: usize| at.checked_sub(back).map(|at| trees[at].to_string()).unwrap_or_default();
        match tree {
            TokenTree::Group(_) if before(1) == "TextId" || (before(1) == "!" && before(2) == "say") => {}
            TokenTree::Group(group) => literals(path, group.stream(), found),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let is_text = text.starts_with(['"', 'r']);
                if is_text && says_something(text.trim_matches('"')) {
                    found.push(format!(
                        "{path}:{}: {text} is drawn, and not from assets/lang",
                        literal.span().start().line
                    ));
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// True if it has letters besides what is filled in, and is no name.
fn says_something(text: &str) -> bool {
    let mut depth = 0_i32;
    let is_letter = |letter: char| {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        depth == 0 && letter.is_alphabetic()
    };
    let plain = text.replace("\\n", "").replace("\\t", "");
    !SAME_EVERYWHERE.contains(&text) && plain.chars().any(is_letter)
}

#[test]
fn nothing_is_drawn_but_what_is_in_every_language() {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    product_of(root, &root.join("src/ui"), &mut |path, tokens| drawn(path, tokens, &mut found));
    assert_none(&found);
}

#[test]
fn a_literal_is_found_wherever_it_is_drawn() {
    let text = r##"
        #[expect(x, reason = "not drawn")]
        fn a(ui: &mut Ui) {
            tracing::warn!("not drawn");
            ui.label("Hello");
            ui.add(egui::Label::new(RichText::new(if b { say!("yes") } else { "No" }).strong()));
            hint(ui, &format!("{count} left, {:.1} %", 1.0));
            hint(ui, &format!("{count}, {time}   "));
            field(ui, say!("name"), &mut text, "Ann Lee");
            toasts.push(format!("Saved as {path}"));
            let id = Id::unique("not drawn");
        }
    "##;
    let mut found = Vec::new();
    drawn("a.rs", text.parse().unwrap(), &mut found);
    let lines: Vec<&str> = found.iter().map(|it| it.split(": ").next().unwrap()).collect();
    assert_eq!(lines, ["a.rs:5", "a.rs:6", "a.rs:7", "a.rs:10"], "{found:?}");
}
