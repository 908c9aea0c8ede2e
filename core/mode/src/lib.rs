//! Write a session mode for Alongside.
//!
//! # What a mode is
//!
//! A session between a device and an operator always shows the operator the panel. What they can do with it beyond
//! looking is a *mode*: point and draw, press keys, change settings. A mode is two small state machines that talk to
//! each other: the *device half* runs beside the panel, the *operator half* beside the operator's console. Each is
//! told [events](Event) and asks for [effects](Effects); neither knows what a socket, a screen or a clock is.
//!
//! A whole mode. The operator's pointer over the picture becomes a mark on the panel:
//!
//! ```
//! use std::time::Duration;
//!
//! use alongside_mode::{Capabilities, Effects, Event, GiveUp, Granted, Half, Mode, harness::Pair};
//! use alongside_mode::protocol::{annotation::Annotation, input::PointerEvent, units::{Color, PanelPoint}};
//! use serde::{Deserialize, Serialize};
//!
//! pub struct Marker;
//!
//! /// What the operator half tells the device half: the mode's own protocol, any `serde` type.
//! #[derive(Serialize, Deserialize)]
//! pub struct MarkAt(PanelPoint);
//!
//! impl Mode for Marker {
//!     // In a crate of its own: include_str!("../mode.json").
//!     const MANIFEST: &'static str = r#"{
//!         "id": "example.marker", "name": "Marker", "version": "1.0.0", "vendor": "Example",
//!         "abi": 1, "wire": [1, 1], "peer": [1, 1],
//!         "capabilities": ["view", "annotate"], "consent": "notice",
//!         "why": { "view": "To see what you see", "annotate": "To mark what we talk about" }
//!     }"#;
//!     type ToOperator = ();
//!     type ToDevice = MarkAt;
//!     type Device = AtDevice;
//!     type Operator = AtOperator;
//! }
//!
//! #[derive(Default)]
//! pub struct AtOperator;
//!
//! impl Half for AtOperator {
//!     type Sends = MarkAt;
//!     type Hears = ();
//!
//!     fn on_event(&mut self, _at: Duration, event: Event<()>, fx: &mut Effects<'_, MarkAt>) -> Result<(), GiveUp> {
//!         if let Event::Pointer(pointer) = event {
//!             fx.send_latest(&MarkAt(pointer.at))?; // The next one makes it worthless, so it may be lost.
//!         }
//!         Ok(())
//!     }
//! }
//!
//! #[derive(Default)]
//! pub struct AtDevice;
//!
//! impl Half for AtDevice {
//!     type Sends = ();
//!     type Hears = MarkAt;
//!
//!     fn on_event(&mut self, _at: Duration, event: Event<MarkAt>, fx: &mut Effects<'_, ()>) -> Result<(), GiveUp> {
//!         if let Event::Peer(MarkAt(at)) = event {
//!             match fx.annotate(&Annotation::Pointer { at, color: Color::rgb(255, 60, 0) })? {
//!                 Granted::Yes => {}
//!                 Granted::No => {} // The customer does not allow it now. That is no error.
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # use alongside_mode::protocol::{input::{Buttons, PointerPhase}, units::Pressure};
//! # let hover = PointerEvent { at: PanelPoint::from_pixels(10, 20), phase: PointerPhase::Hover,
//! #     buttons: Buttons::NONE, pressure: Pressure::FULL };
//! // A test needs no network, no thread and no waiting:
//! let mut pair = Pair::<Marker>::started(Capabilities::VIEW | Capabilities::ANNOTATE);
//! pair.point(hover);
//! assert!(matches!(pair.annotations(), [Annotation::Pointer { .. }]));
//!
//! pair.withdraw(Capabilities::ANNOTATE);
//! pair.point(hover);
//! assert_eq!(pair.annotations().len(), 1);
//! assert_eq!(pair.denied(), 1);
//! ```
//!
//! A host that links the mode in uses `static MODULE: abi::Module = module::<Marker>()`. To make it loadable, add a
//! crate of type `cdylib` with one line, [`export_mode!`]:
//!
//! ```
//! # use std::time::Duration;
//! # use alongside_mode::{Effects, Event, GiveUp, Half, Mode};
//! # #[derive(Default)] pub struct Idle;
//! # impl Half for Idle {
//! #     type Sends = (); type Hears = ();
//! #     fn on_event(&mut self, _: Duration, _: Event<()>, _: &mut Effects<'_, ()>) -> Result<(), GiveUp> { Ok(()) }
//! # }
//! # pub struct Marker;
//! # impl Mode for Marker {
//! #     const MANIFEST: &'static str = "{}";
//! #     type ToOperator = (); type ToDevice = (); type Device = Idle; type Operator = Idle;
//! # }
//! alongside_mode::export_mode!(Marker);
//! # fn main() {}
//! ```
//!
//! # The life of an effect
//!
//! 1. **Asked.** A half calls a method of [`Effects`]. The host decodes the bytes, and refuses what does not decode,
//!    what this half does not have, and what is more than [256 effects](host::MAX_CALL_EFFECTS) or
//!    [1 MiB](host::MAX_CALL_BYTES) in one call.
//! 2. **Checked.** An effect that touches the panel needs a [capability](Capabilities). A mode holds what its
//!    [manifest](Manifest) asks for, the device's owner allows *and* the customer agrees to now. Otherwise the answer
//!    is [`Granted::No`]: the effect is dropped and counted, and the mode goes on.
//! 3. **Staged.** Nothing has happened yet. If the half returns an error or panics, nothing ever will.
//! 4. **Done.** The half returned `Ok`: the session carries the effects out in the order of the asking, writes those
//!    that touch the panel into its record first, and drops what the customer has taken the permission for meanwhile.
//!
//! # What the host promises about threads and time
//!
//! - There is never more than one call at a time on one half. Calls may come from different threads, one after the
//!   other; hence `Half: Send`. Halves of different sessions run at the same time.
//! - [`Event::Start`] is the first event and [`Event::Stop`] the last. After a failure there is no event at all.
//! - Every event brings its time, counted from the beginning of the session. It never goes back. A timer rings no
//!   earlier than asked, and once.
//! - Messages between the halves arrive in order, or, for [`Effects::send_latest`], may be lost but never arrive after
//!   a newer one of their kind. The two kinds may overtake each other.
//!
//! In return a half answers at once: 5 ms are the budget of a call. It does not wait, start threads or keep what only
//! the call lent.
//!
//! # Versions
//!
//! A module says three things, and the host refuses each with its own sentence: the [ABI](abi) that it is built for
//! (layout), the wire schemas that it speaks (bodies of events and effects), and, in the manifest, the versions of
//! its halves' own protocol. Within ABI 1 structs grow at their end, kinds of events and effects are added and never
//! change, and an unknown kind is ignored; so a mode that is built today still loads after the next upgrade.
//! Modes in C use `include/alongside_mode.h`.
//!
//! The [guide] leads from an empty folder to an installed mode.
#![deny(unsafe_op_in_unsafe_fn)]

pub mod abi;
mod body;
mod capability;
pub mod effect;
pub mod event;
mod facade;
pub mod fuzzing;
#[doc = include_str!("../WRITE-A-MODE.md")]
pub mod guide {}
pub mod harness;
pub mod host;
pub mod manifest;
mod settings;

pub use alongside_protocol as protocol;
pub use body::{BodyError, Line, MAX_TYPED_LEN, TypedText};
pub use capability::{Capabilities, Side};
pub use effect::{Delivery, Effect};
pub use event::{Grant, HostEvent, LinkReport, Start, StopReason};
pub use facade::{Effects, Event, GiveUp, Granted, Half, Mode, Refused, module};
pub use manifest::{Manifest, ManifestError};
pub use settings::{MAX_PART_LEN, SettingsAnswer, SettingsCall, SettingsPart, SettingsWish};
