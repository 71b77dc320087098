//! Faults that have a name.

use super::grammar::Injection;
use super::words::{Wrong, nearest};

/// A name that stands for faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it is like, as a sentence.
    pub what: &'static str,
    /// The faults in the words of the grammar.
    pub faults: &'static [&'static str],
}

/// All of them.
pub const PRESETS: [Preset; 5] = [
    Preset {
        name: "Tunnel",
        what: "Nothing gets through for 20 seconds.",
        faults: &["path:loss=100%,for=20s", "connections:stall,for=20s"],
    },
    Preset {
        name: "Flapping Wi-Fi",
        what: "For 3 of every 10 seconds nothing gets through.",
        faults: &["path:loss=100%,for=3s,every=10s", "connections:stall,for=3s,every=10s"],
    },
    Preset {
        name: "Slow mobile network",
        what: "A tenth is lost; the rest arrives late and out of order.",
        faults: &["path:loss=10%,delay=300ms,jitter=400ms,dup=2%", "connections:delay=300ms,jitter=400ms"],
    },
    Preset {
        name: "Proxy crash after 202",
        what: "The proxy is killed when it has promised to deliver, and is back after 2 seconds.",
        faults: &["proxy:crash,after=202,back=2s"],
    },
    Preset {
        name: "Lost reports",
        what: "The first three transmissions of reports are lost.",
        faults: &["notify:drop=3"],
    },
];

/// Reads one fault, or the name of a preset in whatever case.
///
/// # Errors
/// What is wrong, where, and what was perhaps meant.
pub fn read(text: &str) -> Result<Vec<Injection>, Wrong> {
    if let Some(preset) = PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(text)) {
        return preset.faults.iter().map(|fault| Injection::read(fault)).collect();
    }
    Injection::read(text).map(|fault| vec![fault]).map_err(|wrong| {
        match nearest(text, PRESETS.iter().map(|preset| preset.name)) {
            Some(name) if !text.contains(':') => {
                Wrong { why: format!("{}; did you mean {name:?}?", wrong.why), ..wrong }
            }
            Some(_) | None => wrong,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_preset_can_be_read_by_its_name() {
        for preset in PRESETS {
            let faults = read(preset.name).unwrap_or_else(|wrong| panic!("{}: {wrong}", preset.name));
            assert_eq!(read(&preset.name.to_uppercase()), Ok(faults.clone()));
            assert_eq!(faults.len(), preset.faults.len());
        }
        let crash = read("Proxy crash after 202").unwrap();
        assert_eq!(crash[0].to_string(), "proxy:crash,after=202,back=2000ms");
        let wrong = read("Tunel").unwrap_err();
        assert!(wrong.why.ends_with("write it like ben:486 or path:loss=20%; did you mean \"Tunnel\"?"));
    }
}
