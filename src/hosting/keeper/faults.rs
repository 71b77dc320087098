//! The faults of the hosted server: which it can have, how they happen, and whether one is still on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Keeper;
use crate::injection::{FaultBoard, Injection, ProxyAct, ProxyFault};
use crate::model::hosting::HostState;
use crate::random::Random;
use crate::runtime::path_faults::PathFaults;
use crate::time::Clock;

impl Keeper {
    /// Lets a fault of a tester happen.
    pub(super) fn befall(&mut self, fault: Injection) {
        match fault {
            Injection::Proxy(fault) if fault.act == ProxyAct::Start => {
                let done = self.launch();
                self.tell(done);
            }
            Injection::Proxy(fault) => self.bring_down(fault),
            fault @ (Injection::Person { .. }
            | Injection::Path { .. }
            | Injection::Disk { .. }
            | Injection::Clock { .. }) => {
                self.on.retain(|other| other.subject() != fault.subject());
                self.pass_on(&fault);
                if !fault.is_usual() {
                    self.on.push(fault);
                }
            }
        }
    }

    fn bring_down(&mut self, fault: ProxyFault) {
        if let Some(running) = self.running.as_mut().filter(|_| fault.act == ProxyAct::Crash) {
            running.child.kill().unwrap_or_default();
        }
        self.stop();
        self.back = (!fault.back.is_zero()).then(|| self.clock.now().mono + fault.back);
        let why = "A fault that was set here has stopped the server.".to_owned();
        self.change(|view| view.state = HostState::Failed(why));
    }
}

/// True from the moment at which the server is to be down because of a fault until it runs again; copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Downtime(Arc<AtomicBool>);

impl Downtime {
    pub(super) fn set(&self, is_down: bool) {
        self.0.store(is_down, Ordering::SeqCst);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The board on which the window sets faults; `give` hands one to the keeper of the server, and never waits.
pub(super) fn fault_board(
    random: Random,
    downtime: &Downtime,
    give: impl Fn(Injection) -> Result<(), String> + Send + Sync + 'static,
) -> FaultBoard {
    // Nothing passes here: it tells which faults have ended by themselves.
    let (path, clock) = (PathFaults::new(random), Clock::start());
    let (twin, down, is_down) = (path.clone(), downtime.clone(), downtime.clone());
    let possible = |fault: &Injection| match fault {
        Injection::Person { name, .. } => {
            Err(format!("{name} is not simulated: here everybody is a real person"))
        }
        Injection::Proxy(fault) if fault.after_202 => {
            Err("only the demo's proxy can be stopped after a 202".to_owned())
        }
        Injection::Proxy(_) | Injection::Path { .. } | Injection::Disk { .. } | Injection::Clock { .. } => {
            Ok(())
        }
    };
    let carry_out = move |fault: &Injection| {
        match fault {
            Injection::Proxy(fault) => down.set(fault.act != ProxyAct::Start),
            Injection::Path { of, fault } => path.set(*of, *fault, clock.now().mono),
            Injection::Person { .. } | Injection::Disk { .. } | Injection::Clock { .. } => {}
        }
        give(fault.clone())
    };
    let is_over = move |fault: &Injection| match fault {
        Injection::Path { of, .. } => twin.is_over(*of, clock.now().mono),
        Injection::Proxy(_) => !is_down.is_on(),
        Injection::Person { .. } | Injection::Disk { .. } | Injection::Clock { .. } => false,
    };
    FaultBoard::new(carry_out).only(possible).ending(is_over)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::injection::PRESETS;

    #[test]
    fn what_is_only_in_the_demo_is_refused_and_a_server_is_down_until_it_runs_again() {
        let (given, downtime) = (Arc::new(Mutex::new(Vec::new())), Downtime::default());
        let kept = Arc::clone(&given);
        let board = fault_board(Random::from_seed(1), &downtime, move |fault| {
            kept.lock().unwrap().push(fault.to_string());
            Ok(())
        });
        let refused = board.set("ben:486").unwrap_err();
        assert_eq!(refused, "ben is not simulated: here everybody is a real person");
        board.set("Proxy crash after 202").unwrap_err();
        let offered: Vec<_> = PRESETS.iter().filter(|preset| board.fits(preset)).map(|it| it.name).collect();
        assert_eq!(offered, ["Tunnel", "Flapping Wi-Fi", "Slow mobile network", "Lost reports"]);
        assert!(board.on().is_empty());
        for fault in ["path:loss=20%", "disk:full", "proxy:crash,back=2s"] {
            assert_eq!(board.set(fault), Ok(()));
        }
        assert_eq!(board.on().len(), 3);
        downtime.set(false);
        assert_eq!(board.on().len(), 2, "it runs again");
        board.end_all().unwrap();
        assert_eq!(
            *given.lock().unwrap(),
            ["path:loss=20%", "disk:full", "proxy:crash,back=2000ms", "path:usual", "disk:usual"]
        );
    }
}
