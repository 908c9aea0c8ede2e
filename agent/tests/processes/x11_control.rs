//! An operator who operates other programs on an X screen, and a customer whose hand comes first.

use std::{process::Command, sync::mpsc::Receiver, thread, time::Duration};

use alongside::{
    protocol::{
        PanelSize, PublicKey, SessionId, ids::ModeId, input::PointerPhase, label::Name,
        reason::ModePhase,
    },
    status::{Active, Ask, Banner, Link, OperatorIdentity, Status},
};
use alongside_agent::{
    panel::mfd::{Allowed, Mfd, Preferences, Target},
    text::Locale,
};
use serde_json::json;

use crate::{
    administrator::{GREY, RIGHT, WRONG, set},
    agent::Agent,
    common::{
        foreign::{Foreign, Seen, What, first},
        is_lab,
        x11::{Running, Server, xwd},
    },
    world::{World, meet, pixels},
};

const WIDTH: usize = 800;

/// A device with an X screen, an operator, and the customer's hand.
struct Lab {
    server: Server,
    world: World,
    operator: Agent,
    device: Agent,
    customer: Foreign,
}

impl Lab {
    fn new() -> Self {
        let server = Server::start();
        let world = World::new();
        assert_eq!(set(&world, RIGHT).status.code(), Some(0));
        let mut operator = world.operator();
        let mut command = world.command("device", "device");
        command.args(["--panel", "x11", "--x11-display", &server.display]);
        let mut device = world.start(command, "device");
        device.event("ready");
        meet(&mut operator, &mut device);
        let customer = Foreign::new(&server.display);
        Self {
            server,
            world,
            operator,
            device,
            customer,
        }
    }

    fn start(&self, command: &mut Command) -> Running {
        Running::start(command.env("DISPLAY", &self.server.display))
    }

    /// The operator asks for control; the question stands on the screen.
    fn ask(&mut self) {
        // Right of any program that draws here.
        let (x, y) = place(&mut asked(), Target::EnterId);
        let before = self.around(x, y);
        self.operator
            .ok(json!({"do": "mode", "mode": ModeId::OPERATOR_CONTROL}));
        assert_eq!(self.device.event("asked")["wants_admin_id"], true);
        while self.around(x, y) == before {}
    }

    fn control(&mut self) {
        self.ask();
        self.device.ok(json!({"do": "allow", "admin_id": RIGHT}));
        self.in_control();
    }

    /// Waits until the operator may act and the question is off the screen and out of the picture.
    fn in_control(&mut self) {
        self.operator.until("control", |line| {
            line["mode"] == ModeId::OPERATOR_CONTROL && line["state"] == "active"
        });
        // A letter of some program may have a pixel of that grey.
        while self.covered() > 1_000 {
            self.operator.event("panel");
        }
    }

    /// Pixels of the operator's exact picture that are covered.
    fn covered(&mut self) -> usize {
        let file = self.world.path("seen.png");
        while self.operator.ok(json!({"do": "snapshot", "file": file}))["exact"] != true {
            self.operator.event("panel");
        }
        let rows = pixels(&file);
        rows.chunks_exact(3).filter(|pixel| *pixel == GREY).count()
    }

    /// The pixels of a small square of the screen.
    fn around(&self, x: i32, y: i32) -> Vec<u32> {
        let screen = xwd(&self.server.display);
        let rows = (y - 8..y + 8).map(|row| row as usize * WIDTH + x as usize);
        rows.flat_map(|at| screen[at - 8..at + 8].to_vec())
            .collect()
    }

    fn click(&mut self, (x, y): (i32, i32)) {
        for (phase, buttons) in [("down", 1), ("up", 0)] {
            self.operator
                .ok(json!({"do": "pointer", "x": x, "y": y, "phase": phase, "buttons": buttons}));
            assert_eq!(self.device.event("injected")["ok"], true);
        }
    }

    /// The operator takes control and holds a key and a button; what the screen sees from then on, and the key's code.
    fn hold(&mut self) -> (Receiver<Seen>, u8) {
        self.control();
        let seen = Foreign::watch(&self.server.display);
        self.key("x", true);
        self.operator
            .ok(json!({"do": "pointer", "x": 300, "y": 300, "phase": "down", "buttons": 1}));
        first(&seen, What::Press);
        let (code, _) = self.customer.code(u32::from('x'));
        (seen, code)
    }

    fn key(&mut self, key: &str, down: bool) {
        self.operator
            .ok(json!({"do": "key", "key": key, "down": down}));
        assert_eq!(self.device.event("injected")["ok"], true, "{key}");
    }
}

/// A layer like the device's while it asks, which tells where its controls are.
fn asked() -> Mfd {
    let mut mfd = Mfd::overlay(
        PanelSize::new(800, 600).expect("a size"),
        Preferences {
            allowed: Allowed::Off,
            locale: Locale::English,
            ..Preferences::default()
        },
    );
    mfd.show(&Status::Active(Active {
        session: SessionId([0; 16]),
        operator: OperatorIdentity {
            key: PublicKey([0; 32]),
            name: Name::new("Dana").ok(),
            organisation: None,
            confirmed_by: None,
        },
        mode: ModeId::user_guide(),
        phase: ModePhase::Active,
        link: Link::Ok,
        ask: Some(Ask {
            mode: ModeId::new(ModeId::OPERATOR_CONTROL).expect("a mode"),
            is_renewal: false,
            wants_admin_id: true,
            expires_in: Duration::from_secs(60),
            differences: None,
        }),
        refused: None,
        idle_ends_in: None,
        banner: Banner::Shown,
    }));
    mfd
}

fn place(mfd: &mut Mfd, target: Target) -> (i32, i32) {
    mfd.find(target)
        .expect("a control on the screen")
        .to_pixels()
}

/// Touches it on the mirror; answers where it was.
fn touch(mfd: &mut Mfd, target: Target) -> (i32, i32) {
    let at = mfd.find(target).expect("a control on the screen");
    mfd.touch(at, PointerPhase::Down);
    mfd.touch(at, PointerPhase::Up);
    at.to_pixels()
}

#[test]
fn on_an_x_screen_nothing_of_the_id_reaches_the_operator_and_control_is_the_customers_to_give() {
    if !is_lab("consent on a real X screen needs Xvfb, galculator and xwd") {
        return;
    }
    let mut lab = Lab::new();
    let _program = lab.start(&mut Command::new("galculator"));
    let calculator = lab.customer.window("galculator");
    let (width, height) = lab.customer.place(calculator, (0, 200));

    // A no.
    lab.ask();
    lab.customer.click(place(&mut asked(), Target::Refuse));
    let refused = lab
        .operator
        .until("refused", |line| line["state"] == "refused");
    assert_eq!(refused["reason"], "customer");

    // A yes with a wrong ID, then with the right one; the operator sees one flat colour all the while.
    lab.ask();
    let mut mirror = asked();
    let area: usize = mirror
        .masked()
        .iter()
        .map(|mask| usize::from(mask.width) * usize::from(mask.height))
        .sum();
    while lab.covered() != area {
        lab.operator.event("panel");
    }
    let seen = lab.operator.told.len();
    let wrong = lab
        .device
        .refused(json!({"do": "allow", "admin_id": WRONG}), "admin-id-wrong");
    assert_eq!(wrong["tries_left"], 2);
    lab.customer.click(touch(&mut mirror, Target::EnterId));
    for digit in RIGHT.chars() {
        lab.customer
            .click(touch(&mut mirror, Target::IdLetter(digit)));
    }
    assert_eq!(lab.covered(), area);
    let told = &lab.operator.told[seen..];
    assert!(told.iter().all(|line| line["event"] != "panel"), "{told:?}");
    lab.customer.click(touch(&mut mirror, Target::ConfirmId));
    lab.in_control();

    // The operator's clicks compute two and three.
    for (x, y) in [(100, 280), (230, 320), (165, 280), (295, 300)] {
        lab.click((x * width / 331, 200 + y * height / 343));
    }
    lab.key("Control_L", true);
    lab.key("c", true);
    lab.key("c", false);
    lab.key("Control_L", false);
    while lab.customer.clipboard().as_deref() != Some("5") {}

    // The person at the panel wins, and leaves.
    lab.customer.move_to((400, 400));
    lab.operator
        .until("pause", |line| line["state"] == "paused");
    lab.customer.click(place(&mut asked(), Target::Exit));
    for side in [&mut lab.operator, &mut lab.device] {
        assert_eq!(side.event("ended")["reason"], "exit");
    }
}

#[test]
fn a_program_on_an_x_screen_gets_the_text_that_was_sent_under_the_grant_and_no_other() {
    if !is_lab("typing on a real X screen needs Xvfb, xterm and xwd") {
        return;
    }
    let mut lab = Lab::new();
    let file = lab.world.path("typed");
    let mut command = Command::new("xterm");
    command.args(["-geometry", "80x20+0+200", "-e", "sh", "-c"]);
    command.arg(format!("cat > '{}'", file.display()));
    let _program = lab.start(&mut command);
    let terminal = lab.customer.window("xterm");
    lab.customer.place(terminal, (0, 200));
    lab.customer.move_to((200, 300));
    lab.operator
        .refused(json!({"do": "text", "text": "before"}), "not-allowed");
    lab.control();
    let text = "Dear #1 & {2}: \u{e4}\u{20ac}\u{4e2d}!\n";
    lab.operator
        .ok(json!({"do": "pointer", "x": 200, "y": 300, "phase": "hover", "buttons": 0}));
    lab.operator.ok(json!({"do": "text", "text": text}));
    lab.device.until("typed", |line| {
        line["event"] == "injected" && line["kind"] == "text" && line["ok"] == true
    });
    while std::fs::read_to_string(&file)
        .unwrap_or_default()
        .lines()
        .count()
        < 1
    {}
    lab.operator.kill();
    let typed = std::fs::read_to_string(&file).expect("a file");
    assert!(typed.starts_with("Dear #1 & {2}: "), "{typed:?}");
    assert!(!typed.contains("before"), "{typed:?}");
}

#[test]
fn what_a_killed_operator_held_is_let_go() {
    if !is_lab("a lost hand on a real X screen needs Xvfb and xwd") {
        return;
    }
    let mut lab = Lab::new();
    let (seen, code) = lab.hold();
    lab.operator.kill();
    first(&seen, What::Release);
    first(&seen, What::KeyUp(code));
}

#[test]
fn what_a_killed_agent_held_is_let_go_when_it_starts_again() {
    if !is_lab("a killed agent on a real X screen needs Xvfb and xwd") {
        return;
    }
    let mut lab = Lab::new();
    let (seen, code) = lab.hold();
    lab.device.kill();
    let mut command = lab.world.command("device", "device");
    command.args(["--panel", "x11", "--x11-display", &lab.server.display]);
    let mut again = lab.world.start(command, "device");
    again.event("ready");
    // Which of the two comes first is the server's to choose.
    let mut open = vec![What::Release, What::KeyUp(code)];
    while !open.is_empty() {
        let next = seen
            .recv_timeout(Duration::from_secs(30))
            .expect("a release");
        open.retain(|what| *what != next.what);
    }
}

/// `t_exit_storm`: the operator's hand does 10,000 things a second and holds the stop key itself; the customer holds it.
#[test]
fn the_stop_key_held_by_the_customer_ends_a_storm_of_input_and_held_by_the_operator_nothing() {
    if !is_lab("a storm of input on a real X screen needs Xvfb and xwd") {
        return;
    }
    let mut lab = Lab::new();
    lab.control();
    let seen = Foreign::watch(&lab.server.display);
    // Nothing but the operator's own `#` is held for longer than the customer's.
    lab.key("#", true);
    let (hash, _) = lab.customer.code(u32::from('#'));
    let (shift, _) = lab.customer.code(0xffe1);
    let began = first(&seen, What::KeyDown(hash)).time;
    let Lab {
        operator,
        device,
        customer,
        ..
    } = &mut lab;
    let (pressed, last) = thread::scope(|scope| {
        let storm = scope.spawn(move || {
            // 100 moves each 10 ms for 9 s; whoever is not asked any more is gone.
            for n in 0..900 {
                let moves: Vec<String> = (0..100)
                    .map(|m| {
                        let (x, y) = (100 + (n + m) % 500, 300 + m % 200);
                        json!({"do": "pointer", "x": x, "y": y, "phase": "hover", "buttons": 0})
                            .to_string()
                    })
                    .collect();
                if operator.try_write(moves.join("\n").as_bytes()).is_err() {
                    return;
                }
                thread::sleep(Duration::from_millis(10));
            }
        });
        // The operator's `#` alone for a second.
        while seen_until(&seen, |seen| seen.time.wrapping_sub(began) >= 1_000).is_none() {}
        customer.key(shift, true);
        customer.key(hash, true);
        let pressed = first(&seen, What::KeyDown(hash)).time;
        assert_eq!(device.event("ended")["reason"], "stop-key");
        let last = seen
            .try_iter()
            .filter(|seen| seen.what == What::Motion)
            .map(|seen| seen.time)
            .collect::<Vec<_>>();
        storm.join().expect("the storm ends");
        (pressed, last)
    });
    let (first_late, newest) = (
        last.iter().find(|time| time.wrapping_sub(pressed) > 2_500),
        last.last()
            .expect("there was a storm")
            .wrapping_sub(pressed),
    );
    assert!(first_late.is_some(), "it went on after the pause");
    assert!(newest <= 5_200, "{newest} ms after the key went down");
    println!("stop key held to the last injection: {newest} ms");
}

/// The next thing seen for which this holds, if it is the next.
fn seen_until(seen: &Receiver<Seen>, holds: impl Fn(&Seen) -> bool) -> Option<Seen> {
    seen.recv_timeout(Duration::from_secs(30))
        .ok()
        .filter(|seen| holds(seen))
}
