//! Coded reasons: one vocabulary for the wire, the records, `--stdio` and the sentences people read.

macro_rules! reasons {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub enum $name { $($(#[$vmeta])* $variant,)* }

        impl $name {
            /// Every value, in wire order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used in records and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use reasons;

reasons! {
    /// Who ended a session.
    pub enum Party {
        /// The person in front of the panel.
        Customer = "customer",
        /// The support person.
        Operator = "operator",
        /// A rule: a time limit, the owner's policy, or a broken protocol.
        Policy = "policy",
        /// The path between the two.
        Network = "network",
        /// The relay.
        Relay = "relay",
        /// The device's own software.
        Device = "device",
    }
}

reasons! {
    /// Why a session ended.
    pub enum EndReason {
        /// The customer pressed EXIT.
        Exit = "exit",
        /// The customer held the stop key for 5 seconds.
        StopKey = "stop-key",
        /// The operator pressed End.
        OperatorEnded = "operator-ended",
        /// 15 minutes without an operator's action.
        Idle = "idle",
        /// The longest time that one session may last is over.
        SessionCap = "session-cap",
        /// Nothing came from the other side for too long.
        PeerLost = "peer-lost",
        /// The other side's program was stopped.
        PeerClosed = "peer-closed",
        /// The relay closed the meeting.
        RelayClosed = "relay-closed",
        /// A record could not be made durable, so nothing more may happen.
        RecordFailed = "record-failed",
        /// The other side broke the protocol.
        Protocol = "protocol",
        /// The device's panel can no longer be captured.
        PanelFailed = "panel-failed",
        /// The program was told to stop.
        Shutdown = "shutdown",
        /// The code was not proved.
        CodeNotProved = "code-not-proved",
    }
}

reasons! {
    /// Why a mode was refused.
    pub enum Refusal {
        /// The customer said no.
        Customer = "customer",
        /// Nobody answered in time; silence is a no.
        Timeout = "timeout",
        /// The device has no system administrator's ID to check against.
        NoAdminId = "no-admin-id",
        /// Too many wrong system administrator's IDs.
        Locked = "locked",
        /// The owner's policy forbids it, or the device does not have this mode.
        Policy = "policy",
        /// Another ask is open.
        Busy = "busy",
        /// The connection was lost before there was an answer.
        Interrupted = "interrupted",
        /// The two sides have no version of the mode in common, or the operator's side does not have it.
        Versions = "versions",
    }
}

reasons! {
    /// State of a mode as both sides are told.
    pub enum ModePhase {
        /// The customer is being asked.
        Asked = "asked",
        /// Granted and running.
        Active = "active",
        /// Granted, but the customer's hand has priority.
        Paused = "paused",
        /// Not granted; see the [`Refusal`].
        Refused = "refused",
        /// Was running and is over.
        Ended = "ended",
    }
}
