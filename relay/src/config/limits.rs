//! Every limit of the relay in one table: default, bounds and the reason for the default.

use std::time::Duration;

use serde::Deserialize;

/// Declares [`Limits`]: each line is a key of the `[limits]` table with its default and the bounds it is held to.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:literal, $min:literal ..= $max:literal;)*) => {
        /// What the relay allows; the `[limits]` table of the configuration.
        ///
        /// A limit outside its bounds is refused when the configuration is read, so none can be switched off by
        /// a slip of the hand.
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[non_exhaustive]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: $type,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// Key, default and bounds of every limit, in order.
            pub const TABLE: &'static [(&'static str, u64, u64, u64)] =
                &[$((stringify!($name), $default, $min, $max)),*];

            /// The first limit outside its bounds, as a sentence.
            pub(crate) fn first_out_of_bounds(&self) -> Option<String> {
                $(if !($min..=$max).contains(&self.$name) {
                    return Some(format!(
                        "limits.{} is {}, allowed are {} to {}",
                        stringify!($name), self.$name, $min, $max,
                    ));
                })*
                None
            }
        }
    };
}

limits! {
    /// Legs at the same time. 10,000 legs over UDP at 15 KiB are 150 MB, and as many over TLS half as much again.
    legs: u32 = 10_000, 1..=1_000_000;
    /// Authenticated legs of one IPv4 address or IPv6 /64: a whole hospital behind one NAT.
    legs_per_source: u32 = 2_000, 1..=1_000_000;
    /// Connections that have not authenticated yet; from half of it on they are refused at random, 30 % rising
    /// to all, so that a flood cannot lock everybody out. OpenSSH's `MaxStartups` has the same shape.
    unauthenticated: u32 = 1_024, 1..=65_536;
    /// Connections of one source that have not authenticated yet.
    unauthenticated_per_source: u32 = 16, 1..=65_536;
    /// Connections a minute of one source that do not end authenticated; those that do are given back.
    connects_per_minute: u32 = 20, 1..=1_000_000;
    /// Connections that a source may open at once before `connects_per_minute` counts.
    connect_burst: u32 = 40, 1..=1_000_000;
    /// Seconds from a validated first packet to a finished handshake, and again from the challenge to its answer:
    /// far above any round trip, far below what a slow attacker needs.
    auth_timeout_s: u32 = 5, 1..=60;
    /// Seconds from a connection's first byte to the authenticated leg, all steps together: the handshake and the
    /// answer on QUIC, and TLS and the request before them on a stream.
    unauthenticated_total_s: u32 = 10, 1..=120;
    /// Seconds without any packet after which a leg is lost. Twelve of the checks that a leg sends every 5 s.
    idle_timeout_s: u32 = 60, 10..=600;
    /// Control messages a second that a leg may send for long; its busiest honest rate is below one.
    control_per_s: u32 = 20, 1..=10_000;
    /// Control messages that a leg may send at once.
    control_burst: u32 = 40, 1..=10_000;
    /// Seconds that a control message may wait for a leg to take it, before the leg is given up.
    write_stall_s: u32 = 2, 1..=60;
    /// Live codes of one operator; `operators.toml` may say otherwise for one of them.
    codes_per_operator: u32 = 20, 1..=10_000;
    /// Codes that one operator may ask for in a minute; `operators.toml` may say otherwise for one of them.
    allocations_per_minute: u32 = 10, 1..=10_000;
    /// Longest life of a code in seconds; operators may ask for 120 at the least and get less here.
    code_ttl_max_s: u32 = 3_600, 1..=3_600;
    /// Times that a nameplate may be claimed. Three wrong codes burn it; two more are for legs that got lost.
    claims_per_code: u32 = 5, 1..=100;
    /// Minutes that a used nameplate rests, so that a late caller cannot reach somebody else's session.
    quarantine_min: u32 = 60, 0..=1_440;
    /// Failed claims of one source within `failed_claims_window_min` before it must wait.
    failed_claims: u32 = 5, 1..=1_000;
    /// Minutes for which failed claims count.
    failed_claims_window_min: u32 = 10, 1..=1_440;
    /// Seconds of the first wait after too many failed claims; each further failure doubles it.
    penalty_min_s: u32 = 5, 1..=600;
    /// Seconds of the longest wait.
    penalty_max_s: u32 = 600, 1..=3_600;
    /// Sources whose failures are remembered; OpenSSH's `PerSourcePenalties` remembers as many.
    tracked_sources: u32 = 65_536, 16..=1_048_576;
    /// Failed claims of all sources together within `breaker_window_min` from which on somebody seems to spray
    /// guesses: it is said at ERROR, and until there are fewer, the first failed claim makes its source wait. Twenty
    /// a minute.
    breaker_failed_claims: u32 = 100, 10..=1_000_000;
    /// Minutes for which `breaker_failed_claims` counts.
    breaker_window_min: u32 = 5, 1..=60;
    /// GiB a month (of the calendar, UTC) that an operator's meetings may send through the relay, both directions
    /// together, before it gets no new codes; `operators.toml` may say otherwise for one of them. Five sessions at
    /// 250 kbit/s, day and night.
    gib_per_operator_month: u32 = 400, 1..=1_000_000;
    /// Rate of one meeting in each direction, in kbit/s: a hundred times what a session needs.
    meeting_kbps: u32 = 32_000, 500..=10_000_000;
    /// Bytes that a meeting may send at once in each direction.
    meeting_burst_bytes: u32 = 4_194_304, 65_536..=1_073_741_824;
    /// Validated handshakes that wait to be looked at.
    max_incoming: u32 = 4_096, 16..=65_536;
    /// Bytes kept for one handshake that waits.
    incoming_buffer_bytes: u32 = 65_536, 4_096..=10_485_760;
    /// Bytes kept for all handshakes that wait.
    incoming_buffer_total_bytes: u32 = 16_777_216, 65_536..=1_073_741_824;
    /// Size asked for the socket's buffers, each way: below it a burst of a busy relay gets lost in the kernel.
    socket_buffer_bytes: u32 = 4_194_304, 65_536..=268_435_456;
    /// Seconds that a shutdown waits for the legs to say goodbye.
    shutdown_wait_s: u32 = 2, 0..=60;
}

impl Limits {
    /// How long a used nameplate rests.
    pub(crate) fn quarantine(&self) -> Duration {
        Duration::from_secs(u64::from(self.quarantine_min) * 60)
    }

    /// How long a failed claim counts for the breaker.
    pub(crate) fn breaker_window(&self) -> Duration {
        Duration::from_secs(u64::from(self.breaker_window_min) * 60)
    }

    /// How long a failed claim counts.
    pub(crate) fn failed_claims_window(&self) -> Duration {
        Duration::from_secs(u64::from(self.failed_claims_window_min) * 60)
    }
}

/// A limit in seconds as a duration.
pub(crate) fn seconds(limit: u32) -> Duration {
    Duration::from_secs(u64::from(limit))
}
