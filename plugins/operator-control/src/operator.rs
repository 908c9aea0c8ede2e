//! The half beside the operator: it stamps what the operator does, and sends it.

use std::time::Duration;

use alongside_mode::protocol::input::PointerPhase;
use alongside_mode::{Effects, Event, GiveUp, Half};
use serde::Serialize;

use crate::message::{Input, Problem, ToDevice, ToOperator};

/// The half beside the operator.
#[derive(Debug, Default)]
pub struct AtOperator;

/// What the console is told.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum ToConsole {
    Input(Problem),
}

impl Half for AtOperator {
    type Sends = ToDevice;
    type Hears = ToOperator;

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other events, today's and later ones, change nothing here"
    )]
    fn on_event(
        &mut self,
        at: Duration,
        event: Event<ToOperator>,
        fx: &mut Effects<'_, ToDevice>,
    ) -> Result<(), GiveUp> {
        match event {
            // The first stamp, so that the first input has something to be late against.
            Event::Start(_) => fx.send(&ToDevice::new(at, None))?,
            Event::Pointer(event) => {
                let is_hover = event.phase == PointerPhase::Hover;
                let message = ToDevice::new(at, Some(Input::Pointer(event)));
                if is_hover {
                    fx.send_latest(&message)?;
                } else {
                    fx.send(&message)?;
                }
            }
            Event::Key(event) => fx.send(&ToDevice::new(at, Some(Input::Key(event))))?,
            Event::Text(text) => fx.send(&ToDevice::new(at, Some(Input::Text(text))))?,
            Event::Peer(ToOperator::Problem(problem)) => fx.console(&ToConsole::Input(problem))?,
            _ => {}
        }
        Ok(())
    }
}
