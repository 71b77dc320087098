//! What the answer to a submission says about the proxy itself.

/// What an answer, or the lack of one, says about the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerVerdict {
    /// Nothing new.
    Nothing,
    /// It does not fan out after all (W6).
    NoProof,
    /// It does not accept lists after all (W27).
    NoLists,
    /// It answers differently than before: it is asked whether it still serves us.
    Doubt,
    /// It did not answer at all, although the answer was its own to give.
    Silence,
}
