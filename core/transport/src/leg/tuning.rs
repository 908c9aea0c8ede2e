//! QUIC's settings on the control connection and end to end. Each deviation from quinn's defaults says why.

use std::{sync::Arc, time::Duration};

use alongside_protocol::relay::MAX_BODY;
use quinn::{IdleTimeout, TransportConfig, VarInt};

use crate::congestion::{PathCubicConfig, PathGeneration};

/// Silence after which a connection is given up, control and end to end alike: the longest outage that a
/// session survives without proving itself again.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause after which an end-to-end connection shows that it lives (the accessible checks of a session come as
/// often, so this shows only when they do not run).
pub const E2E_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Size of an end-to-end packet: the least that every path carries (RFC 9000, section 14), so that a path
/// change never meets packets too large for it.
pub const E2E_MTU: u16 = 1200;

/// Least send window end to end in bytes; more only where 1.5 times what is in flight needs it. A short queue
/// is what keeps the panel at 117 ms beside a bulk transfer instead of 237 ms (measured at 4 Mbit/s).
pub const E2E_SEND_WINDOW: u64 = 64 * 1024;

/// First guess of the round trip time; 333 ms (RFC 9002) would make a lost first packet cost a second.
const INITIAL_RTT: Duration = Duration::from_millis(100);

/// The same on a stream to the relay, which loses nothing: whoever repeats there only waits longer (RFC 8961 allows a
/// second, and no more than three of them pass before the first repetition).
const STREAM_INITIAL_RTT: Duration = Duration::from_secs(1);

/// Streams that the operator may hold open: four channels and room for their successors.
const E2E_STREAMS: u32 = 8;

/// Flow control of one channel in bytes: a whole bulk message and a round trip of the fastest budget.
const E2E_STREAM_WINDOW: u32 = 256 * 1024;

/// Flow control of all channels together in bytes.
const E2E_WINDOW: u32 = 1024 * 1024;

/// Datagrams that wait to be sent or read, in bytes: hover positions, of which only the latest counts.
const E2E_DATAGRAM_BUFFER: usize = 64 * 1024;

/// Flow control of the control stream in bytes: one message of the greatest length, and the next one's start.
const CONTROL_WINDOW: u32 = 2 * MAX_BODY as u32;

/// The relay's end of a control connection: the relay opens the one stream there is.
///
/// Small, because an idle leg costs the relay nothing else: no stream that the leg could open, no datagrams, no
/// probing for a larger MTU.
pub fn relay_control() -> TransportConfig {
    control(0)
}

/// The same for a leg that comes over a stream.
pub fn relay_control_on_stream() -> TransportConfig {
    on_stream(relay_control())
}

/// The leg's end of a control connection.
pub fn leg_control() -> TransportConfig {
    control(1)
}

/// The same over a stream that has just come up.
pub fn leg_control_on_stream() -> TransportConfig {
    on_stream(leg_control())
}

fn on_stream(mut transport: TransportConfig) -> TransportConfig {
    transport.initial_rtt(STREAM_INITIAL_RTT);
    transport
}

fn control(streams_from_the_other_side: u32) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(streams_from_the_other_side.into())
        .max_concurrent_uni_streams(0u32.into())
        .stream_receive_window(CONTROL_WINDOW.into())
        .receive_window(CONTROL_WINDOW.into())
        .send_window(u64::from(CONTROL_WINDOW))
        .datagram_receive_buffer_size(None)
        .initial_mtu(E2E_MTU)
        .mtu_discovery_config(None)
        .initial_rtt(INITIAL_RTT)
        .max_idle_timeout(Some(idle_timeout()));
    transport
}

/// Either end of an end-to-end connection whose path changes are counted in `generation`; `line` is the round trip
/// that a full packet is known to need at the least, as on a narrow line: a repetition before would only make it longer.
pub fn e2e(generation: &PathGeneration, line: Duration) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(E2E_STREAMS.into())
        .max_concurrent_uni_streams(0u32.into())
        .stream_receive_window(E2E_STREAM_WINDOW.into())
        .receive_window(E2E_WINDOW.into())
        .send_window(E2E_SEND_WINDOW)
        .datagram_receive_buffer_size(Some(E2E_DATAGRAM_BUFFER))
        .datagram_send_buffer_size(E2E_DATAGRAM_BUFFER)
        .initial_mtu(E2E_MTU)
        .mtu_discovery_config(None)
        .initial_rtt(line.clamp(INITIAL_RTT, STREAM_INITIAL_RTT))
        .keep_alive_interval(Some(E2E_KEEP_ALIVE))
        .max_idle_timeout(Some(idle_timeout()))
        .congestion_controller_factory(Arc::new(PathCubicConfig {
            generation: generation.clone(),
        }));
    transport
}

fn idle_timeout() -> IdleTimeout {
    // Milliseconds on the wire; 60 s fit.
    IdleTimeout::from(VarInt::from_u32(IDLE_TIMEOUT.as_millis() as u32))
}
