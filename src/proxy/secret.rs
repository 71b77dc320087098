//! Keyed hashes of stored facts: the branches, tags and Call-IDs of what we send, and the hashes by which repetitions
//! are found.
//!
//! The key is stored, so that a leg resumed after a crash is the same transaction (W15), and it is secret, so that
//! nobody can forge a response to a leg that they have not seen (RFC 3261 §8.1.1.7, §19.3).

use std::hash::Hasher;
use std::net::{IpAddr, SocketAddr};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::journal::DispatchId;
use crate::sip::{Aor, Request};

/// The key of this proxy.
#[derive(Clone, Copy)]
pub(super) struct Secret([u8; 16]);

/// What a hash is for, so that two uses never give the same hash.
#[derive(Clone, Copy)]
enum HashPurpose {
    Transactions = 1,
    LegBranch,
    LegCallId,
    LegTag,
    ReportBranch,
    Double,
    Content,
    Loop,
    SessionBranch,
    Dialog,
    Nonce,
    Invite,
    Party,
    User,
    Place,
    SentTo,
    List,
    Source,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The facts that identify one leg.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegFacts<'a> {
    pub(super) dispatch: DispatchId,
    pub(super) recipient: u32,
    /// The tag of the 202. It is random, so that reusing the number of a forgotten message makes different legs.
    pub(super) to_tag: &'a str,
}

impl Secret {
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The key for the transaction layer's hash.
    pub(super) fn for_transactions(self) -> [u8; 16] {
        self.hash(HashPurpose::Transactions, &[]).to_le_bytes()
    }

    /// The branch of one attempt of a leg at `target`. It shows none of the numbers that it is made from: these would tell
    /// a recipient of others who are hidden, and how much the proxy has to do.
    pub(super) fn leg_branch(self, leg: LegFacts<'_>, attempt: u32, target: &str) -> String {
        let numbers = numbers(leg, attempt);
        let hash = self.hash(HashPurpose::LegBranch, &[&numbers, leg.to_tag.as_bytes(), target.as_bytes()]);
        format!("z9hG4bK{hash:032x}")
    }

    /// The Call-ID of a leg, the same for each attempt.
    pub(super) fn leg_call_id(self, leg: LegFacts<'_>) -> String {
        format!("{:032x}", self.hash(HashPurpose::LegCallId, &[&numbers(leg, 0), leg.to_tag.as_bytes()]))
    }

    /// The From tag of a leg, the same for each attempt.
    pub(super) fn leg_tag(self, leg: LegFacts<'_>) -> String {
        format!("{:016x}", self.hash(HashPurpose::LegTag, &[&numbers(leg, 0), leg.to_tag.as_bytes()]) >> 64)
    }

    /// The branch of one NOTIFY.
    pub(super) fn report_branch(self, dispatch: DispatchId, to_tag: &str, cseq: u32) -> String {
        let facts: [&[u8]; 3] = [&dispatch.0.to_le_bytes(), &cseq.to_le_bytes(), to_tag.as_bytes()];
        format!("z9hG4bK{:032x}", self.hash(HashPurpose::ReportBranch, &facts))
    }

    /// The branch of a request that passes without a transaction, computed from what its responses carry too (W29).
    pub(super) fn session_branch(self, parts: &[&str]) -> String {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        format!("z9hG4bK{:032x}", self.hash(HashPurpose::SessionBranch, &parts))
    }

    /// What a branch has added for the place that it is sent to, so that an answer shows that it was received there.
    pub(super) fn sent_to(self, branch: &str, place: SocketAddr) -> String {
        let place = place.to_string();
        format!("{:016x}", self.hash(HashPurpose::SentTo, &[branch.as_bytes(), place.as_bytes()]) >> 64)
    }

    /// The seal of our Record-Route, so that nobody can forge one (W29): over the dialog, who called whom in it, its
    /// expiry, and the flow that the Route names.
    pub(super) fn dialog(self, parts: &[&str]) -> String {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        format!("{:016x}", self.hash(HashPurpose::Dialog, &parts) >> 64)
    }

    /// The key of an INVITE, shared by its CANCEL and the ACK of its failure.
    pub(super) fn invite(self, parts: &[&str]) -> u128 {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        self.hash(HashPurpose::Invite, &parts)
    }

    /// The key of one party of a dialog.
    pub(super) fn party(self, parts: &[&str]) -> u128 {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        self.hash(HashPurpose::Party, &parts)
    }

    /// The mark of a list of ours: on what it sends to other domains, so that we know it if it comes back.
    pub(super) fn list(self, list: &Aor) -> String {
        format!("{:016x}", self.hash(HashPurpose::List, &[list.as_str().as_bytes()]) >> 64)
    }

    /// The hash of the key that a repetition shares (W12).
    pub(super) fn double(self, key: &str) -> u128 {
        self.hash(HashPurpose::Double, &[key.as_bytes()])
    }

    /// The hash of what may not differ under one key (W12): the recipients and the body.
    pub(super) fn content<'a>(self, recipients: impl Iterator<Item = &'a str>, body: &[u8]) -> u128 {
        let mut parts: Vec<&[u8]> = recipients.map(str::as_bytes).collect();
        parts.push(body);
        self.hash(HashPurpose::Content, &parts)
    }

    /// The end of our Via's branch in an ordinary request: the same if the request comes round again (RFC 5393 §4.2.1).
    pub(super) fn loop_check(self, request: &Request) -> String {
        let fields = request.fields();
        let (from, to, cseq) = (fields.from(), fields.to(), fields.cseq().to_le_bytes());
        let mut parts: Vec<&[u8]> =
            vec![request.uri().as_str().as_bytes(), fields.call_id().as_bytes(), &cseq];
        parts.push(request.method().as_str().as_bytes());
        parts.extend([&from, &to].map(|address| address.tag().unwrap_or_default().as_bytes()));
        parts.extend(fields.every("Route").map(str::as_bytes));
        format!("{:016x}", self.hash(HashPurpose::Loop, &parts) >> 64)
    }

    /// The check in a nonce: over the salt of this run, its time and random bits, and the address and port it was made for
    /// (W30).
    pub(super) fn nonce(
        self,
        salt: u64,
        (at, chance): (u64, u64),
        (address, port): ([u8; 16], &str),
    ) -> u128 {
        let parts: [&[u8]; 5] =
            [&salt.to_le_bytes(), &at.to_le_bytes(), &chance.to_le_bytes(), &address, port.as_bytes()];
        self.hash(HashPurpose::Nonce, &parts)
    }

    /// The hash of a place that a report was sent to.
    pub(super) fn place(self, place: &str) -> u128 {
        self.hash(HashPurpose::Place, &[place.as_bytes()])
    }

    /// The hash of a user, whatever the length of the name.
    pub(super) fn user(self, user: &Aor) -> u128 {
        self.hash(HashPurpose::User, &[user.as_str().as_bytes()])
    }

    /// The hash of a stranger's source.
    pub(super) fn source(self, source: IpAddr) -> u128 {
        self.hash(HashPurpose::Source, &[source.to_string().as_bytes()])
    }

    fn hash(self, purpose: HashPurpose, parts: &[&[u8]]) -> u128 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write_u8(purpose as u8);
        for part in parts {
            // The lengths keep "ab" + "c" and "a" + "bc" apart.
            hasher.write_u64(u64::try_from(part.len()).unwrap_or(u64::MAX));
            hasher.write(part);
        }
        hasher.finish128().as_u128()
    }
}

fn numbers(leg: LegFacts<'_>, attempt: u32) -> [u8; 16] {
    let number = (u128::from(leg.dispatch.0) << 64) | (u128::from(leg.recipient) << 32) | u128::from(attempt);
    number.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w15_a_leg_is_the_same_for_the_same_facts_and_no_other() {
        let leg = LegFacts { dispatch: DispatchId(7), recipient: 2, to_tag: "p1" };
        let (one, other) = (Secret::new([1; 16]), Secret::new([2; 16]));
        let branch = one.leg_branch(leg, 0, "sip:bob@192.0.2.7");
        assert_eq!((branch.get(..7), branch.len()), (Some("z9hG4bK"), 39), "it shows no number");
        assert_eq!(branch, one.leg_branch(leg, 0, "sip:bob@192.0.2.7"));
        assert_ne!(branch, one.leg_branch(leg, 0, "sip:bob@192.0.2.8"));
        assert_ne!(branch, one.leg_branch(leg, 1, "sip:bob@192.0.2.7"));
        assert_ne!(branch, other.leg_branch(leg, 0, "sip:bob@192.0.2.7"));
        assert_ne!(one.leg_call_id(leg), one.leg_call_id(LegFacts { recipient: 3, ..leg }));
        assert_ne!(one.leg_tag(leg), one.leg_tag(LegFacts { to_tag: "p2", ..leg }));
    }
}
