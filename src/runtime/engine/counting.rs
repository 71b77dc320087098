//! What became of the latest messages of a conversation, counted on the reader's thread.

use std::sync::Arc;

use super::out::Out;
use crate::limits::{MATRIX_DELIVERIES_MAX, MATRIX_MESSAGES_MAX};
use crate::model::command::Notice;
use crate::model::journal::ConversationId;
use crate::model::matrix::{Matrix, MatrixOrder, matrix_message};
use crate::model::names::Names;
use crate::store::history::History;

/// Counts, and gives the window the matrix; false if too much is waiting at the reader.
pub(super) fn count_outcomes(
    history: &History,
    conversation: ConversationId,
    names: Arc<Names>,
    out: &Arc<Out>,
) -> bool {
    let out = Arc::clone(out);
    history.ask(move |reader| {
        match reader.latest_sent(conversation, MATRIX_MESSAGES_MAX, MATRIX_DELIVERIES_MAX) {
            Ok(latest) => {
                let messages: Vec<_> = latest.iter().map(|rows| matrix_message(rows, &names)).collect();
                let matrix = Matrix::of(&messages, MatrixOrder::default());
                out.tell(Notice::Matrix(conversation, Arc::new(matrix)));
            }
            Err(error) => out.tell(Notice::Problem(format!("The outcomes could not be counted: {error}."))),
        }
    })
}
