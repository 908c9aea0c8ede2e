//! No record, no act: what is kept on both sides, and what a store that does not keep it leads to.

use std::{
    fs,
    sync::{Arc, Condvar, Mutex},
};

use alongside::{
    DeviceEvent, OperatorEvent,
    audit::{
        AuditError, AuditLog, AuditStore, Entry, Expect, Lines, MemoryAudit, Summary, files, verify,
    },
    device,
    operator::Until,
    protocol::{
        PanelPoint,
        annotation::Annotation,
        reason::{EndReason, Party},
        units::Color,
    },
    status::{CodeRefusal, Status},
};
use tokio::sync::watch;

use crate::{
    panel::TestPanel,
    world::{DeviceSide, OperatorSide, World, line, secs},
};

/// A store whose door can be shut, and which can fail.
#[derive(Debug)]
struct Gate {
    kept: MemoryAudit,
    door: Mutex<Door>,
    moved: Condvar,
    is_held: watch::Sender<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    Shut,
    Broken,
}

impl Gate {
    fn new(door: Door) -> Arc<Self> {
        Arc::new(Self {
            kept: MemoryAudit::default(),
            door: Mutex::new(door),
            moved: Condvar::new(),
            is_held: watch::Sender::new(false),
        })
    }

    fn set(&self, door: Door) {
        *self.door.lock().unwrap() = door;
        self.moved.notify_all();
    }

    /// Waits until something stands at the shut door. From then on virtual time stands still.
    async fn held(&self) {
        let mut is_held = self.is_held.subscribe();
        is_held.wait_for(|held| *held).await.unwrap();
    }

    fn names(&self) -> Vec<&'static str> {
        self.kept.entries().iter().map(Entry::name).collect()
    }
}

impl AuditStore for Gate {
    fn append(&self, entries: &[Entry]) -> Result<(), AuditError> {
        let mut door = self.door.lock().unwrap();
        while *door == Door::Shut {
            self.is_held.send_replace(true);
            door = self.moved.wait(door).unwrap();
        }
        self.is_held.send_replace(false);
        if *door == Door::Broken {
            return Err(AuditError::Store("no space left".into()));
        }
        self.kept.append(entries)
    }
}

fn device(world: &World, gate: &Arc<Gate>) -> DeviceSide {
    let panel = TestPanel::new(320, 240);
    let gate = Arc::clone(gate);
    world.device_as(panel, device::Until::Stopped, |device| {
        device.with_audit(gate)
    })
}

async fn session(world: &World, gate: &Arc<Gate>) -> (DeviceSide, OperatorSide) {
    let (mut device, mut operator) = (device(world, gate), world.operator());
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    operator.connected().await;
    (device, operator)
}

async fn draw(operator: &OperatorSide) {
    let at = PanelPoint::from_pixels(10, 10);
    let color = Color::rgb(255, 0, 0);
    operator
        .handle
        .draw(Annotation::Pointer { at, color })
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn both_sides_keep_an_audit_that_can_be_verified() {
    let world = World::new(line(15));
    let mut device = world.device();
    let (operator, handle, events) = world.operator_at_rest();
    let theirs = world.folder("operator");
    fs::create_dir(&theirs).unwrap();
    let identity = Arc::new(alongside::Identity::generate().unwrap());
    let operator = operator.with_audit(Arc::new(AuditLog::new(&theirs, identity)));
    let mut operator = OperatorSide {
        handle,
        events,
        task: tokio::spawn(operator.run(Until::Stopped)),
    };
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device.connected().await;
    operator.connected().await;
    device.handle.exit().await.unwrap();
    operator.ended().await;
    operator.handle.end().await.unwrap();
    operator.task.await.unwrap().unwrap();
    device.handle.stop().await.unwrap();
    device.task.await.unwrap();

    let (ours, theirs) = (read(&world, "device"), read(&world, "operator"));
    for audit in [&ours, &theirs] {
        let Summary {
            sessions,
            open_session,
            unsigned,
            ..
        } = verify(audit, &Expect::default()).unwrap();
        assert_eq!((sessions, open_session, unsigned), (1, None, 0));
    }
    assert_eq!(
        names(&ours),
        [
            "checkpoint",
            "attempt-charged",
            "session-started",
            "mode-activated",
            "checkpoint",
            "operator",
            "mode-ended",
            "session-ended",
            "checkpoint",
            "countersigned",
            "countersigned",
            "checkpoint"
        ]
    );
    assert!(names(&theirs).contains(&"device".to_owned()));
    assert_eq!(session_of(&ours), session_of(&theirs));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_drawn_before_its_record_is_durable() {
    let world = World::new(line(15));
    let gate = Gate::new(Door::Open);
    let (mut device, operator) = session(&world, &gate).await;
    tokio::time::sleep(secs(1)).await;
    gate.set(Door::Shut);
    draw(&operator).await;
    gate.held().await;
    assert_eq!(device.panel.drawn(), []);
    gate.set(Door::Open);
    device
        .event(|event| matches!(event, DeviceEvent::Annotation(_)).then_some(()))
        .await;
    assert!(gate.names().contains(&"released"), "{:?}", gate.names());
    assert_eq!(device.panel.drawn().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn exit_does_not_wait_for_a_disk_that_hangs_and_drops_what_waited_for_it() {
    let world = World::new(line(15));
    let gate = Gate::new(Door::Open);
    let (mut device, mut operator) = session(&world, &gate).await;
    tokio::time::sleep(secs(1)).await;
    gate.set(Door::Shut);
    draw(&operator).await;
    gate.held().await;
    device.handle.exit().await.unwrap();
    assert!(matches!(
        device.shown.last(),
        Status::Ended {
            by: Party::Customer,
            reason: EndReason::Exit
        }
    ));
    let points = |drawn: &Annotation| matches!(drawn, Annotation::Pointer { .. });
    assert!(!device.panel.drawn().iter().any(points));
    gate.set(Door::Open);
    assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    assert_eq!(operator.ended().await, (Party::Customer, EndReason::Exit));
    device.handle.stop().await.unwrap();
    device.task.await.unwrap();
    assert_eq!(gate.names().last(), Some(&"session-ended"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_write_ends_the_session_on_both_sides() {
    let world = World::new(line(15));
    let gate = Gate::new(Door::Open);
    let (mut device, mut operator) = session(&world, &gate).await;
    tokio::time::sleep(secs(1)).await;
    gate.set(Door::Broken);
    draw(&operator).await;
    let failed = (Party::Device, EndReason::RecordFailed);
    assert_eq!(device.ended().await, failed);
    assert_eq!(operator.ended().await, failed);
    let points = |drawn: &Annotation| matches!(drawn, Annotation::Pointer { .. });
    assert!(!device.panel.drawn().iter().any(points));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_writes_lets_no_session_begin() {
    let world = World::new(line(15));
    let gate = Gate::new(Door::Broken);
    let mut device = device(&world, &gate);
    let mut operator = world.operator();
    let code = operator.code().await;
    device.enter(&code).await.unwrap();
    device
        .event(|event| {
            matches!(event, DeviceEvent::CodeRefused(CodeRefusal::RecordFailed)).then_some(())
        })
        .await;
    assert_eq!(gate.names(), [] as [&str; 0]);
    // No guess was tested: the code lives on.
    gate.set(Door::Open);
    device.enter(&code).await.unwrap();
    device.connected().await;
    operator
        .event(|event| matches!(event, OperatorEvent::Connected(_)).then_some(()))
        .await;
}

pub fn read(world: &World, name: &str) -> Vec<u8> {
    files(&world.folder(name))
        .unwrap()
        .iter()
        .flat_map(|path| fs::read(path).unwrap())
        .collect()
}

pub fn names(audit: &[u8]) -> Vec<String> {
    Lines::new(audit, Expect::default())
        .map(|line| line.unwrap().record)
        .collect()
}

fn session_of(audit: &[u8]) -> String {
    Lines::new(audit, Expect::default())
        .find_map(|line| line.unwrap().session)
        .unwrap()
}
