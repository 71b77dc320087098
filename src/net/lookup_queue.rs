//! Which names are looked up and which wait: whoever asks for many, or for names that no server answers for, keeps
//! nobody else's waiting (W31).
//!
//! Those who pay take turns, and within the names of one of them the zones do. Each has a part of the look-ups that run
//! and of the names that wait. A zone has a part of what runs too, so that silent name servers hold no more than that;
//! one payer alone does not take all of it. Nothing is shared between two who ask for the same name: it would wait
//! behind the other names of whoever asked first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use super::resolve::Name;
use crate::limits::{
    DNS_QUESTIONS_PER_PAYER_MAX, LOOKUPS_MAX, LOOKUPS_PER_PAYER_MAX, LOOKUPS_PER_ZONE_MAX,
    LOOKUPS_WAITING_MAX, LOOKUPS_WAITING_PART, LOOKUPS_WITHIN_ZONE_MAX,
};
use crate::machine::{LookupPayer, LookupTerms, ResolveId};

/// See the top of this file. `T` lets a look-up begin.
#[derive(Debug)]
pub(super) struct LookupQueue<T> {
    accounts: BTreeMap<LookupPayer, Account<T>>,
    /// Those with names that wait, by whose turn it is.
    turns: BTreeSet<(u64, LookupPayer)>,
    /// How many names of each zone are being looked up.
    zones: BTreeMap<String, usize>,
    /// The names that wait, by the time from which nobody waits for them.
    ends: BTreeSet<(Instant, LookupPayer, Name)>,
    running: usize,
    waiting: usize,
    /// The number of the last turn.
    last: u64,
}

/// The names of one payer.
#[derive(Debug)]
struct Account<T> {
    turn: u64,
    names: BTreeMap<Name, Asked<T>>,
    zones: BTreeMap<String, Zone>,
    /// The zones with names that wait, by whose turn it is.
    turns: BTreeSet<(u64, String)>,
    running: usize,
    waiting: usize,
    /// Permits for questions to DNS.
    questions: Arc<Semaphore>,
}

/// The names of one payer in one zone.
#[derive(Debug, Default)]
struct Zone {
    turn: u64,
    waiting: BTreeMap<u64, Name>,
    running: usize,
}

/// A name that somebody asked for.
#[derive(Debug)]
struct Asked<T> {
    ids: Vec<ResolveId>,
    /// From then on nobody waits for it; `None` if somebody always does.
    until: Option<Instant>,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Waiting { number: u64, ticket: T },
    Running,
}

/// How a look-up is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It has to be looked up.
    First,
    /// It is looked up, or waits for that, already.
    Again,
    /// Too many names are waiting.
    Full,
}

impl<T> Default for LookupQueue<T> {
    fn default() -> Self {
        Self {
            accounts: BTreeMap::new(),
            turns: BTreeSet::new(),
            zones: BTreeMap::new(),
            ends: BTreeSet::new(),
            running: 0,
            waiting: 0,
            last: 0,
        }
    }
}

impl<T> Account<T> {
    fn new(turn: u64) -> Self {
        Self {
            turn,
            names: BTreeMap::new(),
            zones: BTreeMap::new(),
            turns: BTreeSet::new(),
            running: 0,
            waiting: 0,
            questions: Arc::new(Semaphore::new(DNS_QUESTIONS_PER_PAYER_MAX)),
        }
    }
}

impl<T> LookupQueue<T> {
    /// Somebody asks for a name; `ticket` lets its look-up begin if it is the first to do so.
    pub(super) fn join(
        &mut self,
        (name, id): (&Name, ResolveId),
        terms: &LookupTerms,
        ticket: T,
        now: Instant,
    ) -> Joined {
        self.expire(now);
        let (payer, until) = (&terms.payer, terms.until);
        let known = self.accounts.get_mut(payer).and_then(|account| account.names.get_mut(name));
        if let Some(asked) = known {
            asked.ids.push(id);
            let longer = asked.until.zip(until).map(|(one, other)| one.max(other));
            let before = std::mem::replace(&mut asked.until, longer);
            if matches!(asked.state, State::Waiting { .. }) {
                self.change_end((payer, name), before, longer);
            }
            return Joined::Again;
        }
        if !self.has_room(payer) {
            return Joined::Full;
        }
        self.last += 1;
        let number = self.last;
        let account = self.accounts.entry(payer.clone()).or_insert_with(|| Account::new(number));
        let state = State::Waiting { number, ticket };
        account.names.insert(name.clone(), Asked { ids: vec![id], until, state });
        let zone = account.zones.entry(name.zone().to_owned()).or_default();
        if zone.waiting.is_empty() {
            zone.turn = number;
            account.turns.insert((number, name.zone().to_owned()));
        }
        zone.waiting.insert(number, name.clone());
        if account.waiting == 0 {
            account.turn = number;
            self.turns.insert((number, payer.clone()));
        }
        account.waiting += 1;
        self.waiting += 1;
        self.change_end((payer, name), None, until);
        Joined::First
    }

    /// What lets the next look-up begin, and the permits for its questions; `None` if none may begin now.
    pub(super) fn next(&mut self, now: Instant) -> Option<(T, Arc<Semaphore>)> {
        self.expire(now);
        if self.running >= LOOKUPS_MAX {
            return None;
        }
        let (payer, name) =
            self.turns.iter().find_map(|(_, payer)| Some((payer.clone(), self.next_of(payer)?)))?;
        let asked = self.take_waiting(&payer, &name)?;
        self.last += 1;
        let turn = self.last;
        let account = self.accounts.entry(payer.clone()).or_insert_with(|| Account::new(turn));
        let State::Waiting { ticket, .. } = asked.state else { return None };
        account.names.insert(name.clone(), Asked { state: State::Running, ..asked });
        account.running += 1;
        let key = name.zone().to_owned();
        let zone = account.zones.entry(key.clone()).or_default();
        zone.running += 1;
        // Both go behind the others.
        if account.turns.remove(&(zone.turn, key.clone())) {
            account.turns.insert((turn, key.clone()));
        }
        zone.turn = turn;
        let questions = Arc::clone(&account.questions);
        if self.turns.remove(&(account.turn, payer.clone())) {
            self.turns.insert((turn, payer));
        }
        account.turn = turn;
        *self.zones.entry(key).or_insert(0) += 1;
        self.running += 1;
        Some((ticket, questions))
    }

    /// A look-up has ended: returns who waits for it.
    pub(super) fn end(&mut self, payer: &LookupPayer, name: &Name) -> Vec<ResolveId> {
        let Some(account) = self.accounts.get_mut(payer) else { return Vec::new() };
        let Some(asked) = account.names.remove(name) else { return Vec::new() };
        account.running = account.running.saturating_sub(1);
        if let Some(zone) = account.zones.get_mut(name.zone()) {
            zone.running = zone.running.saturating_sub(1);
        }
        if let Some(of_zone) = self.zones.get_mut(name.zone()) {
            *of_zone = of_zone.saturating_sub(1);
            if *of_zone == 0 {
                self.zones.remove(name.zone());
            }
        }
        self.running = self.running.saturating_sub(1);
        self.tidy(payer, name.zone());
        asked.ids
    }

    /// True if one more name may wait: whoever pays for it leaves a share for others.
    fn has_room(&self, payer: &LookupPayer) -> bool {
        let own = self.accounts.get(payer).map_or(0, |account| account.waiting);
        let left = LOOKUPS_WAITING_MAX.saturating_sub(self.waiting + 1);
        own < left / LOOKUPS_WAITING_PART
    }

    /// The next name of a payer that may be looked up now.
    fn next_of(&self, payer: &LookupPayer) -> Option<Name> {
        let account = self.accounts.get(payer).filter(|account| account.running < LOOKUPS_PER_PAYER_MAX)?;
        let of_all = |key: &String| self.zones.get(key).copied().unwrap_or(0);
        account.turns.iter().find_map(|(_, key)| {
            let zone = account.zones.get(key)?;
            let may_begin = zone.running < LOOKUPS_WITHIN_ZONE_MAX && of_all(key) < LOOKUPS_PER_ZONE_MAX;
            zone.waiting.values().next().filter(|_| may_begin).cloned()
        })
    }

    /// Drops the names that nobody waits for any more.
    fn expire(&mut self, now: Instant) {
        while let Some((_, payer, name)) = self.ends.first().filter(|(end, ..)| *end <= now).cloned() {
            self.take_waiting(&payer, &name);
            self.tidy(&payer, name.zone());
        }
    }

    /// Takes a name out of those that wait.
    fn take_waiting(&mut self, payer: &LookupPayer, name: &Name) -> Option<Asked<T>> {
        let account = self.accounts.get_mut(payer)?;
        let asked = account.names.remove(name)?;
        if let (Some(zone), State::Waiting { number, .. }) =
            (account.zones.get_mut(name.zone()), &asked.state)
        {
            zone.waiting.remove(number);
            if zone.waiting.is_empty() {
                account.turns.remove(&(zone.turn, name.zone().to_owned()));
            }
        }
        account.waiting = account.waiting.saturating_sub(1);
        if account.waiting == 0 {
            self.turns.remove(&(account.turn, payer.clone()));
        }
        self.waiting = self.waiting.saturating_sub(1);
        self.change_end((payer, name), asked.until, None);
        Some(asked)
    }

    /// Forgets a zone and a payer of which nothing is left.
    fn tidy(&mut self, payer: &LookupPayer, zone: &str) {
        let Some(account) = self.accounts.get_mut(payer) else { return };
        if account.zones.get(zone).is_some_and(|zone| zone.waiting.is_empty() && zone.running == 0) {
            account.zones.remove(zone);
        }
        if account.names.is_empty() {
            self.accounts.remove(payer);
        }
    }

    fn change_end(
        &mut self,
        (payer, name): (&LookupPayer, &Name),
        before: Option<Instant>,
        after: Option<Instant>,
    ) {
        if let Some(before) = before {
            self.ends.remove(&(before, payer.clone(), name.clone()));
        }
        if let Some(after) = after {
            self.ends.insert((after, payer.clone(), name.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::net::resolve::{Route, route};
    use crate::sip::Uri;

    #[expect(clippy::disallowed_methods, reason = "a base for virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    fn name(host: &str) -> Name {
        let Route::Name(name) = route(&Uri::parse(&format!("sip:{host}")).unwrap()) else { panic!("{host}") };
        name
    }

    fn payer(who: &str) -> LookupPayer {
        LookupPayer(who.into())
    }

    /// A queue whose tickets say whose name it is.
    struct Bench {
        queue: LookupQueue<(LookupPayer, Name)>,
        now: Instant,
        until: Option<Instant>,
    }

    impl Bench {
        fn new() -> Self {
            Self { queue: LookupQueue::default(), now: start(), until: None }
        }

        fn join(&mut self, who: &str, host: &str) -> Joined {
            let terms = LookupTerms { payer: payer(who), until: self.until };
            let ticket = (payer(who), name(host));
            self.queue.join((&name(host), ResolveId(1)), &terms, ticket, self.now)
        }

        /// The look-ups that begin now.
        fn begun(&mut self) -> Vec<(LookupPayer, Name)> {
            std::iter::from_fn(|| self.queue.next(self.now)).map(|(ticket, _)| ticket).collect()
        }

        fn end(&mut self, (payer, name): &(LookupPayer, Name)) -> usize {
            self.queue.end(payer, name).len()
        }

        fn is_empty(&self) -> bool {
            let LookupQueue { accounts, turns, zones, ends, running, waiting, .. } = &self.queue;
            accounts.is_empty()
                && turns.is_empty()
                && zones.is_empty()
                && ends.is_empty()
                && (*running, *waiting) == (0, 0)
        }
    }

    fn of<'a>(begun: &'a [(LookupPayer, Name)], who: &str) -> Vec<&'a Name> {
        begun.iter().filter(|(payer, _)| *payer.0 == *who).map(|(_, name)| name).collect()
    }

    #[test]
    fn w31_whoever_asks_for_many_names_has_a_part_of_what_runs_and_others_begin_at_once() {
        let mut bench = Bench::new();
        for number in 0..400 {
            assert_eq!(bench.join("eve", &format!("a.n{number}.example")), Joined::First);
        }
        assert_eq!(bench.begun().len(), LOOKUPS_PER_PAYER_MAX);
        assert_eq!(bench.join("james", "ok.example"), Joined::First);
        assert_eq!(bench.begun(), [(payer("james"), name("ok.example"))]);
    }

    #[test]
    fn w31_a_zone_that_is_silent_holds_a_part_and_one_payer_not_all_of_that() {
        let mut bench = Bench::new();
        for number in 0..100 {
            for who in ["eve", "mallory", "trudy"] {
                bench.join(who, &format!("n{number}.Silent.Example."));
            }
        }
        let begun = bench.begun();
        assert_eq!(begun.len(), LOOKUPS_PER_ZONE_MAX);
        assert_eq!(of(&begun, "eve").len(), LOOKUPS_PER_ZONE_MAX.div_ceil(3), "they take turns");
        for (who, host) in [("eve", "ok.example"), ("james", "ok.example")] {
            bench.join(who, host);
            assert_eq!(bench.begun(), [(payer(who), name(host))], "names of other zones go on");
        }
        bench.join("james", "n1.silent.example");
        assert_eq!(bench.begun(), []);
        let mut next = Vec::new();
        for ended in &begun[..4] {
            assert_eq!(bench.end(ended), 1);
            next.extend(bench.begun());
        }
        assert_eq!(of(&next, "james"), [&name("n1.silent.example")], "his turn is the fourth of four");

        let mut alone = Bench::new();
        for number in 0..100 {
            alone.join("eve", &format!("n{number}.silent.example"));
        }
        assert_eq!(alone.begun().len(), LOOKUPS_WITHIN_ZONE_MAX);
    }

    #[test]
    fn w31_when_all_are_in_use_the_next_that_ends_is_for_whoever_has_waited_longest_for_a_turn() {
        let mut bench = Bench::new();
        let crowd = LOOKUPS_MAX / LOOKUPS_PER_PAYER_MAX + 1;
        for who in 0..crowd {
            for number in 0..100 {
                bench.join(&format!("u{who}"), &format!("a.n{number}-{who}.example"));
            }
        }
        let begun = bench.begun();
        assert_eq!(begun.len(), LOOKUPS_MAX);
        bench.join("james", "ok.example");
        assert_eq!(bench.begun(), []);
        let mut next = Vec::new();
        for ended in begun.iter().take(crowd + 1) {
            assert_eq!(bench.end(ended), 1);
            next.extend(bench.begun());
        }
        assert_eq!(of(&next, "james").len(), 1, "among the next {}: {next:?}", crowd + 1);
    }

    #[test]
    fn w31_names_that_wait_have_an_end_and_everybody_has_room_beside_who_takes_all_he_can() {
        let mut bench = Bench::new();
        let takes_all = |bench: &mut Bench, who: &str| {
            (0..).take_while(|number| bench.join(who, &format!("n{number}.example")) == Joined::First).count()
        };
        let first = takes_all(&mut bench, "eve");
        assert_eq!(first, LOOKUPS_WAITING_MAX / (LOOKUPS_WAITING_PART + 1));
        assert_eq!(bench.join("eve", "n0.example"), Joined::Again, "no name waits twice");
        for who in 0..10 {
            assert!(takes_all(&mut bench, &format!("u{who}")) > 50);
        }
        assert!(bench.queue.waiting < LOOKUPS_WAITING_MAX);
        assert_eq!(bench.join("james", "ok.example"), Joined::First);
    }

    #[test]
    fn w31_names_that_nobody_waits_for_any_more_are_not_looked_up() {
        let mut bench = Bench::new();
        bench.until = Some(bench.now + Duration::from_secs(32));
        for number in 0..100 {
            bench.join("eve", &format!("n{number}.a.example"));
        }
        let begun = bench.begun();
        assert_eq!(begun.len(), LOOKUPS_WITHIN_ZONE_MAX);
        // Somebody asks again for the last one, and waits for longer.
        bench.now += Duration::from_secs(30);
        bench.until = Some(bench.now + Duration::from_secs(32));
        assert_eq!(bench.join("eve", "n99.a.example"), Joined::Again);
        bench.now += Duration::from_secs(2);
        assert_eq!(bench.end(&begun[0]), 1, "what runs is told to whoever still waits");
        assert_eq!(bench.begun(), [(payer("eve"), name("n99.a.example"))]);
        for ended in &begun[1..] {
            bench.end(ended);
        }
        assert_eq!(bench.begun(), []);
        assert_eq!(bench.end(&(payer("eve"), name("n99.a.example"))), 2);
        assert!(bench.is_empty(), "{:?}", bench.queue);
    }

    #[test]
    fn all_counts_come_back_to_nothing() {
        let mut bench = Bench::new();
        for number in 0..200 {
            bench.join(["eve", "james", "ann"][number % 3], &format!("a.n{}.example", number / 2));
        }
        let mut all = 0;
        let mut begun = bench.begun();
        while let Some(next) = begun.pop() {
            all += bench.end(&next);
            begun.extend(bench.begun());
        }
        assert_eq!(all, 200);
        assert!(bench.is_empty(), "{:?}", bench.queue);
    }
}
