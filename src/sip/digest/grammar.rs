//! Challenges and credentials as they are written (RFC 3261 §25.1).

use crate::limits::CHALLENGES_MAX;
use crate::sip::cursor::Cursor;
use crate::sip::error::Error;
use crate::sip::header::{Params, Value, check_count, param};

/// The parameters of each `Digest` in a value. SIP puts one in a field (RFC 3261 §20.44); HTTP's form, several
/// separated by commas, is read too: a word without `=` begins the next one.
pub(super) fn digests(value: &str) -> Result<Vec<Params>, Error> {
    let all = challenges(value)?.into_iter();
    Ok(all.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("digest")).map(|(_, params)| params).collect())
}

/// Challenges, or credentials, with the scheme of each; too many for anybody to mean are an error.
pub(super) fn challenges(value: &str) -> Result<Vec<(&str, Params)>, Error> {
    let mut cursor = Cursor::new(value);
    let mut all = Vec::new();
    skip_empty(&mut cursor);
    while !cursor.is_end() {
        if all.len() >= CHALLENGES_MAX {
            return Err(cursor.fault("too many"));
        }
        let scheme = cursor.token("no scheme")?;
        cursor.skip_blanks();
        all.push((scheme, params_of_one(&mut cursor)?));
    }
    Ok(all)
}

/// The parameters up to the end, or to the next scheme. Elements of the list that are empty are skipped (RFC 9110
/// §5.6.1.2), and a parameter without a value has an empty one, which some servers write for `opaque`.
pub(super) fn params_of_one(cursor: &mut Cursor<'_>) -> Result<Params, Error> {
    let mut params = Params::default();
    skip_empty(cursor);
    while !cursor.is_end() {
        let before = cursor.clone();
        let found = match without_value(cursor) {
            Some(name) => (name.to_owned(), Some(String::new())),
            None => {
                let found = param(cursor)?;
                if matches!(found.value, Value::Flag) {
                    *cursor = before;
                    return Ok(params);
                }
                found.owned()
            }
        };
        check_count(cursor, params.0.len())?;
        params.0.push(found);
        if !cursor.is_end() && cursor.peek() != Some(b',') {
            return Err(cursor.fault("no comma between parameters"));
        }
        skip_empty(cursor);
    }
    Ok(params)
}

fn skip_empty(cursor: &mut Cursor<'_>) {
    cursor.skip_blanks();
    while cursor.eat(b',') {
        cursor.skip_blanks();
    }
}

/// Takes `name=` with nothing after it.
fn without_value<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    let mut ahead = cursor.clone();
    let name = ahead.token("no parameter name").ok()?;
    ahead.skip_blanks();
    let has_sign = ahead.eat(b'=');
    ahead.skip_blanks();
    let is_empty = has_sign && (ahead.is_end() || ahead.peek() == Some(b','));
    is_empty.then(|| {
        *cursor = ahead;
        name
    })
}
