//! The half beside the panel: it puts the operator's requests to the session, and passes the answers on.

use std::time::Duration;

use alongside_mode::protocol::setting::{SettingChange, SettingsVersion, Words};
use alongside_mode::{
    Capabilities, Effects, Event, GiveUp, Granted, Half, Refused, SettingsAnswer, SettingsCall,
    SettingsPart, SettingsWish, Start,
};

use crate::message::{ToDevice, ToOperator};

/// Most changes that are put together: one more than a device takes, so that it is the device that says so.
const MOST: usize = 257;

/// The half beside the panel.
#[derive(Debug, Default)]
pub struct AtDevice {
    /// The changes that are arriving.
    arriving: Option<Arriving>,
}

#[derive(Debug)]
struct Arriving {
    request: u32,
    if_version: Option<SettingsVersion>,
    changes: Vec<SettingChange>,
}

type Fx<'a, 'b> = &'a mut Effects<'b, ToOperator>;

impl Half for AtDevice {
    type Sends = ToOperator;
    type Hears = ToDevice;

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other events, today's and later ones, are the operator half's"
    )]
    fn on_event(
        &mut self,
        _at: Duration,
        event: Event<ToDevice>,
        fx: Fx<'_, '_>,
    ) -> Result<(), GiveUp> {
        match event {
            Event::Start(start) => {
                self.arriving = None;
                if is_blind(&start) {
                    fx.send(&ToOperator::NoSurface)?;
                }
            }
            Event::Peer(message) => self.on_message(message, fx)?,
            Event::Settings(answer) => tell(answer, fx)?,
            _ => {}
        }
        Ok(())
    }
}

impl AtDevice {
    fn on_message(&mut self, message: ToDevice, fx: Fx<'_, '_>) -> Result<(), Refused> {
        match message {
            ToDevice::Schema { request } => call(request, SettingsWish::Schema, fx),
            ToDevice::Read { request, group } => call(request, SettingsWish::Read(group), fx),
            ToDevice::Undo { request } => call(request, SettingsWish::Undo, fx),
            ToDevice::Confirm { request } => call(request, SettingsWish::Confirm, fx),
            ToDevice::Change {
                request,
                if_version,
                changes,
                is_last,
            } => {
                let arriving = self
                    .arriving
                    .take()
                    .filter(|arriving| arriving.request == request);
                let mut arriving = arriving.unwrap_or(Arriving {
                    request,
                    if_version,
                    changes: Vec::new(),
                });
                let room = MOST.saturating_sub(arriving.changes.len());
                arriving.changes.extend(changes.into_iter().take(room));
                if !is_last {
                    self.arriving = Some(arriving);
                    return Ok(());
                }
                let wish = SettingsWish::Propose {
                    if_version: arriving.if_version,
                    changes: arriving.changes,
                };
                call(request, wish, fx)
            }
        }
    }
}

/// Whether the mode runs unseen and sees nothing itself.
const fn is_blind(start: &Start) -> bool {
    start.granted.contains(Capabilities::SILENT) && !start.granted.contains(Capabilities::VIEW)
}

fn call(request: u32, wants: SettingsWish, fx: Fx<'_, '_>) -> Result<(), Refused> {
    match fx.settings(SettingsCall { request, wants })? {
        Granted::Yes => Ok(()),
        Granted::No => fx.send(&ToOperator::Denied { request }),
    }
}

fn tell(answer: SettingsAnswer, fx: Fx<'_, '_>) -> Result<(), Refused> {
    let request = answer.request;
    match fx.send(&ToOperator::Answer(answer)) {
        Err(Refused::Malformed) => fx.send(&ToOperator::Answer(SettingsAnswer {
            request,
            part: SettingsPart::Failed(Words::new("the device's answer is too long")),
        })),
        sent => sent,
    }
}
