//! A device's panel and customer that remember what happened to them.

use std::sync::{Arc, Mutex};

use alongside::{
    Frame,
    ports::{Awake, Capture, Customer, Panel, PanelError, PanelInfo},
    protocol::{PanelSize, annotation::Annotation, label::Label},
    status::Status,
};
use tokio::{sync::watch, time::Instant};

/// A panel whose picture the test paints.
#[derive(Debug)]
pub struct TestPanel {
    frame: Mutex<Arc<Frame>>,
    changes: watch::Sender<u64>,
    drawn: Mutex<Vec<Annotation>>,
    awake: Mutex<Awake>,
}

impl TestPanel {
    pub fn new(width: u16, height: u16) -> Arc<Self> {
        let size = PanelSize::new(width, height).unwrap();
        Arc::new(Self {
            frame: Mutex::new(Arc::new(picture(size, 1))),
            changes: watch::Sender::new(0),
            drawn: Mutex::default(),
            awake: Mutex::new(Awake::Release),
        })
    }

    /// Shows another picture.
    pub fn paint(&self, number: u32) {
        let mut frame = self.frame.lock().unwrap();
        *frame = Arc::new(picture(frame.size(), number));
        self.changes.send_modify(|n| *n += 1);
    }

    pub fn shows(&self) -> Arc<Frame> {
        Arc::clone(&self.frame.lock().unwrap())
    }

    pub fn drawn(&self) -> Vec<Annotation> {
        self.drawn.lock().unwrap().clone()
    }

    pub fn is_held_awake(&self) -> bool {
        *self.awake.lock().unwrap() == Awake::Hold
    }
}

impl Panel for TestPanel {
    fn describe(&self) -> PanelInfo {
        PanelInfo {
            kind: Label::new("test").unwrap(),
            size: self.shows().size(),
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        Ok(self.shows().into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn annotate(&self, annotation: &Annotation) {
        self.drawn.lock().unwrap().push(annotation.clone());
    }

    fn hold_awake(&self, hold: Awake) {
        *self.awake.lock().unwrap() = hold;
    }
}

/// A screen of plain areas with lines of something like text, another for each number.
pub fn picture(size: PanelSize, number: u32) -> Frame {
    let (width, height) = (u32::from(size.width()), u32::from(size.height()));
    let mut seed = number.wrapping_mul(0x9e37_79b9) | 1;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    let mut pixels = vec![0x00f0_f0f0; (width * height) as usize];
    for line in 0..height / 24 {
        let (ink, len) = (random() & 0x003f_3f3f, random() % width);
        for glyph in 0..len / 10 {
            let shape = random();
            for (bit, (dx, dy)) in (0..32).zip((0..8).flat_map(|y| (0..4).map(move |x| (x, y)))) {
                if shape >> bit & 1 == 1 {
                    let at = (line * 24 + 8 + dy) * width + glyph * 10 + dx * 2;
                    pixels[at as usize] = ink;
                }
            }
        }
    }
    Frame::new(size, pixels).unwrap()
}

/// Everything that the customer was shown, and when.
#[derive(Debug, Default)]
pub struct Shown(Mutex<Vec<(Instant, Status)>>);

impl Shown {
    pub fn last(&self) -> Status {
        let shown = self.0.lock().unwrap();
        shown.last().unwrap().1.clone()
    }

    /// When the session's end was shown.
    pub fn ended_at(&self) -> Option<Instant> {
        let shown = self.0.lock().unwrap();
        let ended = shown
            .iter()
            .find(|(_, status)| matches!(status, Status::Ended { .. }));
        ended.map(|(at, _)| *at)
    }
}

impl Customer for Shown {
    fn show(&self, status: &Status) {
        let mut shown = self.0.lock().unwrap();
        shown.push((Instant::now(), status.clone()));
    }

    fn locale(&self) -> String {
        "zh-TW".to_owned()
    }
}
