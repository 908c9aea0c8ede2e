//! A mode that does whatever it is told to, good or bad, and what its host makes of it.

use std::{sync::Mutex, time::Duration};

use alongside_protocol::{
    Bytes, PanelSize,
    annotation::{Annotation, StrokeId},
    input::{Buttons, PointerEvent, PointerPhase},
    units::{Color, PanelPoint, Pressure},
};
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    Delivery, Effect, Effects, Event, GiveUp, Grant, Granted, Half, HostEvent, Line, Mode, Refused,
    Start, StopReason,
};

struct Puppet;

/// What the puppet is told to do.
#[derive(Clone, Serialize, Deserialize)]
enum Order {
    Annotate,
    TakeBack,
    Flood(u32),
    DrawThenPanic,
    DrawThenGiveUp,
    Point,
    Count,
    LongLatest,
    Console,
}

impl Mode for Puppet {
    const MANIFEST: &'static str = r#"{ "id": "test.puppet", "name": "Puppet", "version": "0.1.0", "vendor": "Test",
        "abi": 1, "wire": [1, 1], "peer": [1, 1], "capabilities": ["view", "annotate"], "consent": "notice",
        "why": { "view": "To look", "annotate": "To draw" } }"#;
    type ToOperator = Vec<u8>;
    type ToDevice = Order;
    type Device = AtDevice;
    type Operator = AtOperator;
}

#[derive(Default)]
struct AtDevice {
    heard: u32,
}

fn pointer() -> Annotation {
    Annotation::Pointer {
        at: PanelPoint::default(),
        color: Color::rgb(1, 2, 3),
    }
}

impl Half for AtDevice {
    type Sends = Vec<u8>;
    type Hears = Order;

    fn on_event(
        &mut self,
        at: Duration,
        event: Event<Order>,
        fx: &mut Effects<'_, Vec<u8>>,
    ) -> Result<(), GiveUp> {
        let Event::Peer(order) = event else {
            return Ok(());
        };
        self.heard += 1;
        match order {
            Order::Annotate => {
                let granted = fx.annotate(&pointer())?;
                fx.send(&vec![u8::from(granted == Granted::Yes)])?;
            }
            Order::TakeBack => assert_eq!(fx.annotate(&Annotation::Clear), Ok(Granted::Yes)),
            Order::Flood(count) => {
                for id in 0..count {
                    let _ = fx.annotate(&Annotation::Undo(Some(StrokeId(id))))?;
                }
            }
            Order::DrawThenPanic => {
                let _ = fx.annotate(&pointer())?;
                panic!("index {} of three", self.heard + 2);
            }
            Order::DrawThenGiveUp => {
                let _ = fx.annotate(&pointer())?;
                return Err(GiveUp::new("enough"));
            }
            Order::Point => {
                let event = PointerEvent {
                    at: PanelPoint::default(),
                    phase: PointerPhase::Down,
                    buttons: Buttons::LEFT,
                    pressure: Pressure::FULL,
                };
                assert_eq!(fx.point(&event), Ok(Granted::No));
            }
            Order::Count => fx.send(&vec![
                u8::try_from(self.heard)?,
                u8::try_from(at.as_micros())?,
            ])?,
            Order::LongLatest => {
                assert_eq!(fx.send_latest(&vec![0; 1_000]), Err(Refused::Malformed))
            }
            Order::Console => assert_eq!(fx.console(&"hello"), Err(Refused::Unsupported)),
        }
        Ok(())
    }
}

#[derive(Default)]
struct AtOperator;

impl Half for AtOperator {
    type Sends = Order;
    type Hears = Vec<u8>;

    fn on_event(
        &mut self,
        _at: Duration,
        event: Event<Vec<u8>>,
        fx: &mut Effects<'_, Order>,
    ) -> Result<(), GiveUp> {
        if let Event::Unknown(kind) = event {
            fx.console(&kind)?;
        } else if let Event::Console(value) = event {
            fx.console(&value)?;
        }
        Ok(())
    }
}

static PUPPET: abi::Module = crate::module::<Puppet>();

fn device(granted: Capabilities) -> Instance {
    Instance::new(&PUPPET, Side::Device, granted).unwrap()
}

fn order(instance: &mut Instance, order: Order) -> Result<Vec<Effect>, ModeFailure> {
    let mut body = Vec::new();
    crate::body::put(&order, &mut body);
    instance.on_event(Duration::ZERO, &HostEvent::Peer(body.into()))
}

fn told_peer(bytes: &'static [u8]) -> Effect {
    Effect::Peer {
        delivery: Delivery::Reliable,
        body: Bytes::from_static(bytes),
    }
}

#[test]
fn effects_come_in_the_order_of_the_asking() {
    let effects = order(&mut device(Capabilities::ANNOTATE), Order::Annotate).unwrap();
    assert_eq!(effects, [Effect::Annotate(pointer()), told_peer(&[1, 1])]);
}

#[test]
fn a_denied_effect_is_dropped_and_counted_and_the_mode_goes_on() {
    let mut instance = device(Capabilities::VIEW);
    assert_eq!(
        order(&mut instance, Order::Annotate),
        Ok(vec![told_peer(&[1, 0])])
    );
    assert_eq!(
        order(&mut instance, Order::Annotate),
        Ok(vec![told_peer(&[1, 0])])
    );
    assert_eq!(instance.denied(), 2);
}

#[test]
fn nothing_is_granted_that_the_manifest_does_not_ask_for() {
    let mut instance = device(Capabilities::from_bits(u32::MAX));
    assert_eq!(
        instance.granted(),
        Capabilities::VIEW | Capabilities::ANNOTATE
    );
    assert_eq!(order(&mut instance, Order::Point), Ok(vec![]));
    instance.set_granted(Capabilities::INPUT);
    assert_eq!(instance.granted(), Capabilities::NONE);
}

#[test]
fn a_grant_counts_from_the_event_that_tells_of_it() {
    let mut instance = device(Capabilities::NONE);
    let tell = |instance: &mut Instance, granted| {
        instance
            .on_event(Duration::ZERO, &HostEvent::Grant(Grant { granted }))
            .unwrap();
    };
    tell(&mut instance, Capabilities::ANNOTATE);
    assert_eq!(order(&mut instance, Order::Annotate).unwrap().len(), 2);
    tell(&mut instance, Capabilities::NONE);
    assert_eq!(order(&mut instance, Order::Annotate).unwrap().len(), 1);
    assert_eq!(
        order(&mut instance, Order::TakeBack),
        Ok(vec![Effect::Annotate(Annotation::Clear)])
    );
}

#[test]
fn a_panic_leaves_no_half_done_effect_and_the_mode_is_not_called_again() {
    let mut instance = device(Capabilities::ANNOTATE);
    let failure = order(&mut instance, Order::DrawThenPanic).unwrap_err();
    let ModeFailure::Panicked { said: Some(said) } = &failure else {
        panic!("{failure}");
    };
    assert!(said.starts_with("index 3 of three at "), "{said}");
    assert!(
        said.contains("host/tests.rs:") || said.contains("host\\tests.rs:"),
        "{said}"
    );
    assert_eq!(instance.take_log()[0].text, *said);
    assert_eq!(
        order(&mut instance, Order::Count),
        Err(ModeFailure::AlreadyFailed)
    );
}

#[test]
fn a_mode_that_gives_up_says_why_and_its_effects_do_not_take_place() {
    let mut instance = device(Capabilities::ANNOTATE);
    let failure = order(&mut instance, Order::DrawThenGiveUp).unwrap_err();
    assert_eq!(failure.to_string(), "the mode gave up: enough");
    assert!(failure.is_final());
    assert_eq!(
        order(&mut instance, Order::Count),
        Err(ModeFailure::AlreadyFailed)
    );
}

/// A table that stays, as those of loaded modules do; a checker for leaks finds it here.
fn kept(table: abi::Module) -> &'static abi::Module {
    static KEPT: Mutex<Vec<&'static abi::Module>> = Mutex::new(Vec::new());
    let table = Box::leak(Box::new(table));
    KEPT.lock().unwrap().push(table);
    table
}

// Nothing of the ABI that the others do not touch, and minutes of it.
#[cfg_attr(miri, ignore = "long")]
#[test]
fn a_call_that_floods_gives_up_and_one_at_the_bound_does_not() {
    let bound = u32::try_from(MAX_CALL_EFFECTS).unwrap();
    let mut instance = device(Capabilities::NONE);
    assert_eq!(
        order(&mut instance, Order::Flood(bound)).unwrap().len(),
        MAX_CALL_EFFECTS
    );
    let failure = order(&mut instance, Order::Flood(bound + 1)).unwrap_err();
    assert_eq!(
        failure,
        ModeFailure::GaveUp {
            said: Some("too many effects in one call".to_owned())
        }
    );
}

#[test]
fn bytes_that_are_not_the_other_halfs_are_refused_and_the_mode_goes_on() {
    let mut instance = device(Capabilities::NONE);
    let forged = HostEvent::Peer(Bytes::from_static(&[250, 1]));
    let failure = instance.on_event(Duration::ZERO, &forged).unwrap_err();
    assert_eq!(
        failure,
        ModeFailure::Malformed {
            kind: crate::event::kind::PEER
        }
    );
    assert!(!failure.is_final());
    assert_eq!(
        order(&mut instance, Order::Count),
        Ok(vec![told_peer(&[2, 1, 0])])
    );
}

#[test]
fn time_comes_with_the_event() {
    let mut instance = device(Capabilities::NONE);
    let mut body = Vec::new();
    crate::body::put(&Order::Count, &mut body);
    let effects = instance.on_event(Duration::from_micros(42), &HostEvent::Peer(body.into()));
    assert_eq!(effects, Ok(vec![told_peer(&[2, 1, 42])]));
}

#[test]
fn each_half_has_only_the_effects_of_its_side() {
    order(&mut device(Capabilities::NONE), Order::Console).unwrap();
    let mut operator = Instance::new(&PUPPET, Side::Operator, Capabilities::NONE).unwrap();
    let effects = operator.on_event(Duration::ZERO, &HostEvent::Console(b" {\"a\": 1}".to_vec()));
    assert_eq!(effects, Ok(vec![Effect::Console(b"{\"a\":1}".to_vec())]));
}

#[test]
fn a_message_longer_than_a_datagram_is_refused_at_once() {
    order(&mut device(Capabilities::NONE), Order::LongLatest).unwrap();
}

#[test]
fn console_bytes_that_are_not_json_are_refused() {
    let mut operator = Instance::new(&PUPPET, Side::Operator, Capabilities::NONE).unwrap();
    let failure = operator
        .on_event(Duration::ZERO, &HostEvent::Console(b"{".to_vec()))
        .unwrap_err();
    assert_eq!(
        failure,
        ModeFailure::Malformed {
            kind: crate::event::kind::CONSOLE
        }
    );
}

#[test]
fn an_instance_moves_between_threads() {
    let mut instance = device(Capabilities::ANNOTATE);
    let counted = std::thread::spawn(move || order(&mut instance, Order::Count))
        .join()
        .unwrap();
    assert_eq!(counted, Ok(vec![told_peer(&[2, 1, 0])]));
}

#[test]
fn a_panic_outside_of_a_mode_is_still_the_processs() {
    let mut instance = device(Capabilities::NONE);
    order(&mut instance, Order::DrawThenPanic).unwrap_err();
    let thrown = std::panic::catch_unwind(|| panic!("ours")).unwrap_err();
    assert_eq!(thrown.downcast_ref::<&str>(), Some(&"ours"));
}

/// The puppet's table with one thing changed.
fn refusal(change: impl FnOnce(&mut abi::Module)) -> String {
    let mut table = crate::module::<Puppet>();
    change(&mut table);
    let unfit = Vetted::check(kept(table)).unwrap_err();
    unfit.to_string()
}

#[test]
fn each_unfit_module_has_its_own_sentence() {
    assert_eq!(
        refusal(|table| table.abi_version = 2 << 16),
        "built for mode ABI 2.0, and this host speaks 1.0; rebuild the mode with version 1 of alongside-mode",
    );
    assert_eq!(
        refusal(|table| table.struct_size = 8),
        "the module's table has 8 bytes, fewer than its ABI version says",
    );
    assert_eq!(
        refusal(|table| (table.wire_schema_min, table.wire_schema_max) = (2, 3)),
        "speaks wire schemas 2 to 3, and this host speaks 1",
    );
    assert_eq!(
        refusal(|table| table.wire_schema_max = 2),
        "the module and the manifest inside it disagree about `wire`",
    );
    assert_eq!(
        refusal(|table| table.manifest = abi::Slice::lend(b"\xff")),
        "the manifest inside the module is not text",
    );
    assert_eq!(
        refusal(|table| table.manifest = abi::Slice::lend(b"{}")),
        "the manifest inside the module is wrong",
    );
}

#[test]
fn a_newer_minor_version_is_welcome() {
    let mut table = crate::module::<Puppet>();
    table.abi_version = abi::VERSION + 5;
    table.struct_size += 16;
    assert!(Vetted::check(kept(table)).is_ok());
}

struct Stillborn;
#[derive(Default)]
struct Fine;
struct Broken;

impl Default for Broken {
    fn default() -> Self {
        panic!("no state to begin with")
    }
}

macro_rules! idle_half {
    ($half:ty) => {
        impl Half for $half {
            type Sends = ();
            type Hears = ();

            fn on_event(
                &mut self,
                _: Duration,
                _: Event<()>,
                _: &mut Effects<'_, ()>,
            ) -> Result<(), GiveUp> {
                Ok(())
            }
        }
    };
}
idle_half!(Fine);
idle_half!(Broken);

impl Mode for Stillborn {
    const MANIFEST: &'static str = Puppet::MANIFEST;
    type ToOperator = ();
    type ToDevice = ();
    type Device = Broken;
    type Operator = Fine;
}

#[test]
fn a_half_that_cannot_begin_says_why() {
    static STILLBORN: abi::Module = crate::module::<Stillborn>();
    let unfit = Instance::new(&STILLBORN, Side::Device, Capabilities::NONE).unwrap_err();
    let said = unfit.to_string();
    assert!(
        said.starts_with("cannot make the Device half: no state to begin with at "),
        "{said}"
    );
    assert!(Instance::new(&STILLBORN, Side::Operator, Capabilities::NONE).is_ok());
}

#[test]
fn a_module_sees_newer_kinds_as_unknown() {
    // The host of this crate sends none, so this goes around it.
    let kind = 4_000;
    assert_eq!(
        HostEvent::decode(kind, &[]),
        Err(crate::BodyError::UnknownKind(kind))
    );
    let mut operator = Instance::new(&PUPPET, Side::Operator, Capabilities::NONE).unwrap();
    assert_eq!(
        operator.tell_raw(kind, b"whatever"),
        Ok(vec![Effect::Console(b"4000".to_vec())])
    );
}

#[test]
fn stopping_is_an_event_like_any_other() {
    let mut instance = device(Capabilities::NONE);
    let start = Start {
        side: Side::Device,
        granted: Capabilities::ANNOTATE,
        protocol: 1,
        panel: PanelSize::new(100, 50).unwrap(),
        locale: "en".to_owned(),
    };
    assert_eq!(
        instance.on_event(Duration::ZERO, &HostEvent::Start(start)),
        Ok(vec![])
    );
    assert_eq!(instance.granted(), Capabilities::ANNOTATE);
    assert_eq!(
        instance.on_event(Duration::ZERO, &HostEvent::Stop(StopReason::Left)),
        Ok(vec![])
    );
}

#[cfg_attr(miri, ignore = "long, and safe code")]
#[test]
fn a_log_is_bounded_and_inert() {
    let mut staging = staging::Staging::new(Side::Device, Capabilities::NONE);
    for _ in 0..2 * MAX_LOG_LINES {
        staging.write(
            9,
            &[b"a\x1b[2J\n".as_slice(), &[b'x'; 2 * MAX_LOG_LINE_LEN]].concat(),
        );
    }
    assert_eq!(staging.log.len(), MAX_LOG_LINES);
    assert_eq!(staging.log[0].level, abi::LOG_TRACE);
    assert_eq!(staging.log[0].text.len(), MAX_LOG_LINE_LEN);
    assert!(staging.log[0].text.starts_with("a [2J x"));
}

#[test]
fn the_longest_line_fits_an_effect() {
    let line = Line::new(&"x".repeat(200)).unwrap();
    let mut body = Vec::new();
    Effect::Audit(line.clone()).encode(&mut body);
    assert_eq!(
        Effect::decode(crate::effect::kind::AUDIT, &body),
        Ok(Effect::Audit(line))
    );
}
