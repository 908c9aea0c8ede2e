//! How a half asks for effects.
#![expect(unsafe_code, reason = "effects go to the host through a C function")]

use std::{fmt, marker::PhantomData, time::Duration};

use alongside_protocol::{
    annotation::Annotation,
    input::{KeyEvent, PointerEvent},
};
use serde::Serialize;

use crate::{
    abi,
    body::{Line, TypedText, put},
    effect::{Delivery, Effect, MAX_CONSOLE_LEN, kind},
    settings::SettingsCall,
};

/// Where effects go. There is one only inside [`Half::on_event`](crate::Half::on_event).
///
/// An effect is staged when it is asked for, and takes place after the call has returned `Ok`, in the order of the
/// asking.
pub struct Effects<'a, S> {
    host: &'a abi::Host,
    body: &'a mut Vec<u8>,
    sends: PhantomData<fn(S)>,
}

/// Whether an effect was taken.
///
/// `No` is everyday life: the customer has not agreed yet, or has just taken the permission back. The effect is
/// dropped and counted, and the mode goes on; so it is no error under `?`.
#[must_use = "an effect that is not granted does not take place"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// It will take place.
    Yes,
    /// It will not.
    No,
}

/// The host cannot take the effect at all, whatever is granted. Under `?` the mode gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// Too many effects, or too many bytes, in one call.
    Full,
    /// The message is longer than its kind allows, or does not turn into bytes.
    Malformed,
    /// The host does not know this effect, or this half does not have it.
    Unsupported,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too many effects in one call",
            Self::Malformed => "effect is too long or malformed",
            Self::Unsupported => "host has no such effect for this half",
        })
    }
}

impl std::error::Error for Refused {}

impl<'a, S> Effects<'a, S> {
    pub(super) fn new(host: &'a abi::Host, body: &'a mut Vec<u8>) -> Self {
        Self {
            host,
            body,
            sends: PhantomData,
        }
    }
}

impl<S: Serialize> Effects<'_, S> {
    /// Tells the other half; every message arrives, in order.
    ///
    /// # Errors
    ///
    /// [`Refused::Malformed`] if it is longer than 4,000 bytes.
    pub fn send(&mut self, message: &S) -> Result<(), Refused> {
        self.tell(Delivery::Reliable, message)
    }

    /// Tells the other half something that the next such message makes worthless; it may be lost.
    ///
    /// # Errors
    ///
    /// [`Refused::Malformed`] if it is longer than 1,000 bytes.
    pub fn send_latest(&mut self, message: &S) -> Result<(), Refused> {
        self.tell(Delivery::Latest, message)
    }

    /// Device half: draws over the panel, or takes back what was drawn.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn annotate(&mut self, annotation: &Annotation) -> Result<Granted, Refused> {
        self.put(kind::ANNOTATE, annotation)
    }

    /// Device half: points on the panel as if a hand had.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn point(&mut self, event: &PointerEvent) -> Result<Granted, Refused> {
        self.put(kind::POINTER, event)
    }

    /// Device half: presses or releases a key of the panel.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn press(&mut self, event: &KeyEvent) -> Result<Granted, Refused> {
        self.put(kind::KEY, event)
    }

    /// Device half: types on the panel.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn type_text(&mut self, text: &TypedText) -> Result<Granted, Refused> {
        self.put(kind::TEXT, text)
    }

    /// Comes back with [`Event::Timer`](crate::Event::Timer) after `after`; a timer of the same id is replaced.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn set_timer(&mut self, id: u32, after: Duration) -> Result<(), Refused> {
        // Zero would take the timer back.
        let after = after.max(Duration::from_micros(1));
        self.put_effect(&Effect::SetTimer { id, after })
    }

    /// Takes a timer back.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn cancel_timer(&mut self, id: u32) -> Result<(), Refused> {
        self.put_effect(&Effect::SetTimer {
            id,
            after: Duration::ZERO,
        })
    }

    /// Operator half: tells the mode's part of the console.
    ///
    /// # Errors
    ///
    /// [`Refused::Malformed`] if it does not turn into JSON or that is longer than 16 KiB.
    pub fn console(&mut self, message: &impl Serialize) -> Result<(), Refused> {
        self.body.clear();
        serde_json::to_writer(&mut *self.body, message).map_err(|_| Refused::Malformed)?;
        if self.body.len() > MAX_CONSOLE_LEN {
            return Err(Refused::Malformed);
        }
        self.emit(kind::CONSOLE).map(drop)
    }

    /// Device half: shows the customer a line, as the mode's words.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn notice(&mut self, line: &Line) -> Result<(), Refused> {
        self.put(kind::NOTICE, line).map(drop)
    }

    /// Writes a line into the session's record.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn audit(&mut self, line: &Line) -> Result<(), Refused> {
        self.put(kind::AUDIT, line).map(drop)
    }

    /// Device half: reads the device's settings, or changes them. The answers come as
    /// [`Event::Settings`](crate::Event::Settings).
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn settings(&mut self, call: SettingsCall) -> Result<Granted, Refused> {
        self.body.clear();
        call.encode(self.body);
        self.emit(call.kind())
    }

    /// Ends the mode, because it is done.
    ///
    /// # Errors
    ///
    /// See [`Refused`].
    pub fn finish(&mut self, reason: &Line) -> Result<(), Refused> {
        self.put(kind::FINISH, reason).map(drop)
    }

    fn tell(&mut self, delivery: Delivery, message: &S) -> Result<(), Refused> {
        self.body.clear();
        self.body.push(delivery.byte());
        put(message, self.body);
        // An encoding that failed leaves nothing behind, not even the byte of delivery.
        if self.body.is_empty() || self.body.len() > 1 + delivery.max_len() {
            return Err(Refused::Malformed);
        }
        self.emit(kind::PEER).map(drop)
    }

    fn put_effect(&mut self, effect: &Effect) -> Result<(), Refused> {
        self.body.clear();
        effect.encode(self.body);
        self.emit(effect.kind()).map(drop)
    }

    fn put<T: Serialize>(&mut self, kind: u32, value: &T) -> Result<Granted, Refused> {
        self.body.clear();
        put(value, self.body);
        self.emit(kind)
    }

    fn emit(&mut self, kind: u32) -> Result<Granted, Refused> {
        // SAFETY: the host that lent itself for this call takes a kind and bytes, and copies them before it returns.
        let status =
            unsafe { (self.host.emit)(self.host.ctx, kind, self.body.as_ptr(), self.body.len()) };
        match status {
            abi::OK => Ok(Granted::Yes),
            abi::E_DENIED => Ok(Granted::No),
            abi::E_FULL => Err(Refused::Full),
            abi::E_ARGUMENT => Err(Refused::Malformed),
            _ => Err(Refused::Unsupported),
        }
    }
}

impl<S> fmt::Debug for Effects<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Effects(..)")
    }
}
