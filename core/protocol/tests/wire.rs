//! Every message on the wire: the bytes that other versions rely on, and that nothing else is taken for them.
#![allow(missing_docs, reason = "tests")]

#[path = "../../fuzz/in_corpus.rs"]
mod in_corpus;

#[path = "wire/golden.rs"]
mod golden;
#[path = "wire/mutated.rs"]
mod mutated;
#[path = "wire/sizes.rs"]
mod sizes;
#[path = "wire/total.rs"]
mod total;
