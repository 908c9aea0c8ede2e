//! Keeping the screen lit while help is under way. Whatever is asked for here ends with the connection.

use alongside::ports::Awake;
use x11rb::{
    connection::{Connection as _, RequestConnection as _},
    errors::{ConnectionError, ReplyError},
    protocol::{
        dpms::{self, ConnectionExt as _},
        screensaver::{self, ConnectionExt as _},
        xproto::{ConnectionExt as _, ScreenSaver},
    },
    rust_connection::RustConnection,
};

/// What this server can do about its screen saver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saver {
    /// Whether a client can suspend it for as long as it lives (MIT-SCREEN-SAVER 1.1).
    suspends: bool,
    has_dpms: bool,
}

impl Saver {
    pub(super) fn new(connection: &RustConnection) -> Self {
        let has = |name| matches!(connection.extension_information(name), Ok(Some(_)));
        let suspends = has(screensaver::X11_EXTENSION_NAME)
            && connection
                .screensaver_query_version(1, 1)
                .map_err(ReplyError::from)
                .and_then(|cookie| cookie.reply())
                .is_ok_and(|version| {
                    (version.server_major_version, version.server_minor_version) >= (1, 1)
                });
        if !suspends {
            tracing::warn!(
                "this X server's screen saver cannot be suspended: it is reset again and again in a session"
            );
        }
        Self {
            suspends,
            has_dpms: has(dpms::X11_EXTENSION_NAME),
        }
    }

    /// Holds the screen awake, or lets it go.
    pub(super) fn hold(
        self,
        connection: &RustConnection,
        awake: Awake,
    ) -> Result<(), ConnectionError> {
        if self.suspends {
            connection.screensaver_suspend(u32::from(awake == Awake::Hold))?;
        }
        if awake == Awake::Hold {
            self.wake(connection)?;
        }
        connection.flush()
    }

    /// Lights a screen that is dark.
    pub(super) fn wake(self, connection: &RustConnection) -> Result<(), ConnectionError> {
        connection.force_screen_saver(ScreenSaver::RESET)?;
        if self.has_dpms {
            // Refused where the display has no power to save.
            connection
                .dpms_force_level(dpms::DPMSMode::ON)?
                .ignore_error();
        }
        connection.flush()
    }

    /// Whether [`Saver::wake`] is wanted again and again while the screen is held.
    pub(super) const fn needs_waking(self) -> bool {
        !self.suspends
    }
}
