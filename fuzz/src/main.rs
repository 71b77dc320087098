//! `fuzz TARGET`: takes one input after another from AFL++ (script/fuzz starts it).

mod targets;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let Some((_, target)) = targets::TARGETS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<_> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: fuzz TARGET, one of {}", names.join(" "));
        std::process::exit(2);
    };
    afl::fuzz!(|data: &[u8]| target(data));
}
