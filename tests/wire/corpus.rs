//! Each input that fuzzing kept (`fuzz/corpus/TARGET/`) does no harm: the same functions that AFL++ drives.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/targets.rs"]
mod targets;

#[test]
fn w13_w20_w25_what_fuzzing_kept_does_no_harm() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let files: Vec<_> =
            fs::read_dir(corpus.join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "{name} has an input to begin with");
        for file in files {
            println!("{}", file.display());
            target(&fs::read(&file).unwrap());
        }
    }
    let folders = fs::read_dir(&corpus).unwrap().map(|folder| folder.unwrap().file_name());
    for folder in folders {
        let is_known = |(name, _): &targets::Target| folder.to_str() == Some(name);
        assert!(targets::TARGETS.iter().any(is_known), "{folder:?} belongs to no target");
    }
}
