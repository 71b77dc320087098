//! The parts of an HTML page without scripts and without anything that is loaded from elsewhere, to be read and printed.

use data_encoding::BASE64;

use super::document::html;
use super::journal::PersonRow;
use super::names::Names;
use super::text::clean;
use crate::sip::{Content, File};

/// The end of a page.
pub const END: &str = "</main></body></html>\n";

/// Media types that a browser shows as a picture and runs nothing of.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111;background:#fff}\
article{border:1px solid #ccc;border-radius:8px;padding:.6em .9em;margin:.6em 0;break-inside:avoid}\
article.mine{margin-left:12%;background:#eef5ff}header{color:#555;font-size:.85em}pre{white-space:pre-wrap;word-break:break-word}\
p.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0}img{max-width:100%;max-height:30em}\
table{border-collapse:collapse;width:100%;font-size:.85em}th,td{border:1px solid #ccc;padding:.25em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
thead{display:table-header-group}tr{break-inside:avoid}h2,h3{break-after:avoid}code{overflow-wrap:anywhere}\
@media print{@page{margin:1.5cm}body{margin:0;max-width:none;font-size:11px}pre{border-left:2px solid #ccc;padding-left:.5em}}";

/// The beginning of a page.
#[must_use]
pub fn begin(title: &str) -> String {
    let title = html(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>\n"
    )
}

/// A name with the address, told apart from the text around it whatever its writing direction.
#[must_use]
pub fn named(row: &PersonRow, names: &Names) -> String {
    let person = names.person(row);
    format!("<bdi title=\"{}\">{}</bdi>", html(&person.address), html(&person.name))
}

/// The text of a message, and its files: pictures are shown.
#[must_use]
pub fn shown(body: &Content) -> String {
    let mut page = String::new();
    let text = clean(&body.text);
    if !text.trim().is_empty() {
        page.push_str(&format!("<p class=\"text\" dir=\"auto\">{}</p>", html(&text)));
    }
    for file in &body.files {
        page.push_str(&picture(file));
    }
    page
}

fn picture(file: &File) -> String {
    let name = html(file.called());
    if PICTURES.contains(&file.media_type.as_str()) {
        let data = BASE64.encode(&file.bytes);
        return format!("<p><img alt=\"{name}\" src=\"data:{};base64,{data}\"></p>", file.media_type);
    }
    format!("<p>[{name}, {}, {} bytes]</p>", html(&file.media_type), file.bytes.len())
}
