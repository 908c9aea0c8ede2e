//! A checklist: the operator leads through it step by step, the customer reads each step on the panel and sees where it
//! is.
//!
//! All of a mode is here: a protocol of its own between its halves, what comes from its part of the console and goes
//! there (`ui/panel.js`), a mark over the panel that needs the customer's word, and tests of both halves without network.
//!
//! ```sh
//! cargo test -p custom-mode
//! cargo build --release -p custom-mode-so
//! alongside-agent mode pack examples/custom-mode --module target/release/libcustom_mode_so.so
//! alongside-agent mode check examples/custom-mode
//! alongside-agent mode install examples/custom-mode
//! ```
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "whoever hears events ignores what they do not know"
)]

use std::time::Duration;

use alongside_mode::{
    Effects, Event, GiveUp, Half, Line, Mode, StopReason,
    protocol::{PanelPoint, annotation::Annotation, units::Color},
};
use serde::{Deserialize, Serialize};

/// The mode.
#[derive(Debug)]
pub struct Checklist;

/// Most steps of a list (our choice: a longer one is no list that somebody follows on the phone).
const MAX_STEPS: usize = 20;
/// Colour of the mark at the place of the step that is due.
const DUE: Color = Color::rgb(255, 140, 0);

/// What the operator half tells the device half.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToDevice {
    /// Begin with these steps.
    Begin(Vec<Step>),
    /// The step that is due is done.
    Done,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What to do.
    pub text: String,
    /// Where, in pixels of the panel.
    pub x: u16,
    /// Where, in pixels of the panel.
    pub y: u16,
}

/// What the device half tells the operator half: how many steps are done.
#[derive(Debug, Serialize, Deserialize)]
pub struct At(pub usize);

impl Mode for Checklist {
    const MANIFEST: &'static str = include_str!("../mode.json");
    type ToOperator = At;
    type ToDevice = ToDevice;
    type Device = AtDevice;
    type Operator = AtOperator;
}

/// The half beside the panel: shows the step that is due.
#[derive(Debug, Default)]
pub struct AtDevice {
    steps: Vec<Step>,
    done: usize,
}

impl Half for AtDevice {
    type Sends = At;
    type Hears = ToDevice;

    fn on_event(
        &mut self,
        _at: Duration,
        event: Event<ToDevice>,
        fx: &mut Effects<'_, At>,
    ) -> Result<(), GiveUp> {
        match event {
            Event::Peer(ToDevice::Begin(steps)) => {
                self.steps = steps;
                self.steps.truncate(MAX_STEPS);
                self.done = 0;
                self.show(fx)
            }
            Event::Peer(ToDevice::Done) if self.done < self.steps.len() => {
                self.done += 1;
                self.show(fx)
            }
            Event::Stop(StopReason::Left) => {
                // What was drawn is taken back by the session; the record keeps how far it went.
                let line = format!("{} of {} steps done", self.done, self.steps.len());
                fx.audit(&Line::new(&line)?)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl AtDevice {
    fn show(&self, fx: &mut Effects<'_, At>) -> Result<(), GiveUp> {
        let count = self.steps.len();
        match self.steps.get(self.done) {
            Some(step) => {
                let n = self.done + 1;
                // Whoever wrote the step, a line that the customer is shown is short and has no surprises in it.
                let text: String = step
                    .text
                    .chars()
                    .filter(|c| !c.is_control())
                    .take(40)
                    .collect();
                fx.notice(&Line::new(&format!("Step {n} of {count}: {text}"))?)?;
                let at = PanelPoint::from_pixels(step.x, step.y);
                // Without the customer's word there is no mark, and the step stands in words all the same.
                let _marked = fx.annotate(&Annotation::Pointer { at, color: DUE })?;
            }
            None => {
                fx.notice(&Line::new("All steps are done")?)?;
                let _gone = fx.annotate(&Annotation::PointerGone)?;
            }
        }
        fx.send(&At(self.done))?;
        Ok(())
    }
}

/// The half beside the operator's console.
#[derive(Debug, Default)]
pub struct AtOperator;

/// What the mode's part of the console says.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Begin(Vec<Step>),
    Done(bool),
}

impl Half for AtOperator {
    type Sends = ToDevice;
    type Hears = At;

    fn on_event(
        &mut self,
        _at: Duration,
        event: Event<At>,
        fx: &mut Effects<'_, ToDevice>,
    ) -> Result<(), GiveUp> {
        match event {
            // What does not read is no order, and no reason to give up.
            Event::Console(message) => match serde_json::from_value(message) {
                Ok(Said::Begin(mut steps)) => {
                    steps.truncate(MAX_STEPS);
                    fx.send(&ToDevice::Begin(steps))?;
                }
                Ok(Said::Done(true)) => fx.send(&ToDevice::Done)?,
                Ok(Said::Done(false)) | Err(_) => {}
            },
            Event::Peer(At(at)) => fx.console(&serde_json::json!({ "at": at }))?,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alongside_mode::{Capabilities, Side, harness::Pair};
    use serde_json::json;

    use super::*;

    fn begun(granted: Capabilities) -> Pair<Checklist> {
        let mut pair = Pair::started(granted);
        pair.from_console(&json!({ "begin": [
            { "text": "Open the door", "x": 10, "y": 20 },
            { "text": "Close\u{7} the door", "x": 30, "y": 40 },
        ] }));
        pair
    }

    fn shown(pair: &Pair<Checklist>) -> Vec<&str> {
        pair.notices().iter().map(|line| line.as_str()).collect()
    }

    #[test]
    fn the_customer_is_led_from_step_to_step() {
        let mut pair = begun(Capabilities::VIEW | Capabilities::ANNOTATE);
        pair.from_console(&json!({ "done": true }));
        pair.from_console(&json!({ "done": true }));
        assert_eq!(
            shown(&pair),
            [
                "Step 1 of 2: Open the door",
                "Step 2 of 2: Close the door",
                "All steps are done"
            ]
        );
        let at = PanelPoint::from_pixels(10, 20);
        assert_eq!(
            pair.annotations()[0],
            Annotation::Pointer { at, color: DUE }
        );
        assert_eq!(pair.annotations().last(), Some(&Annotation::PointerGone));
        assert_eq!(pair.console().last(), Some(&json!({ "at": 2 })));
    }

    #[test]
    fn without_permission_to_draw_the_steps_stand_in_words() {
        let mut pair = begun(Capabilities::VIEW);
        pair.from_console(&json!({ "done": true }));
        assert_eq!(shown(&pair).len(), 2);
        assert!(pair.annotations().is_empty());
        assert_eq!(pair.failure(Side::Device), None);
    }

    #[test]
    fn nonsense_is_no_order() {
        let mut pair = begun(Capabilities::VIEW);
        for message in [json!(null), json!({ "begin": 3 }), json!({ "done": "yes" })] {
            pair.from_console(&message);
        }
        assert_eq!(shown(&pair).len(), 1);
        assert_eq!(pair.failure(Side::Operator), None);
    }

    #[test]
    fn how_far_it_went_is_in_the_record() {
        let mut pair = begun(Capabilities::VIEW);
        pair.stop(StopReason::Left);
        assert_eq!(pair.audits()[0].as_str(), "0 of 2 steps done");
    }
}
