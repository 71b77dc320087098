//! Challenges and credentials as they are written (RFC 3261 §25.1).

use crate::sip::cursor::Cursor;
use crate::sip::error::Error;
use crate::sip::header::{Params, Value, check_count, param};

/// The parameters of each `Digest` in a value. SIP puts one in a field (RFC 3261 §20.44); HTTP's form, several
/// separated by commas, is read too: a word without `=` begins the next one.
pub(super) fn digests(value: &str) -> Result<Vec<Params>, Error> {
    let all = challenges(value)?.into_iter();
    Ok(all.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("digest")).map(|(_, params)| params).collect())
}

/// Challenges, or credentials, with the scheme of each.
pub(super) fn challenges(value: &str) -> Result<Vec<(&str, Params)>, Error> {
    let mut cursor = Cursor::new(value);
    let mut all = Vec::new();
    while !cursor.is_end() {
        let scheme = cursor.token("no scheme")?;
        cursor.skip_blanks();
        all.push((scheme, params_of_one(&mut cursor)?));
    }
    Ok(all)
}

pub(super) fn params_of_one(cursor: &mut Cursor<'_>) -> Result<Params, Error> {
    let mut params = Params::default();
    while !cursor.is_end() {
        let before = cursor.clone();
        let found = param(cursor)?;
        if matches!(found.value, Value::Flag) {
            *cursor = before;
            return Ok(params);
        }
        check_count(cursor, params.0.len())?;
        params.0.push(found.owned());
        if !cursor.is_end() && !cursor.eat(b',') {
            return Err(cursor.fault("no comma between parameters"));
        }
        cursor.skip_blanks();
    }
    Ok(params)
}
