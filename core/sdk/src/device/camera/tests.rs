use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alongside_panel::Frame;
use alongside_protocol::{PanelSize, annotation::Annotation, label::Label};

use super::*;
use crate::{clock, ports::PanelInfo};

/// A panel of one colour, or one that cannot be captured any more.
#[derive(Debug)]
struct Plain {
    changes: watch::Sender<u64>,
    colour: Mutex<Option<u32>>,
    captures: AtomicUsize,
}

impl Plain {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            changes: watch::Sender::new(0),
            colour: Mutex::new(Some(0)),
            captures: AtomicUsize::new(0),
        })
    }

    fn paint(&self, colour: Option<u32>) {
        *self.colour.lock().expect("colour") = colour;
        self.changes.send_modify(|n| *n += 1);
    }

    fn captures(&self) -> usize {
        self.captures.load(Ordering::Relaxed)
    }
}

fn size() -> PanelSize {
    PanelSize::new(64, 64).expect("a size")
}

impl Panel for Plain {
    fn describe(&self) -> PanelInfo {
        PanelInfo {
            kind: Label::new("plain").expect("a label"),
            size: size(),
        }
    }

    fn capture(&self) -> Result<Capture, PanelError> {
        self.captures.fetch_add(1, Ordering::Relaxed);
        let colour = self.colour.lock().expect("colour");
        let colour = colour.ok_or_else(|| PanelError::Gone("no screen".into()))?;
        let frame = Frame::new(size(), vec![colour; 64 * 64]).expect("a frame");
        Ok(Arc::new(frame).into())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn annotate(&self, _annotation: &Annotation) {}
}

fn camera(panel: &Arc<Plain>) -> Camera {
    Camera::new(Arc::clone(panel) as Arc<dyn Panel>)
}

async fn colour(camera: &mut Camera) -> u32 {
    let capture = camera.next().await.expect("a picture");
    capture.frame.pixels()[0]
}

async fn is_quiet(camera: &mut Camera) -> bool {
    let next = tokio::time::timeout(Duration::from_secs(60), camera.next());
    next.await.is_err()
}

#[tokio::test(start_paused = true)]
async fn nothing_is_captured_until_a_picture_is_wanted() {
    let panel = Plain::new();
    let mut camera = camera(&panel);
    panel.paint(Some(1));
    assert!(is_quiet(&mut camera).await);
    assert_eq!(panel.captures(), 0);
    camera.want(Freshness::Now);
    assert_eq!(colour(&mut camera).await, 1);
    assert!(is_quiet(&mut camera).await, "one wish, one picture");
}

#[tokio::test(start_paused = true)]
async fn a_panel_at_rest_is_captured_once() {
    let panel = Plain::new();
    let mut camera = camera(&panel);
    for _ in 0..10 {
        camera.want(Freshness::Now);
        assert_eq!(colour(&mut camera).await, 0);
    }
    camera.want(Freshness::Changed);
    assert!(is_quiet(&mut camera).await);
    assert_eq!(panel.captures(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_captured_when_it_comes() {
    let panel = Plain::new();
    let mut camera = camera(&panel);
    camera.want(Freshness::Changed);
    assert_eq!(colour(&mut camera).await, 0, "the first is a change");
    camera.want(Freshness::Changed);
    let started = clock::now();
    let paint = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        panel.paint(Some(7));
    };
    let (seen, ()) = tokio::join!(colour(&mut camera), paint);
    assert_eq!(seen, 7);
    assert_eq!(clock::now() - started, Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn giving_up_the_wait_loses_no_picture() {
    let panel = Plain::new();
    let mut camera = camera(&panel);
    camera.want(Freshness::Now);
    // Polled once and dropped: the capture goes on without.
    let polled = std::future::poll_fn(|cx| {
        std::task::Poll::Ready(std::pin::pin!(camera.next()).poll(cx).is_ready())
    });
    assert!(!polled.await);
    assert_eq!(colour(&mut camera).await, 0);
    assert_eq!(panel.captures(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panel_that_is_gone_says_so() {
    let panel = Plain::new();
    let mut camera = camera(&panel);
    panel.paint(None);
    camera.want(Freshness::Now);
    assert!(matches!(camera.next().await, Err(PanelError::Gone(_))));
}
