//! One source file as tokens: comments and strings are no words, and what is compiled for tests only can be left out.

use std::collections::BTreeSet;
use std::fs;
use std::iter::Peekable;
use std::ops::RangeInclusive;
use std::path::Path;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, Visibility};

/// Words that begin an item or a statement, which may have commas in it.
const ITEMS: &[&str] = &["fn", "mod", "impl", "struct", "enum", "use", "const", "static", "let"];

/// A word or a sign, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A function with a body, or a type, by its line.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// Line and length of each function.
    pub(crate) functions: Vec<(usize, usize)>,
    /// Line and name of each type, and whether it is `pub(super)` or `pub(crate)`.
    pub(crate) types: Vec<(usize, String, bool)>,
}

/// One file: all of it, and what of it is no test.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) whole: Vec<Token>,
    pub(crate) product: Vec<Token>,
    pub(crate) outline: Outline,
    /// Lines without the tests; comments count, they are to be read too.
    pub(crate) product_lines: usize,
    /// `mod name;` in the order of the file, tests too, and what `#[path = "…"]` leads to.
    pub(crate) modules: Vec<String>,
    pub(crate) named_paths: Vec<String>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let parse =
            |tokens| syn::parse2::<syn::File>(tokens).unwrap_or_else(|error| panic!("{path}: {error}"));
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        let mut test_lines = BTreeSet::new();
        let product =
            if is_test { TokenStream::new() } else { without_tests(tokens.clone(), &mut test_lines) };
        let (mut modules, mut named_paths) = (Vec::new(), Vec::new());
        declared(&parse(tokens.clone()).items, &mut modules, &mut named_paths);
        let (mut all, mut kept, mut outline) = (Vec::new(), Vec::new(), Outline::default());
        flatten(tokens, &mut all);
        flatten(product.clone(), &mut kept);
        outline.visit_file(&parse(product));
        let product_lines = if is_test { 0 } else { text.lines().count() - test_lines.len() };
        let (path, text) = (path.to_owned(), text.to_owned());
        Self { path, text, whole: all, product: kept, outline, product_lines, modules, named_paths }
    }

    /// The first folder or file under `src`.
    pub(crate) fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split(['/', '.']).next().unwrap_or(inside)
    }

    /// The part of the room that this file is in, if it is not the front door.
    pub(crate) fn part(&self) -> Option<&str> {
        self.path.strip_prefix("src/")?.split_once('/')?.1.split(['/', '.']).next()
    }
}

/// Every source under a folder.
pub(crate) fn collect(root: &Path, folder: &Path, files: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().expect("a name in UTF-8").to_owned();
            files.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
}

/// What each file under a folder has besides its tests.
pub(crate) fn product_of(root: &Path, folder: &Path, see: &mut impl FnMut(&str, TokenStream)) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            product_of(root, &path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().expect("a name in UTF-8").to_owned();
            let tokens = fs::read_to_string(&path).unwrap().parse().unwrap();
            see(&name, without_tests(tokens, &mut BTreeSet::new()));
        }
    }
}

fn lines(tree: &TokenTree) -> RangeInclusive<usize> {
    tree.span().start().line..=tree.span().end().line
}

/// Leaves out every item, field or statement under `#[cfg(test)]`, and notes its lines.
fn without_tests(tokens: TokenStream, test_lines: &mut BTreeSet<usize>) -> TokenStream {
    let mut kept = Vec::new();
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let is_cfg_test = matches!(&tree, TokenTree::Punct(sign) if sign.as_char() == '#')
            && trees.peek().is_some_and(|next| next.to_string().replace(' ', "") == "[cfg(test)]");
        if is_cfg_test {
            leave_out_attributes(&mut kept, test_lines);
            test_lines.extend(lines(&tree));
            leave_out_item(&mut trees, test_lines);
        } else if let TokenTree::Group(group) = tree {
            let inside = without_tests(group.stream(), test_lines);
            let mut stripped = Group::new(group.delimiter(), inside);
            stripped.set_span(group.span());
            kept.push(TokenTree::Group(stripped));
        } else {
            kept.push(tree);
        }
    }
    kept.into_iter().collect()
}

/// The attributes, and the comments, of what is left out.
fn leave_out_attributes(kept: &mut Vec<TokenTree>, test_lines: &mut BTreeSet<usize>) {
    while let [.., TokenTree::Punct(sign), TokenTree::Group(group)] = kept.as_slice()
        && sign.as_char() == '#'
        && group.delimiter() == Delimiter::Bracket
    {
        for tree in kept.drain(kept.len() - 2..) {
            test_lines.extend(lines(&tree));
        }
    }
}

/// The rest of an item, a field or a statement after the sign of its first attribute.
fn leave_out_item(trees: &mut Peekable<IntoIter>, test_lines: &mut BTreeSet<usize>) {
    let mut is_item = false;
    test_lines.extend(trees.next().iter().flat_map(lines));
    for skipped in trees.by_ref() {
        test_lines.extend(lines(&skipped));
        let text = skipped.to_string();
        is_item |= ITEMS.contains(&text.as_str());
        let is_block = matches!(&skipped, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        if is_block || text == ";" || (text == "," && !is_item) {
            break;
        }
    }
    // `use a::{b};` and `x: T { … },` end after their braces.
    while trees.peek().is_some_and(|next| [";", ","].contains(&next.to_string().as_str())) {
        trees.next();
    }
}

/// All words and signs in order; `::` is one sign, and what is within quotes is none.
fn flatten(tokens: TokenStream, flat: &mut Vec<Token>) {
    for tree in tokens {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::None => ("", ""),
                };
                flat.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), flat);
                flat.push(Token { text: close.to_owned(), line: group.span_close().end().line });
            }
            TokenTree::Punct(sign) => {
                if let Some(last) = flat.last_mut().filter(|last| sign.as_char() == ':' && last.text == ":") {
                    last.text.push(':');
                } else {
                    flat.push(Token { text: sign.to_string(), line });
                }
            }
            TokenTree::Ident(word) => flat.push(Token { text: word.to_string(), line }),
            TokenTree::Literal(_) => flat.push(Token { text: "\"\"".to_owned(), line }),
        }
    }
}

fn declared(items: &[Item], modules: &mut Vec<String>, named_paths: &mut Vec<String>) {
    let named = |attribute: &Attribute| {
        let Meta::NameValue(meta) = &attribute.meta else { return None };
        let Expr::Lit(ExprLit { lit: Lit::Str(path), .. }) = &meta.value else { return None };
        meta.path.is_ident("path").then(|| path.value())
    };
    for item in items {
        if let Item::Mod(module) = item {
            named_paths.extend(module.attrs.iter().filter_map(named));
            match &module.content {
                Some((_, inside)) => declared(inside, modules, named_paths),
                None => modules.push(module.ident.to_string()),
            }
        }
    }
}

impl Outline {
    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (first, last) = (signature.fn_token.span.start().line, body.brace_token.span.close().end().line);
        self.functions.push((first, last - first + 1));
    }

    fn named(&mut self, name: &syn::Ident, visibility: &Visibility) {
        let is_shared = matches!(visibility, Visibility::Restricted(within)
            if within.path.is_ident("super") || within.path.is_ident("crate"));
        self.types.push((name.span().start().line, name.to_string(), is_shared));
    }
}

impl<'ast> Visit<'ast> for Outline {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.named(&item.ident, &item.vis);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.named(&item.ident, &item.vis);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.named(&item.ident, &item.vis);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.named(&item.ident, &item.vis);
        syn::visit::visit_item_trait(self, item);
    }
}

/// The lines where these words stand after each other: `std::fs`, `todo!`, `# [ ignore`.
pub(crate) fn find(tokens: &[Token], words: &str) -> Vec<usize> {
    let spaced = words.replace("::", " :: ").replace('!', " !");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let is_there = |window: &&[Token]| window.iter().zip(&words).all(|(token, word)| token.text == *word);
    tokens.windows(words.len()).filter(is_there).map(|window| window[0].line).collect()
}

/// The paths that begin with `crate` or `super`, one for each leaf of a `use` tree, each with its line.
pub(crate) fn references(tokens: &[Token], root: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        // `super::super::x` leads out of the room's parts; `pub(super)` leads nowhere.
        if token.text == root && (at == 0 || tokens[at - 1].text != "::") {
            let mut tree = Vec::new();
            read_tree(tokens, at + 1, &mut Vec::new(), &mut tree);
            found.extend(tree.into_iter().map(|names| (token.line, names)));
        }
    }
    found
}

/// Reads `::a::{b, c::d}` at this place; gives the place after it.
pub(crate) fn read_tree(
    tokens: &[Token],
    at: usize,
    path: &mut Vec<String>,
    tree: &mut Vec<Vec<String>>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    if text(at) != "::" {
        if !path.is_empty() {
            tree.push(path.clone());
        }
        return at;
    }
    if text(at + 1) != "{" {
        return read_name(tokens, at + 1, path, tree);
    }
    let mut inside = at + 2;
    while !["}", ""].contains(&text(inside)) {
        inside = if text(inside) == "," { inside + 1 } else { read_name(tokens, inside, path, tree) };
    }
    inside + 1
}

fn read_name(tokens: &[Token], at: usize, path: &mut Vec<String>, tree: &mut Vec<Vec<String>>) -> usize {
    let Some(name) = tokens.get(at).map(|token| token.text.as_str()) else { return at };
    if name != "*" && !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        // Not a path after all (`<`, say): step over it.
        return at + 1;
    }
    let depth = path.len();
    if name != "self" {
        path.push(name.to_owned());
    }
    let after = read_tree(tokens, at + 1, path, tree);
    path.truncate(depth);
    if tokens.get(after).is_some_and(|token| token.text == "as") { after + 2 } else { after }
}
