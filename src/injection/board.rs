//! The faults that are on in something that runs: whoever sets them and whoever shows them share one board.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::grammar::Injection;
use super::presets::{Preset, read};

/// Makes a fault happen, or says why it cannot.
type CarryOut = dyn Fn(&Injection) -> Result<(), String> + Send + Sync;
/// Says why a fault cannot happen here.
type Possible = dyn Fn(&Injection) -> Result<(), String> + Send + Sync;
/// Says whether a fault has ended by itself.
type IsOver = dyn Fn(&Injection) -> bool + Send + Sync;

/// See the top of this file; copies share what is on.
#[derive(Clone)]
pub struct FaultBoard {
    on: Arc<Mutex<Vec<Injection>>>,
    carry_out: Arc<CarryOut>,
    possible: Arc<Possible>,
    is_over: Arc<IsOver>,
}

impl fmt::Debug for FaultBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultBoard").field(&self.on()).finish()
    }
}

impl FaultBoard {
    /// Without faults; `carry_out` makes one happen, and ends it when it is given the usual in its place.
    #[must_use]
    pub fn new(carry_out: impl Fn(&Injection) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self {
            on: Arc::default(),
            carry_out: Arc::new(carry_out),
            possible: Arc::new(|_| Ok(())),
            is_over: Arc::new(|_| false),
        }
    }

    /// The same, where not every fault can happen: `possible` says why one cannot, and does nothing.
    #[must_use]
    pub fn only(self, possible: impl Fn(&Injection) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { possible: Arc::new(possible), ..self }
    }

    /// True if the faults of a preset can happen here.
    #[must_use]
    pub fn fits(&self, preset: &Preset) -> bool {
        read(preset.name).is_ok_and(|faults| faults.iter().all(|fault| (self.possible)(fault).is_ok()))
    }

    /// The same, where faults may end by themselves: `is_over` says of a fault that is on whether it has.
    #[must_use]
    pub fn ending(self, is_over: impl Fn(&Injection) -> bool + Send + Sync + 'static) -> Self {
        Self { is_over: Arc::new(is_over), ..self }
    }

    /// Sets a fault, or those of a preset, each in place of the one before it with the same subject.
    ///
    /// # Errors
    /// What is wrong with the text, or why the fault cannot happen here.
    pub fn set(&self, text: &str) -> Result<(), String> {
        for fault in read(text.trim()).map_err(|wrong| wrong.to_string())? {
            (self.possible)(&fault)?;
            (self.carry_out)(&fault)?;
            let mut on = self.lock();
            on.retain(|other| !other.subject().eq_ignore_ascii_case(fault.subject()));
            if !fault.is_usual() {
                on.push(fault);
            }
        }
        Ok(())
    }

    /// Ends all faults.
    ///
    /// # Errors
    /// Why one cannot be ended; it stays on the board.
    pub fn end_all(&self) -> Result<(), String> {
        for fault in self.on() {
            (self.carry_out)(&fault.usual())?;
            self.lock().retain(|other| *other != fault);
        }
        Ok(())
    }

    /// The faults that are on, the latest last.
    #[must_use]
    pub fn on(&self) -> Vec<Injection> {
        let mut on = self.lock();
        on.retain(|fault| !(self.is_over)(fault));
        on.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Injection>> {
        // Ignoring poison is safe: nothing under this lock can leave the list half changed.
        self.on.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Done = Arc<Mutex<Vec<String>>>;

    /// A board of a place without a proxy of its own, and what was carried out.
    fn board() -> (FaultBoard, Done) {
        let done = Done::default();
        let carried_out = Arc::clone(&done);
        let board = FaultBoard::new(move |fault| {
            if fault.subject() == "proxy" {
                return Err("there is no proxy here".to_owned());
            }
            carried_out.lock().unwrap().push(fault.to_string());
            Ok(())
        });
        (board, done)
    }

    fn on(board: &FaultBoard) -> Vec<String> {
        board.on().iter().map(Injection::to_string).collect()
    }

    #[test]
    fn a_fault_that_has_ended_by_itself_is_not_on() {
        let (board, _) = board();
        let has_ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        let board = board.ending(move |fault| {
            fault.subject() == "path" && ended.load(std::sync::atomic::Ordering::SeqCst)
        });
        board.set("path:loss=20%,for=3s").unwrap();
        board.set("ben:486").unwrap();
        assert_eq!(on(&board), ["path:loss=20%,for=3000ms", "ben:486"]);
        has_ended.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(on(&board), ["ben:486"]);
    }

    #[test]
    fn a_fault_takes_the_place_of_the_one_with_its_subject_and_usual_ends_it() {
        let (board, done) = board();
        for text in ["ben:486", " path:loss=20% ", "Ben:silent", "lost reports"] {
            assert_eq!(board.set(text), Ok(()), "{text}");
        }
        assert_eq!(on(&board), ["path:loss=20%", "Ben:silent", "notify:drop=3"]);
        assert_eq!(board.set("path:usual"), Ok(()));
        assert_eq!(on(&board), ["Ben:silent", "notify:drop=3"]);
        let copy = board.clone();
        assert_eq!(copy.end_all(), Ok(()));
        assert!(on(&board).is_empty(), "copies share what is on");
        let done = done.lock().unwrap();
        assert_eq!(done[4..], ["path:usual", "Ben:usual", "notify:usual"]);
    }

    #[test]
    fn what_is_wrong_or_cannot_happen_here_is_said_and_is_not_on() {
        let (board, done) = board();
        let wrong = board.set("ben:bussy").unwrap_err();
        assert!(wrong.starts_with("at character 5: \"bussy\" is not an answer"), "{wrong}");
        assert_eq!(board.set("proxy:crash"), Err("there is no proxy here".to_owned()));
        assert!(on(&board).is_empty() && done.lock().unwrap().is_empty());
    }
}
