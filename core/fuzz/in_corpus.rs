//! Keeps the fuzzers' corpus in step with the messages that ordinary tests build. Included by those tests.

use std::{fs, path::Path};

/// Compares `seeds` with `golden-00` and on of a target's corpus; writes them if `ALONGSIDE_BLESS` is set, for whoever
/// changes the wire on purpose.
pub(crate) fn in_corpus<S: AsRef<[u8]>>(target: &str, seeds: &[S]) {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("core/fuzz/corpus"));
    let folder = above
        .find(|corpus| corpus.is_dir())
        .expect("the workspace")
        .join(target);
    for (n, seed) in seeds.iter().enumerate() {
        let file = folder.join(format!("golden-{n:02}"));
        if std::env::var_os("ALONGSIDE_BLESS").is_some() {
            fs::create_dir_all(&folder).expect("folder");
            fs::write(&file, seed).expect("write");
        }
        let is_same = fs::read(&file).is_ok_and(|found| found == seed.as_ref());
        assert!(
            is_same,
            "{} differs; see ALONGSIDE_BLESS in core/fuzz/README.md",
            file.display()
        );
    }
}
