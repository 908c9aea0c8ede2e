//! What the host's callbacks write to during a call: effects that have not taken place yet, and log lines.
#![expect(
    unsafe_code,
    reason = "a module calls back through C, with pointers that it lends"
)]

use std::{
    ffi::{c_char, c_void},
    ptr,
};

use crate::{
    abi,
    body::BodyError,
    capability::{Capabilities, Side},
    effect::Effect,
};

/// Most effects of one call (our choice: the longest honest answer, taking back a whole drawing, is one effect).
pub const MAX_CALL_EFFECTS: usize = 256;

/// Most bytes in the effects of one call (our choice: every effect at its longest would still be fewer for the kinds
/// that modes use in numbers).
pub const MAX_CALL_BYTES: usize = 1024 * 1024;

/// Most log lines kept until [`Instance::take_log`](super::Instance::take_log); the later ones are dropped.
pub const MAX_LOG_LINES: usize = 64;

/// Longest log line kept, in bytes; the rest of it is cut off.
pub const MAX_LOG_LINE_LEN: usize = 1024;

/// A line that a mode wrote to its host's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// [`abi::LOG_ERROR`] to [`abi::LOG_TRACE`].
    pub level: u32,
    /// What it says; control characters are blanks.
    pub text: String,
}

/// Where `emit` and `log` of one instance go.
#[derive(Debug)]
pub(super) struct Staging {
    side: Side,
    pub(super) granted: Capabilities,
    effects: Vec<Effect>,
    bytes: usize,
    pub(super) log: Vec<LogLine>,
    /// Effects refused for want of a grant, since the instance began.
    pub(super) denied: u64,
    /// What the mode said last at the level of an error, during this call.
    pub(super) last_error: Option<String>,
    /// Whether a call is under way: only then are there effects.
    in_call: bool,
}

impl Staging {
    pub(super) fn new(side: Side, granted: Capabilities) -> Self {
        Self {
            side,
            granted,
            effects: Vec::new(),
            bytes: 0,
            log: Vec::new(),
            denied: 0,
            last_error: None,
            in_call: false,
        }
    }

    /// A call begins.
    pub(super) fn open(&mut self) {
        self.effects.clear();
        self.bytes = 0;
        self.last_error = None;
        self.in_call = true;
    }

    /// The call is over; gives what it staged.
    pub(super) fn close(&mut self) -> Vec<Effect> {
        self.in_call = false;
        std::mem::take(&mut self.effects)
    }

    fn stage(&mut self, kind: u32, body: &[u8]) -> i32 {
        if !self.in_call {
            return abi::E_UNSUPPORTED;
        }
        if self.effects.len() == MAX_CALL_EFFECTS || self.bytes + body.len() > MAX_CALL_BYTES {
            return abi::E_FULL;
        }
        let effect = match Effect::decode(kind, body) {
            Ok(effect) => effect,
            Err(BodyError::UnknownKind(_)) => return abi::E_UNSUPPORTED,
            Err(BodyError::Malformed { .. }) => return abi::E_ARGUMENT,
        };
        if effect.side().is_some_and(|side| side != self.side) {
            return abi::E_UNSUPPORTED;
        }
        if !self.granted.contains(effect.needs()) {
            self.denied += 1;
            return abi::E_DENIED;
        }
        self.bytes += body.len();
        if self.effects.capacity() == 0 {
            // Most calls ask for one.
            self.effects = Vec::with_capacity(1);
        }
        self.effects.push(effect);
        abi::OK
    }

    pub(super) fn write(&mut self, level: u32, text: &[u8]) {
        let text = String::from_utf8_lossy(text.get(..MAX_LOG_LINE_LEN).unwrap_or(text));
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if level == abi::LOG_ERROR {
            self.last_error = Some(text.clone());
        }
        if self.log.len() < MAX_LOG_LINES {
            self.log.push(LogLine {
                level: level.clamp(abi::LOG_ERROR, abi::LOG_TRACE),
                text,
            });
        }
    }
}

pub(super) unsafe extern "C" fn emit(
    ctx: *mut c_void,
    kind: u32,
    body: *const u8,
    len: usize,
) -> i32 {
    // Before the bytes are touched: a length that no memory has is not worth a look.
    if len > MAX_CALL_BYTES {
        return abi::E_FULL;
    }
    // SAFETY: `ctx` is what the instance put into its host: a staging that lives until the instance is gone. The module
    // calls back during a call and on its thread only, when nobody else has a reference to it.
    let staging = unsafe { &mut *ctx.cast::<Staging>() };
    // SAFETY: the module lends these bytes for the length of this call.
    let body = unsafe { abi::Slice { ptr: body, len }.as_bytes() };
    staging.stage(kind, body)
}

pub(super) unsafe extern "C" fn log(ctx: *mut c_void, level: u32, text: *const u8, len: usize) {
    // SAFETY: as for `emit`.
    let staging = unsafe { &mut *ctx.cast::<Staging>() };
    // No more is read than would be kept, whatever the module says.
    let lent = abi::Slice {
        ptr: text,
        len: len.min(MAX_LOG_LINE_LEN),
    };
    // SAFETY: the module lends at least these bytes for the length of this call.
    let text = unsafe { lent.as_bytes() };
    staging.write(level, text);
}

pub(super) unsafe extern "C" fn extension(
    _ctx: *mut c_void,
    _name: *const c_char,
) -> *const c_void {
    ptr::null() // There is none yet.
}
