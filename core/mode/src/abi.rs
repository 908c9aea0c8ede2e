//! The C ABI of a mode, as `include/alongside_mode.h` has it: layout and numbers, and no behaviour.
//!
//! Structs begin with the version word and grow at their end only; `struct_size` says how much of a struct the other
//! side knows. Layout is pinned below by assertions that the compiler checks, and a test compares it with what a C
//! compiler makes of the header.
#![expect(
    unsafe_code,
    reason = "a module's table is shared between threads, and lent bytes become slices"
)]

use std::{
    ffi::{c_char, c_void},
    mem::offset_of,
};

/// Major version: the layout of this module. Another one has another entry symbol.
pub const MAJOR: u32 = 1;
/// Minor version: what has been added at the end of structs since `MAJOR.0`.
pub const MINOR: u32 = 0;
/// The version word that begins every struct: major in the upper half, minor in the lower.
pub const VERSION: u32 = MAJOR << 16 | MINOR;
/// Highest major version that a version word can hold.
pub const MAX_MAJOR: u32 = u32::MAX >> 16;
/// Version of the bodies of events and effects.
pub const WIRE_SCHEMA: u32 = 1;

/// Symbol of the module's version word; the same in every version of the ABI, for ever.
pub const VERSION_SYMBOL: &str = "alongside_mode_abi";
/// Symbol of the function that gives the module's table.
pub const ENTRY_SYMBOL: &str = "alongside_mode_entry_v1";

/// Done.
pub const OK: i32 = 0;
/// The body did not decode.
pub const E_ARGUMENT: i32 = -1;
/// An unknown kind, or one that this side does not have.
pub const E_UNSUPPORTED: i32 = -2;
/// From `emit`: the mode does not hold what the effect needs. The effect is dropped, the mode goes on.
pub const E_DENIED: i32 = -3;
/// From `emit`: too many effects, or too many bytes, in one call.
pub const E_FULL: i32 = -4;
/// From `on_event`: the mode gave up.
pub const E_MODE: i32 = -5;
/// From `on_event`: the mode panicked, and the panic was caught.
pub const E_PANICKED: i32 = -6;

/// Level of a log line: something went wrong.
pub const LOG_ERROR: u32 = 1;
/// Level of a log line: someone should look.
pub const LOG_WARN: u32 = 2;
/// Level of a log line: a state that a person would ask about.
pub const LOG_INFO: u32 = 3;
/// Level of a log line: why the mode did what it did.
pub const LOG_DEBUG: u32 = 4;
/// Level of a log line: everything else.
pub const LOG_TRACE: u32 = 5;

/// Bytes lent for the length of one call. No terminating zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// First byte; may be null if there is none.
    pub ptr: *const u8,
    /// Number of bytes.
    pub len: usize,
}

impl Slice {
    /// Lends `bytes`.
    pub const fn lend(bytes: &[u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// The bytes; none if `ptr` is null.
    ///
    /// # Safety
    ///
    /// `ptr` is null, or `len` bytes from `ptr` on are one live allocation that nobody writes to during `'a`.
    pub const unsafe fn as_bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: not null; the caller keeps the rest.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

/// One event.
#[repr(C)]
#[derive(Debug)]
pub struct Event {
    /// Version word of the host.
    pub abi_version: u32,
    /// Size of this struct as the host knows it.
    pub struct_size: u32,
    /// Session time in microseconds: the only clock a mode has. Never goes back.
    pub at_us: u64,
    /// What kind of event; see [`event::kind`](crate::event::kind).
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// The body that goes with the kind.
    pub body: Slice,
}

/// What the host offers to one instance, from `create` until `destroy` has returned.
#[repr(C)]
#[derive(Debug)]
pub struct Host {
    /// Version word of the host.
    pub abi_version: u32,
    /// Size of this struct as the host knows it.
    pub struct_size: u32,
    /// Chosen wire schema: within the module's range.
    pub wire_schema: u32,
    /// Zero.
    pub reserved: u32,
    /// First argument of every function here.
    pub ctx: *mut c_void,
    /// Stages an effect; the body is copied before it returns. Only during a call, on the calling thread.
    pub emit: unsafe extern "C" fn(ctx: *mut c_void, kind: u32, body: *const u8, len: usize) -> i32,
    /// Writes a line of UTF-8 to the host's log. Only during a call, on the calling thread.
    pub log: unsafe extern "C" fn(ctx: *mut c_void, level: u32, text: *const u8, len: usize),
    /// Gives what later versions add, by name; null for a name that this host does not know. May be null itself.
    pub extension:
        Option<unsafe extern "C" fn(ctx: *mut c_void, name: *const c_char) -> *const c_void>,
}

/// One half of a mode at work. The module alone knows what is in it.
#[repr(C)]
#[derive(Debug)]
pub struct Instance {
    _opaque: [u8; 0],
}

/// What a module is.
#[repr(C)]
#[derive(Debug)]
pub struct Module {
    /// Version word that the module was built with.
    pub abi_version: u32,
    /// Size of this struct as the module knows it.
    pub struct_size: u32,
    /// Oldest wire schema that it speaks.
    pub wire_schema_min: u32,
    /// Newest wire schema that it speaks.
    pub wire_schema_max: u32,
    /// The text of its `mode.json`.
    pub manifest: Slice,
    /// Makes the half `side`; null if it cannot, which it explains to the host's log.
    pub create: unsafe extern "C" fn(host: *const Host, side: u32) -> *mut Instance,
    /// Tells the half of an event.
    pub on_event: unsafe extern "C" fn(instance: *mut Instance, event: *const Event) -> i32,
    /// Ends the half.
    pub destroy: unsafe extern "C" fn(instance: *mut Instance),
    /// Gives what later versions add, by name; null for a name that this module does not know. May be null itself.
    pub extension: Option<unsafe extern "C" fn(name: *const c_char) -> *const c_void>,
}

// SAFETY: a table is never written to, its manifest is a constant text, and the ABI lets the host call its functions
// from any thread (never two at once on one instance, which is the caller's duty).
unsafe impl Sync for Module {}

// SAFETY: as above; a table belongs to no thread.
unsafe impl Send for Module {}

/// Type of the function behind [`ENTRY_SYMBOL`].
pub type Entry = unsafe extern "C" fn() -> *const Module;

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<Slice>() == 16 && offset_of!(Slice, len) == 8);
    assert!(
        size_of::<Event>() == 40 && offset_of!(Event, at_us) == 8 && offset_of!(Event, body) == 24
    );
    assert!(size_of::<Host>() == 48 && offset_of!(Host, ctx) == 16 && offset_of!(Host, emit) == 24);
    assert!(offset_of!(Host, log) == 32 && offset_of!(Host, extension) == 40);
    assert!(
        size_of::<Module>() == 64
            && offset_of!(Module, manifest) == 16
            && offset_of!(Module, create) == 32
    );
    assert!(offset_of!(Module, on_event) == 40 && offset_of!(Module, destroy) == 48);
    assert!(offset_of!(Module, extension) == 56);
};

#[cfg(target_pointer_width = "32")]
const _: () = {
    assert!(size_of::<Slice>() == 8 && offset_of!(Slice, len) == 4);
    assert!(
        offset_of!(Event, at_us) == 8 && offset_of!(Event, body) == 24 && size_of::<Event>() == 32
    );
    assert!(size_of::<Host>() == 32 && offset_of!(Host, ctx) == 16 && offset_of!(Host, emit) == 20);
    assert!(offset_of!(Host, log) == 24 && offset_of!(Host, extension) == 28);
    assert!(
        size_of::<Module>() == 40
            && offset_of!(Module, manifest) == 16
            && offset_of!(Module, create) == 24
    );
    assert!(offset_of!(Module, on_event) == 28 && offset_of!(Module, destroy) == 32);
    assert!(offset_of!(Module, extension) == 36);
};

const _: () = {
    assert!(offset_of!(Event, abi_version) == 0 && offset_of!(Event, struct_size) == 4);
    assert!(offset_of!(Host, abi_version) == 0 && offset_of!(Host, struct_size) == 4);
    assert!(offset_of!(Module, abi_version) == 0 && offset_of!(Module, struct_size) == 4);
};
