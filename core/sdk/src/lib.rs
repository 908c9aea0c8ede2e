//! Remote assistance for devices with a control panel.
//!
//! A customer at a device types a short code; an operator far away sees the panel, points and draws on it, and the
//! customer can end it at any moment. This crate is what an embedder adds:
//!
//! - a **device**: bring a [`Panel`](ports::Panel) and a [`Customer`](ports::Customer), make a [`Device`], run it;
//! - an **operator**: make an [`Operator`], ask it for a code, watch its [`Screen`](operator::Screen).
//!
//! Both go through a relay, or over any [`Connection`](transport::Connection) that the embedder brings.
//!
//! Both are one future each. They run inside your tokio runtime, start no task, no thread and no listener behind your
//! back, and keep no global state, so two devices live in one process. Time is tokio's, so a test with a paused clock
//! runs an hour of a session in milliseconds.
//!
//! ```no_run
//! # async fn example(panel: std::sync::Arc<dyn alongside::ports::Panel>, customer: std::sync::Arc<dyn alongside::ports::Customer>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use alongside::{Compartment, Device, DeviceConfig, Relay, Until, protocol::{Serial, label::Label}};
//!
//! let config = DeviceConfig {
//!     relay: Relay::new("relay.example.com")?,
//!     serial: Serial::new("B7-0042")?,
//!     model: Label::new("Example B7")?,
//!     compartment: Compartment::open("/var/lib/alongside".as_ref())?,
//! };
//! let (device, handle, _events) = Device::new(config, panel, customer)?;
//! // Your buttons call handle.enter_code(...), handle.exit(), handle.stop_key(...).
//! # drop(handle);
//! device.run(Until::Stopped).await;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "admin-id")]
pub mod admin_id;
pub mod audit;
pub mod device;
#[doc = include_str!("../EMBED-A-DEVICE.md")]
pub mod guide {}
pub mod modes;
pub mod operator;
pub mod ports;
pub mod settings;
pub mod status;

mod clock;
mod compartment;
mod meter;
mod random;
mod relay;
mod search;
mod session_io;
mod volume;
mod wire;

pub use alongside_mode as mode;
pub use alongside_mode::TypedText;
pub use alongside_panel::Frame;
pub use alongside_protocol as protocol;
pub use alongside_transport as transport;
pub use alongside_transport::{ConnectError, Identity, PathKind};
pub use clock::unix_ms;
pub use compartment::{Claim, Compartment, CompartmentError};
pub use device::{Device, DeviceConfig, DeviceEnd, DeviceEvent, DeviceHandle, Until};
pub use meter::PathStatus;
pub use operator::{Operator, OperatorConfig, OperatorEnd, OperatorEvent, OperatorHandle};
pub use relay::{Relay, RelayError};
pub use volume::Volume;
