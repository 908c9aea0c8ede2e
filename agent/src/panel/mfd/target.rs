//! Everything on the screen that can be touched.

use super::{
    machine::{Choice, Step},
    remote::{Allowed, Field},
    theme::Scale,
};
use crate::text::Locale;

/// A screen that one can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The tiles.
    Home,
    /// Copying.
    Copy,
    /// Scanning to an address.
    Scan,
    /// Typing an address on the soft keyboard.
    Address,
    /// The running or last job.
    Jobs,
    /// The machine's settings.
    Settings,
    /// What to know before entering a code.
    Notice,
    /// Entering a code.
    Entry,
    /// Who is connected.
    Session,
    /// Remote Assistance on this device: behind the administrator's ID.
    Remote,
    /// Another administrator's ID in the place of the one that counts: behind that.
    RemoteId,
    /// One setting of the way to the service being typed: behind the ID.
    RemoteEdit,
    /// The test of that way: behind the ID.
    RemoteTest,
    /// Who was connected: behind the ID.
    RemoteSessions,
}

impl Place {
    /// Whether it belongs to Remote Assistance on this device, which no operator gets to.
    pub(super) const fn is_administrators(self) -> bool {
        matches!(
            self,
            Self::Remote
                | Self::RemoteId
                | Self::RemoteEdit
                | Self::RemoteTest
                | Self::RemoteSessions
        )
    }
}

/// Something to touch. Tests and tours find its place with [`Mfd::find`](super::Mfd::find).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A tile, or the way back.
    Go(Place),
    /// An option of the machine.
    Choose(Choice),
    /// Plus or minus of a setting.
    Step(Step),
    /// Start on the screen, the same as the hard key.
    Start,
    /// Stop of the running job.
    StopJob,
    /// A letter of the soft keyboard, in the case that it shows.
    Letter(char),
    /// Shift of the soft keyboard.
    Shift,
    /// Erase of the soft keyboard.
    EraseLetter,
    /// Done of the soft keyboard.
    SaveAddress,
    /// A digit of the code's keypad.
    Digit(u8),
    /// Erase of the code's keypad.
    EraseDigit,
    /// Clear of the code's keypad.
    ClearCode,
    /// A group of the code, 0 to 2, to type it again.
    Group(u8),
    /// Connect, with a whole code.
    Connect,
    /// Cancel while the connection is being made.
    CancelConnecting,
    /// Back to code entry after a refusal.
    TryAgain,
    /// Away from a refusal.
    CloseRefusal,
    /// EXIT: the end of the session.
    Exit,
    /// The banner, to another edge of a screen of other programs.
    MoveBanner,
    /// A sign of life against the idle end.
    StayConnected,
    /// Yes to the operator's question.
    Allow,
    /// On to the next settings that would change.
    MoreChanges,
    /// No to the operator's question.
    Refuse,
    /// Yes, and on to the administrator's ID.
    EnterId,
    /// A character of the administrator's ID, in the case that its key shows.
    IdLetter(char),
    /// Erase of the ID's pad.
    IdErase,
    /// Shift of the ID's pad.
    IdShift,
    /// From digits to letters on the ID's pad, and back.
    IdKeys,
    /// On with the ID that was typed.
    ConfirmId,
    /// Back to guiding: what was allowed is taken back.
    TakeBack,
    /// Remote Assistance on or off.
    Allowed(Allowed),
    /// The panel's language.
    Language(Locale),
    /// The size of its text.
    TextSize(Scale),
    /// A setting of the way to the service, to change it.
    Edit(Field),
    /// A character of that setting, in the case that its key shows.
    EditLetter(char),
    /// Erase of its keyboard.
    EditErase,
    /// Shift of its keyboard.
    EditShift,
    /// On with what was typed.
    EditKeep,
    /// The test of the way to the service.
    Test,
    /// On to earlier sessions.
    MoreSessions,
    /// On to the next settings of the end card.
    MoreEnded,
    /// The end card has been read.
    CloseEnded,
}

impl Target {
    /// Whether the operator may touch this: the machine's own controls, and nothing that speaks for the customer.
    pub(super) const fn is_machines(self) -> bool {
        match self {
            Self::Go(place) => {
                !matches!(place, Place::Notice | Place::Entry | Place::Session)
                    && !place.is_administrators()
            }
            Self::Choose(_)
            | Self::Step(_)
            | Self::Start
            | Self::StopJob
            | Self::Letter(_)
            | Self::Shift
            | Self::EraseLetter
            | Self::SaveAddress => true,
            Self::Digit(_)
            | Self::EraseDigit
            | Self::ClearCode
            | Self::Group(_)
            | Self::Connect
            | Self::CancelConnecting
            | Self::TryAgain
            | Self::CloseRefusal
            | Self::Exit
            | Self::MoveBanner
            | Self::StayConnected
            | Self::Allow
            | Self::MoreChanges
            | Self::Refuse
            | Self::EnterId
            | Self::IdLetter(_)
            | Self::IdErase
            | Self::IdShift
            | Self::IdKeys
            | Self::ConfirmId
            | Self::TakeBack
            | Self::Allowed(_)
            | Self::Language(_)
            | Self::TextSize(_)
            | Self::Edit(_)
            | Self::EditLetter(_)
            | Self::EditErase
            | Self::EditShift
            | Self::EditKeep
            | Self::Test
            | Self::MoreSessions
            | Self::MoreEnded
            | Self::CloseEnded => false,
        }
    }
}
