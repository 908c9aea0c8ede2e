//! From a mode in safe Rust to the table of C functions that a host calls.
#![expect(
    unsafe_code,
    reason = "the host calls through C, with pointers that it lends"
)]

use std::{ptr, time::Duration};

use super::{Effects, Event, Half, Mode, panics};
use crate::{abi, capability::Side};

/// The table of `M`: what a loadable module exports, and what a host that links the mode in is given.
///
/// `static MODULE: abi::Module = module::<MyMode>();`
pub const fn module<M: Mode>() -> abi::Module {
    abi::Module {
        abi_version: abi::VERSION,
        struct_size: size_of::<abi::Module>() as u32,
        wire_schema_min: abi::WIRE_SCHEMA,
        wire_schema_max: abi::WIRE_SCHEMA,
        manifest: abi::Slice::lend(M::MANIFEST.as_bytes()),
        create: create::<M>,
        on_event: on_event::<M>,
        destroy: destroy::<M>,
        extension: None,
    }
}

/// What an [`abi::Instance`] of `M` points to.
struct Running<M: Mode> {
    host: *const abi::Host,
    /// Gone once it has panicked: nobody knows what state that left.
    half: Option<OneHalf<M>>,
    /// The body of the effect that is being asked for; kept, so that it is allocated once.
    body: Vec<u8>,
}

enum OneHalf<M: Mode> {
    Device(M::Device),
    Operator(M::Operator),
}

unsafe extern "C" fn create<M: Mode>(host: *const abi::Host, side: u32) -> *mut abi::Instance {
    panics::watch();
    if host.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: not null, and in every version of the ABI a host begins with its version word.
    let version = unsafe { host.cast::<u32>().read() };
    if version >> 16 != abi::MAJOR {
        return ptr::null_mut();
    }
    // SAFETY: the major version is ours, so the host has at least our fields; the host keeps it in place and
    // unchanged until the instance is destroyed.
    let lent = unsafe { &*host };
    let made = panics::catch(|| match Side::from_number(side)? {
        Side::Device => Some(OneHalf::<M>::Device(M::Device::default())),
        Side::Operator => Some(OneHalf::<M>::Operator(M::Operator::default())),
    });
    match made {
        Ok(Some(half)) => Box::into_raw(Box::new(Running {
            host,
            half: Some(half),
            body: Vec::new(),
        }))
        .cast(),
        Ok(None) => {
            log(
                lent,
                abi::LOG_ERROR,
                "a mode has a device half and an operator half, and no other",
            );
            ptr::null_mut()
        }
        Err(said) => {
            log(lent, abi::LOG_ERROR, &said);
            ptr::null_mut()
        }
    }
}

unsafe extern "C" fn on_event<M: Mode>(
    instance: *mut abi::Instance,
    event: *const abi::Event,
) -> i32 {
    // SAFETY: `create::<M>` made the instance, nobody has destroyed it, and the host makes one call at a time.
    let running = unsafe { &mut *instance.cast::<Running<M>>() };
    // SAFETY: the host that passed `create` lends an event of at least our fields for the length of the call.
    let event = unsafe { &*event };
    // SAFETY: the body is lent together with the event, and nobody writes to it meanwhile.
    let body = unsafe { event.body.as_bytes() };
    // SAFETY: `create` took this host, which stays in place until the instance is destroyed.
    let host = unsafe { &*running.host };
    running.on_event(host, Duration::from_micros(event.at_us), event.kind, body)
}

unsafe extern "C" fn destroy<M: Mode>(instance: *mut abi::Instance) {
    if instance.is_null() {
        return;
    }
    // SAFETY: `create::<M>` made it from a box, and the host destroys an instance once.
    let running = unsafe { Box::from_raw(instance.cast::<Running<M>>()) };
    // SAFETY: `create` took this host, which stays in place until this function has returned.
    let host = unsafe { &*running.host };
    if let Err(said) = panics::catch(|| drop(running)) {
        log(host, abi::LOG_ERROR, &said);
    }
}

impl<M: Mode> Running<M> {
    fn on_event(&mut self, host: &abi::Host, at: Duration, kind: u32, body: &[u8]) -> i32 {
        let Some(half) = &mut self.half else {
            return abi::E_PANICKED;
        };
        let buffer = &mut self.body;
        let called = panics::catch(|| match half {
            OneHalf::Device(half) => call(half, host, buffer, at, kind, body),
            OneHalf::Operator(half) => call(half, host, buffer, at, kind, body),
        });
        called.unwrap_or_else(|said| {
            log(host, abi::LOG_ERROR, &said);
            if let Err(said) = panics::catch(|| drop(self.half.take())) {
                log(host, abi::LOG_ERROR, &said);
            }
            abi::E_PANICKED
        })
    }
}

fn call<H: Half>(
    half: &mut H,
    host: &abi::Host,
    buffer: &mut Vec<u8>,
    at: Duration,
    kind: u32,
    body: &[u8],
) -> i32 {
    let Ok(event) = Event::decode(kind, body) else {
        return abi::E_ARGUMENT;
    };
    match half.on_event(at, event, &mut Effects::new(host, buffer)) {
        Ok(()) => abi::OK,
        Err(give_up) => {
            log(host, abi::LOG_ERROR, give_up.reason());
            abi::E_MODE
        }
    }
}

fn log(host: &abi::Host, level: u32, text: &str) {
    // SAFETY: we are inside a call of this host's, which takes any level and bytes and keeps none of them.
    unsafe { (host.log)(host.ctx, level, text.as_ptr(), text.len()) }
}

/// Makes the crate a loadable module: exports the two symbols that a host looks for.
///
/// One line in a crate of its own, of type `cdylib`, beside the crate that has the mode. (In the mode's own crate the
/// symbols would collide as soon as a host links two modes in.)
///
/// The [crate's page](crate) has an example.
#[macro_export]
macro_rules! export_mode {
    ($mode:ty) => {
        #[cfg(panic = "abort")]
        compile_error!(
            "a session mode is built with panic = \"unwind\", so that its panics end the mode and not the agent"
        );

        /// Version of the mode ABI that this module is built for.
        #[allow(unsafe_code, reason = "the host looks for the symbol by this very name")]
        #[allow(non_upper_case_globals, reason = "the host looks for the symbol by this very name")]
        #[unsafe(no_mangle)]
        pub static alongside_mode_abi: u32 = $crate::abi::VERSION;

        /// Gives the table of this module.
        #[allow(unsafe_code, reason = "the host looks for the symbol by this very name")]
        #[unsafe(no_mangle)]
        pub extern "C" fn alongside_mode_entry_v1() -> *const $crate::abi::Module {
            static MODULE: $crate::abi::Module = $crate::module::<$mode>();
            &MODULE
        }
    };
}
