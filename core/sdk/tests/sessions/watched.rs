//! A session whose every stroke, change of mode and loss is noted down, on both sides.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alongside::{
    DeviceEvent, DeviceHandle, OperatorEvent, OperatorHandle, PathKind,
    audit::MemoryAudit,
    device::{self, AdminIdEntry},
    operator::OperatorError,
    ports::{AdminId, AdminVerdict},
    protocol::{
        annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
        control::ModeState,
        ids::ModeId,
        reason::{EndReason, ModePhase, Party},
        units::{Color, PanelPoint, Pressure},
    },
    status::{Link, Status},
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    panel::{Shown, TestPanel},
    world::{OperatorSide, World, patient, secs},
};

/// What one side was told.
#[derive(Debug, Default)]
pub struct Told {
    pub strokes: Vec<(Instant, u32)>,
    pub links: Vec<(Instant, Link)>,
    pub paths: Vec<(Instant, PathKind)>,
    pub mode: Option<ModeState>,
    pub ended: Option<(Party, EndReason)>,
    /// How the side itself ended, if it did.
    pub over: Option<String>,
}

impl Told {
    /// How often the connection was lost.
    pub fn losses(&self) -> usize {
        let lost = |link: &Link| matches!(link, Link::Lost { .. });
        self.links.iter().filter(|(_, link)| lost(link)).count()
    }

    pub fn way(&self) -> Option<PathKind> {
        self.paths.last().map(|(_, kind)| *kind)
    }
}

#[derive(Debug)]
struct Any;

impl AdminId for Any {
    fn verify(&self, _id: &str) -> AdminVerdict {
        AdminVerdict::Ok
    }
}

/// A session between the two sides of a [`World`].
pub struct Watched {
    pub world: World,
    pub panel: Arc<TestPanel>,
    pub shown: Arc<Shown>,
    pub device: DeviceHandle,
    pub operator: OperatorHandle,
    pub of_device: Arc<Mutex<Told>>,
    pub of_operator: Arc<Mutex<Told>>,
    /// Strokes that were accepted here, in order.
    pub drawn: Vec<u32>,
    next: u32,
}

impl Watched {
    /// Brings both into a session; `None` if the network is too bad for that within two minutes.
    pub async fn start(world: World) -> Option<Self> {
        let panel = TestPanel::new(160, 120);
        let mut device = world.device_as(Arc::clone(&panel), device::Until::Stopped, |device| {
            device
                .with_admin_id(Arc::new(Any))
                .with_audit(Arc::new(MemoryAudit::default()))
        });
        let meet = async {
            // A line that loses every fifth packet may want another try.
            for _ in 0..4 {
                let mut operator: OperatorSide = world.operator();
                let Ok(code) = operator.handle.code(secs(600), None).await else {
                    continue;
                };
                if device.enter(&code.digits).await.is_ok() && device.is_connected().await {
                    operator.connected().await;
                    return Some(operator);
                }
            }
            None
        };
        let operator = timeout(secs(240), meet).await.ok()??;
        let (of_device, of_operator): (Arc<Mutex<Told>>, Arc<Mutex<Told>>) = Default::default();
        let (mut events, told) = (device.events, Arc::clone(&of_device));
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                note_device(&mut told.lock().unwrap(), event);
            }
        });
        let (task, told) = (operator.task, Arc::clone(&of_operator));
        tokio::spawn(async move {
            let end = format!("{:?}", task.await);
            told.lock().unwrap().over = Some(end);
        });
        let (mut events, told) = (operator.events, Arc::clone(&of_operator));
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                note_operator(&mut told.lock().unwrap(), event);
            }
        });
        Some(Self {
            world,
            panel,
            shown: device.shown,
            device: device.handle,
            operator: operator.handle,
            of_device,
            of_operator,
            drawn: Vec::new(),
            next: 1,
        })
    }

    /// Draws one stroke, if the operator's side takes it now.
    pub async fn draw(&mut self) {
        let id = self.next;
        let point = |n: u16| StrokePoint {
            at: PanelPoint::from_pixels(n * 9, 20),
            pressure: Pressure::FULL,
        };
        let stroke = Annotation::Stroke(Stroke {
            id: StrokeId(id),
            color: Color::rgb(255, 0, 0),
            width: StrokeWidth::new(4).unwrap(),
            points: vec![point(1), point(2)],
            done: true,
        });
        match patient(self.operator.draw(stroke)).await {
            Ok(()) => {
                self.next += 1;
                self.drawn.push(id);
            }
            Err(
                OperatorError::Congested
                | OperatorError::Interrupted
                | OperatorError::NotAllowed
                | OperatorError::NotConnected
                | OperatorError::Stopped,
            ) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Draws a stroke every 50 ms for so long.
    pub async fn draw_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.draw().await;
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks for another mode, or answers what is asked, as `dice` falls.
    pub async fn change_mode(&self, dice: u64) {
        let control = ModeId::new(ModeId::OPERATOR_CONTROL).unwrap();
        let guide = ModeId::new(ModeId::USER_GUIDE).unwrap();
        // Refusals are part of it.
        match dice % 6 {
            0 | 1 => drop(self.operator.mode(control).await),
            2 => drop(self.operator.mode(guide).await),
            3 => drop(self.device.refuse().await),
            4 => drop(self.device.take_back().await),
            _ => {
                let id = AdminIdEntry::new(zeroize(b"12345678"));
                drop(self.device.allow(id).await);
            }
        }
    }

    /// Has the user guide on both sides again, and forgets what did not come while modes changed.
    pub async fn go_home(&mut self) {
        let guide = ModeId::new(ModeId::USER_GUIDE).unwrap();
        sleep(secs(70)).await;
        drop(self.operator.mode(guide).await);
        sleep(secs(10)).await;
        let came = self.of_device.lock().unwrap().strokes.clone();
        self.drawn
            .retain(|id| came.iter().any(|(_, came)| came == id));
    }

    /// Longest time since `since` without a stroke on the panel.
    pub fn longest_gap(&self, since: Instant) -> Duration {
        let told = self.of_device.lock().unwrap();
        let times = told.strokes.iter().map(|(at, _)| *at);
        let mut times: Vec<Instant> = times.filter(|at| *at >= since).collect();
        times.insert(0, since);
        times.push(Instant::now());
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.max().unwrap()
    }

    /// Whether the picture here is the panel's, and known to be.
    pub fn sees(&self) -> bool {
        let panel = self.panel.shows();
        self.operator
            .screen()
            .with(|shown| shown.is_some_and(|shown| shown.exact && shown.frame == *panel))
    }

    /// How the picture here stands, for a test that fails.
    pub fn picture(&self) -> String {
        let panel = self.panel.shows();
        self.operator.screen().with(|shown| {
            shown.map_or_else(String::new, |shown| {
                let differ = (shown.frame.pixels().iter().zip(panel.pixels()))
                    .filter(|(a, b)| a != b)
                    .count();
                format!("exact {} differs in {differ}", shown.exact)
            })
        })
    }

    /// Waits until all that was drawn has come and the picture is the panel's; whether that was so in time.
    pub async fn settles_within(&self, time: Duration) -> bool {
        let settled = async {
            loop {
                let came = self.of_device.lock().unwrap().strokes.len();
                if came >= self.drawn.len() && self.sees() && self.modes_agree() {
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(time, settled).await.is_ok()
    }

    /// Whether both sides say the same of the last mode that one of them told of.
    pub fn modes_agree(&self) -> bool {
        let key = |told: &Mutex<Told>| {
            let told = told.lock().unwrap();
            let state = told.mode.as_ref()?;
            Some((state.mode.clone(), state.phase))
        };
        let active = self.active();
        let (device, operator) = (key(&self.of_device), key(&self.of_operator));
        // The operator hears of its own questions too.
        active.is_some()
            && (device == operator
                || operator.as_ref().map(|(_, phase)| *phase) != Some(ModePhase::Active))
    }

    /// The mode that the customer is shown.
    pub fn active(&self) -> Option<ModeId> {
        match self.shown.last() {
            Status::Active(active) => Some(active.mode),
            _ => None,
        }
    }

    /// Forgets what came before a connection was lost: nothing of that is sent again.
    pub fn begin_afresh(&mut self) {
        self.drawn.clear();
        self.of_device.lock().unwrap().strokes.clear();
    }

    /// Every stroke that was accepted has come once, in order.
    pub fn assert_all_came_in_order(&self, what: &str) {
        let told = self.of_device.lock().unwrap();
        let came: Vec<u32> = told.strokes.iter().map(|(_, id)| *id).collect();
        assert_eq!(came, self.drawn, "{what}");
    }
}

fn zeroize(id: &[u8]) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(String::from_utf8(id.to_vec()).unwrap())
}

fn note_device(told: &mut Told, event: DeviceEvent) {
    let now = Instant::now();
    match event {
        DeviceEvent::Annotation(Annotation::Stroke(stroke)) if stroke.done => {
            told.strokes.push((now, stroke.id.0));
        }
        DeviceEvent::Link(link) => told.links.push((now, link)),
        DeviceEvent::Path(path) => told.paths.push((now, path.kind)),
        DeviceEvent::Mode(state) => told.mode = Some(state),
        DeviceEvent::Ended { by, reason } => told.ended = Some((by, reason)),
        _ => {}
    }
}

fn note_operator(told: &mut Told, event: OperatorEvent) {
    let now = Instant::now();
    match event {
        OperatorEvent::Link(link) => told.links.push((now, link)),
        OperatorEvent::Path(path) => told.paths.push((now, path.kind)),
        OperatorEvent::Mode(state) => told.mode = Some(state),
        OperatorEvent::Ended { by, reason } => told.ended = Some((by, reason)),
        _ => {}
    }
}
