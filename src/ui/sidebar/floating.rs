//! The conversations with a failure that was not seen stand above the others. One that is opened has been seen, but stays
//! where it is for as long as it is open or the pointer is over the list: it does not move away from under the pointer.

use std::collections::BTreeSet;

use crate::model::journal::ConversationId;
use crate::model::snapshot::ConversationHead;

/// The conversations that stand above the others.
#[derive(Debug, Default)]
pub(super) struct Floating(BTreeSet<ConversationId>);

impl Floating {
    /// Takes in the state of the list.
    pub(super) fn take(
        &mut self,
        heads: &[ConversationHead],
        open: Option<ConversationId>,
        is_pointed_at: bool,
    ) {
        if !is_pointed_at {
            self.0.retain(|id| Some(*id) == open);
        }
        self.0.extend(heads.iter().filter(|head| head.failed_unseen > 0).map(|head| head.id));
    }

    /// Whether a conversation stands above the others.
    pub(super) fn has(&self, id: ConversationId) -> bool {
        self.0.contains(&id)
    }
}
