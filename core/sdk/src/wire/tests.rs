use std::task::Waker;

use alongside_protocol::{PublicKey, frame::to_frame};
use alongside_transport::{
    connection::close_code,
    memory::{self, MemoryConnection},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::*;
use crate::clock;

type TestWire = Wire<MemoryConnection>;

const LONG: Duration = Duration::from_secs(3600);

/// Operator's and device's end of one connection.
fn connections() -> (MemoryConnection, MemoryConnection) {
    memory::pair(PublicKey([1; 32]), PublicKey([2; 32]))
}

fn strangers() -> (TestWire, TestWire) {
    let (operator, device) = connections();
    (
        Wire::new(operator, Role::Opens),
        Wire::new(device, Role::Accepts),
    )
}

fn acquainted() -> (TestWire, TestWire) {
    let (mut operator, mut device) = strangers();
    operator.admit();
    device.admit();
    (operator, device)
}

/// What `wire` tells before it has to wait.
fn all(wire: &mut TestWire) -> Vec<Incoming> {
    let mut cx = Context::from_waker(Waker::noop());
    std::iter::from_fn(|| match pin!(wire.next()).poll(&mut cx) {
        Poll::Ready(incoming) => Some(incoming),
        Poll::Pending => None,
    })
    .take(100_000)
    .collect()
}

/// The frames and datagrams among that.
fn frames(wire: &mut TestWire) -> Vec<(Option<Channel>, Bytes)> {
    let told = all(wire).into_iter();
    told.filter_map(|incoming| match incoming {
        Incoming::Frame(channel, frame) => Some((Some(channel), frame.body)),
        Incoming::Datagram(datagram) => Some((None, datagram)),
        Incoming::Drained(_) | Incoming::Broken(_) | Incoming::Lost(_) => None,
    })
    .collect()
}

fn broken(wire: &mut TestWire) -> WireError {
    let broken = all(wire).into_iter().find_map(|incoming| match incoming {
        Incoming::Broken(error) => Some(error),
        Incoming::Frame(..) | Incoming::Drained(_) | Incoming::Datagram(_) | Incoming::Lost(_) => {
            None
        }
    });
    broken.expect("the other side is found out")
}

#[tokio::test]
async fn frames_arrive_whole_and_in_order_on_every_channel() {
    let (mut operator, mut device) = acquainted();
    for channel in Channel::ALL {
        for len in [0, 1, channel.max_body()] {
            operator.send(channel, to_frame(9, &vec![channel.id(); len]));
        }
    }
    let _drained = all(&mut operator);
    let mut arrived = Vec::new();
    for _ in 0..3 {
        arrived.extend(frames(&mut device));
        let _drained = all(&mut operator);
    }
    for channel in Channel::ALL {
        let lens: Vec<_> = arrived
            .iter()
            .filter(|(of, _)| *of == Some(channel))
            .map(|(_, body)| body.len())
            .collect();
        assert_eq!(lens, [0, 1, channel.max_body()], "{channel:?}");
    }
}

#[tokio::test]
async fn the_device_speaks_first_on_a_stream_that_the_operator_has_opened_for_it() {
    let (mut operator, mut device) = acquainted();
    device.send(Channel::Panel, to_frame(1, b"picture"));
    operator.open(&[Channel::Panel]);
    assert_eq!(frames(&mut operator), []);
    let _written = all(&mut device);
    let picture = Bytes::from_static(b"picture");
    assert_eq!(frames(&mut operator), [(Some(Channel::Panel), picture)]);
}

#[tokio::test]
async fn a_flood_on_one_channel_keeps_nothing_else_waiting() {
    for flooded in Channel::ALL {
        let (mut operator, mut device) = acquainted();
        for _ in 0..200 {
            operator.send(flooded, to_frame(1, b"flood"));
        }
        for channel in Channel::ALL {
            operator.send(channel, to_frame(2, b"word"));
        }
        operator.send_datagram(b"hover".to_vec());
        let _drained = all(&mut operator);
        let told = frames(&mut device);
        let place = |wanted: Option<Channel>| told.iter().position(|(of, _)| *of == wanted);
        for channel in Channel::ALL.into_iter().filter(|c| *c != flooded) {
            let place = place(Some(channel));
            assert!(
                place.is_some_and(|n| n < 10),
                "{channel:?} comes at {place:?}"
            );
        }
        let place = place(None);
        assert!(
            place.is_some_and(|n| n < 10),
            "the datagram comes at {place:?}"
        );
    }
}

#[tokio::test]
async fn room_is_told_once_for_each_time_that_a_channel_has_run_empty() {
    let (mut operator, mut device) = acquainted();
    device.send(Channel::Panel, to_frame(1, b"early"));
    device.send(Channel::Mode, to_frame(1, b"early"));
    operator.open(&[Channel::Mode, Channel::Panel]);
    let _opened = all(&mut operator);
    let drained = |wire: &mut TestWire| {
        let told = all(wire).into_iter();
        told.filter_map(|incoming| match incoming {
            Incoming::Drained(channel) => Some(channel),
            Incoming::Frame(..)
            | Incoming::Datagram(_)
            | Incoming::Broken(_)
            | Incoming::Lost(_) => None,
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(drained(&mut device), [Channel::Mode, Channel::Panel]);
    assert_eq!(drained(&mut device), []);
    device.send(Channel::Panel, to_frame(1, b"more"));
    assert_eq!(drained(&mut device), [Channel::Panel]);
}

#[tokio::test]
async fn a_stranger_has_one_channel_and_short_frames() {
    let (mut operator, mut device) = strangers();
    operator.send(Channel::Control, to_frame(1, &[0; proof::MAX_BODY]));
    operator.send(Channel::Mode, to_frame(1, b"too early"));
    let _sent = all(&mut operator);
    let told = frames(&mut device);
    assert_eq!(told.len(), 1, "{told:?}");
    device.admit();
    assert_eq!(frames(&mut device).len(), 1, "the mode's stream waited");
    operator.send(Channel::Control, to_frame(1, &[0; 4096]));
    let _sent = all(&mut operator);
    assert_eq!(frames(&mut device).len(), 1);
}

#[tokio::test]
async fn a_strangers_long_frame_is_refused_by_its_header() {
    let (mut operator, mut device) = strangers();
    operator.send(Channel::Control, to_frame(1, &[0; proof::MAX_BODY + 1]));
    let _sent = all(&mut operator);
    let WireError::Frame {
        channel: Channel::Control,
        ..
    } = broken(&mut device)
    else {
        panic!("refused for its length");
    };
}

#[tokio::test]
async fn a_stranger_that_begins_with_another_channel_is_refused() {
    let (operator, device) = connections();
    let mut device = Wire::new(device, Role::Accepts);
    let (mut send, _recv) = operator.open_bi(0).await.expect("a stream");
    send.write_all(&[Channel::Panel.id()])
        .await
        .expect("written");
    let id = Channel::Panel.id();
    assert!(matches!(broken(&mut device), WireError::Stream(n) if n == id));
}

#[tokio::test]
async fn streams_with_a_name_that_is_none_or_taken_are_refused() {
    for name in [0, 5, 255, Channel::Control.id()] {
        let (operator, device) = connections();
        let mut device = Wire::new(device, Role::Accepts);
        device.admit();
        let mut streams = Vec::new();
        for first in [Channel::Control.id(), name] {
            let (mut send, recv) = operator.open_bi(0).await.expect("a stream");
            send.write_all(&[first]).await.expect("written");
            streams.push((send, recv));
        }
        assert!(matches!(broken(&mut device), WireError::Stream(n) if n == name));
    }
}

#[tokio::test]
async fn a_frame_that_announces_more_than_its_channel_allows_is_refused_unread() {
    for channel in Channel::ALL {
        let (operator, device) = connections();
        let mut device = Wire::new(device, Role::Accepts);
        device.admit();
        let (mut send, _recv) = operator.open_bi(0).await.expect("a stream");
        send.write_all(&[channel.id(), 0xff, 0xff, 0xff, 1])
            .await
            .expect("written");
        assert!(
            matches!(broken(&mut device), WireError::Frame { .. }),
            "{channel:?}"
        );
    }
}

#[tokio::test]
async fn who_makes_us_speak_and_does_not_listen_is_found_out() {
    let (_operator, mut device) = acquainted();
    let reply = to_frame(1, &[0; 20]);
    let mut queued = 0;
    while device.unread.is_none() {
        device.send(Channel::Control, reply.clone());
        queued += reply.len();
        assert!(queued < 1 << 20, "the queue has no end");
    }
    assert!(matches!(
        broken(&mut device),
        WireError::Unread(Channel::Control)
    ));
}

#[tokio::test]
async fn a_stream_that_ends_while_the_connection_lives_is_told() {
    let (operator, device) = connections();
    let mut device = Wire::new(device, Role::Accepts);
    let (mut send, recv) = operator.open_bi(0).await.expect("a stream");
    send.write_all(&[Channel::Control.id()])
        .await
        .expect("written");
    send.write_all(&to_frame(1, b"last"))
        .await
        .expect("written");
    drop((send, recv));
    assert_eq!(
        frames(&mut device).len(),
        1,
        "what came before the end counts"
    );
    // Told once already, and no more of it.
    assert!(all(&mut device).is_empty());
    let (operator, device) = connections();
    let mut device = Wire::new(device, Role::Accepts);
    let (mut send, recv) = operator.open_bi(0).await.expect("a stream");
    send.write_all(&[Channel::Control.id()])
        .await
        .expect("written");
    drop((send, recv));
    assert!(matches!(
        broken(&mut device),
        WireError::Closed(Channel::Control)
    ));
}

#[tokio::test]
async fn what_came_before_the_close_is_told_before_it() {
    let (operator, device) = connections();
    let mut device = Wire::new(device, Role::Accepts);
    device.admit();
    let (mut send, _recv) = operator.open_bi(0).await.expect("a stream");
    send.write_all(&[Channel::Control.id()])
        .await
        .expect("written");
    assert_eq!(frames(&mut device).len(), 0);
    operator.close(close_code::PROOF, "not proved");
    for _ in 0..2 {
        let told = device.next().await;
        let Incoming::Lost(Lost::ClosedByPeer { code, .. }) = told else {
            panic!("{told:?}");
        };
        assert_eq!(code, close_code::PROOF);
    }
}

#[tokio::test(start_paused = true)]
async fn next_can_be_given_up_at_any_time() {
    let (mut operator, mut device) = acquainted();
    let mut seen = Vec::new();
    for n in 0..100_u32 {
        operator.send(Channel::Control, to_frame(1, &n.to_be_bytes()));
        operator.send(Channel::Panel, to_frame(1, &n.to_be_bytes()));
        // Each side is polled a little and dropped.
        let _given_up = timeout(Duration::from_millis(1), operator.next()).await;
        let _given_up = timeout(Duration::ZERO, std::future::pending::<()>()).await;
        if let Ok(Incoming::Frame(channel, frame)) =
            timeout(Duration::from_millis(1), device.next()).await
        {
            seen.push((channel, frame.body));
        }
    }
    let _sent = all(&mut operator);
    seen.extend(
        frames(&mut device)
            .into_iter()
            .filter_map(|(channel, body)| Some((channel?, body))),
    );
    for channel in [Channel::Control, Channel::Panel] {
        let numbers: Vec<_> = seen
            .iter()
            .filter(|(of, _)| *of == channel)
            .map(|(_, body)| body.as_ref().to_vec())
            .collect();
        let all: Vec<_> = (0..100_u32).map(|n| n.to_be_bytes().to_vec()).collect();
        assert_eq!(numbers, all, "{channel:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_is_read_before_the_close() {
    let (mut operator, mut device) = acquainted();
    operator.send(Channel::Control, to_frame(1, b"hello"));
    let _sent = all(&mut operator);
    assert_eq!(frames(&mut device).len(), 1);
    assert!(operator.has_last_word());
    assert!(!device.has_last_word());
    device.send(Channel::Control, to_frame(1, b"goodbye"));
    assert!(device.has_last_word());
    let start = clock::now();
    let read = async {
        let Incoming::Frame(Channel::Control, frame) = operator.next().await else {
            panic!("the goodbye comes first");
        };
        assert_eq!(frame.body.as_ref(), b"goodbye");
        operator.finish(Duration::ZERO, close_code::DONE, "").await;
    };
    tokio::join!(device.finish(LONG, close_code::DONE, "exit"), read);
    assert_eq!(clock::now(), start, "nobody waits for anybody");
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_nobody_reads_is_waited_for_only_so_long() {
    let (operator, device) = connections();
    let mut device = Wire::new(device, Role::Accepts);
    let (mut send, mut recv) = operator.open_bi(0).await.expect("a stream");
    send.write_all(&[Channel::Control.id()])
        .await
        .expect("written");
    let _accepted = all(&mut device);
    device.send(Channel::Control, to_frame(1, b"goodbye"));
    device.send(Channel::Panel, to_frame(1, b"nobody opened this"));
    let start = clock::now();
    device
        .finish(Duration::from_secs(1), close_code::DONE, "exit")
        .await;
    assert_eq!(clock::now() - start, Duration::from_secs(1));
    assert!(operator.closed().await != Lost::ClosedHere);
    let mut rest = Vec::new();
    let _closed = recv.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn at_the_end_only_the_control_channel_has_something_to_say() {
    let (mut operator, mut device) = acquainted();
    for channel in Channel::ALL {
        operator.send(channel, to_frame(1, b"last"));
    }
    operator.drop_scope();
    let _sent = all(&mut operator);
    let told = frames(&mut device);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, Some(Channel::Control));
}
