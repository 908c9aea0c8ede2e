//! A mode in C, `label.c`: shows on the panel of a label printer where the tray, the cutter or the ribbon is.
//!
//! There is no Rust in it; this crate only lets its test run with all others. With a C compiler alone:
//!
//! ```sh
//! cd examples/custom-mode-c
//! make
//! alongside-agent mode pack
//! alongside-agent mode check
//! alongside-agent mode install
//! ```
#![forbid(unsafe_code)]
