//! Catching a mode's panic: what it said and where, and nothing on the process's error output.
//!
//! A module that was loaded has a copy of the standard library of its own, and with it a panic hook of its own; a
//! mode that is linked in shares the process's. One hook serves both: it keeps to itself what happens inside a call
//! of a mode, on that thread, and hands everything else to the hook that was there before.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    sync::Once,
    thread,
};

/// What this thread's hook does with a panic.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// Leaves it to the process.
    Off,
    /// Keeps it.
    On,
    /// Has kept one.
    Kept,
}

thread_local! {
    /// A plain word, so that a call without a panic costs next to nothing.
    static WATCH: Cell<Watch> = const { Cell::new(Watch::Off) };
    /// What was kept last.
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Puts the hook in place, once in a process for each copy of the standard library.
pub(super) fn watch() {
    static ONCE: Once = Once::new();
    // The standard library refuses a hook from a thread that panics; the next call makes up for it.
    if thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !keep(info) {
                before(info);
            }
        }));
    });
}

/// Runs `call`; if it panics, gives what the panic said and where.
pub(super) fn catch<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    let before = WATCH.replace(Watch::On);
    // Whoever caught a panic never looks at the state again that it left behind.
    let result = catch_unwind(AssertUnwindSafe(call));
    let kept = WATCH.replace(before);
    result.map_err(|payload| {
        let said = match kept {
            Watch::Kept => SAID.take(),
            // The process has put another hook in place since.
            Watch::Off | Watch::On => message(&*payload).to_owned(),
        };
        // A payload may panic when it is dropped; what that one throws is left alone.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
        said
    })
}

/// Keeps a panic if it happens inside a mode's call on this thread.
fn keep(info: &PanicHookInfo<'_>) -> bool {
    if WATCH.get() == Watch::Off {
        return false;
    }
    let said = message(info.payload());
    let said = match info.location() {
        Some(place) => format!("{said} at {}:{}", place.file(), place.line()),
        None => said.to_owned(),
    };
    // Where the thread is ending and takes nothing more, the process hears of it.
    let kept = SAID.try_with(|kept| kept.replace(said)).is_ok();
    if kept {
        WATCH.set(Watch::Kept);
    }
    kept
}

fn message(payload: &dyn Any) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without words")
}
