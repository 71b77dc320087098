//! What the response to a submission says about the proxy itself.

/// What a response, or its absence, says about the proxy.
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
