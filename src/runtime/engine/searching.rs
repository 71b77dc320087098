//! Searches of the history, on the reader's thread. A later search ends one that still runs.

use std::sync::Arc;

use crate::model::command::Notice;
use crate::model::names::Names;
use crate::model::search::Search;
use crate::store::history::History;
use crate::store::history::search::LatestSearch;

use super::out::Out;

/// Looks for messages and gives the window what was found; false if too much is waiting at the reader.
pub(super) fn search(
    history: &History,
    search: Search,
    names: Arc<Names>,
    latest: &Arc<LatestSearch>,
    out: &Arc<Out>,
) -> bool {
    let (latest, out) = (Arc::clone(latest), Arc::clone(out));
    latest.asked(search.id);
    history.ask(move |reader| match reader.search(&search, &names, &latest) {
        Ok(Some(found)) => out.tell(Notice::Found(Box::new(found))),
        // A later search answers instead.
        Ok(None) => {}
        Err(error) => out.tell(Notice::Problem(format!("The search failed: {error}."))),
    })
}
