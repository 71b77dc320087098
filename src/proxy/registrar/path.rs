//! The Path of a REGISTER: the proxies through which requests reach its bindings (RFC 3327 §5.3).

use crate::limits::{PATH_BYTES_MAX, PATH_ELEMENTS_MAX};
use crate::proxy::core::{Core, Rejection};
use crate::proxy::journal::Write;
use crate::proxy::routing::router::is_routable;
use crate::sip::{NameAddr, Request};

/// The elements of Path, the nearest to us first. A client that does not say `Supported: path` is registered too, since
/// the proxy that added the Path relies on it.
///
/// # Errors
/// 400 for a Path that is too long, cannot be read, is no loose router, or leads back to us.
pub(super) fn of(core: &Core, request: &Request) -> Result<Vec<String>, Rejection> {
    let fields = request.fields();
    if fields.first("Path").is_none() {
        return Ok(Vec::new());
    }
    let refuse = |reason| Err(Rejection::because(400, reason));
    let bytes: usize = fields.every("Path").map(str::len).sum();
    let count = fields.tokens("Path").take(PATH_ELEMENTS_MAX + 1).count();
    if bytes > PATH_BYTES_MAX || count > PATH_ELEMENTS_MAX {
        return refuse("Path Too Long");
    }
    let elements = fields.routes("Path")?;
    for NameAddr { uri, .. } in &elements {
        if !uri.is_sip_or_sips() || !is_routable(uri) {
            return refuse("Path Is No SIP URI");
        }
        if !uri.is_loose_router() {
            return refuse("Path Is No Loose Router");
        }
        if core.domains.is_us(uri) {
            return refuse("Path Leads Back Here");
        }
    }
    Ok(elements.iter().map(ToString::to_string).collect())
}

/// What the 200 says of it: the client must know about paths (§5.3), and a binding must have been made.
pub(super) fn told<'a>(request: &'a Request, writes: &[Write]) -> impl Iterator<Item = &'a str> {
    let is_told = request.fields().has_token("Supported", "path")
        && writes.iter().any(|write| matches!(write, Write::Bind(row) if !row.path.is_empty()));
    request.fields().every("Path").filter(move |_| is_told)
}
