//! Those who would break in, or break it.
//!
//! What TLS and the proof alone refuse is tested where they are: other keys, certificates, protocols and key
//! exchanges in the transport's `leg::tls`, flipped bits and reflected shares in the session's `proof`, legs that
//! are not paired in the relay's `meeting`.

use std::time::Duration;

use alongside::{
    DeviceEnd, OperatorEnd,
    protocol::{
        PanelSize,
        control::{Control, End, ModeAsk},
        frame::{Channel, to_frame},
        ids::ModeId,
        proof::{KIND_B, Proof},
        reason::{EndReason, Party},
        units::Millis,
    },
    status::{CodeRefusal, ConnectProblem},
    transport::{
        Connection, Lost,
        connection::close_code,
        memory::{self, MemoryConnection, PipeReader, PipeWriter},
    },
};
use alongside_panel::{
    Profile,
    message::{Open, ToOperator},
};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

use crate::{
    own_transport::{DEVICE, OPERATOR, device, issued, operator},
    rogue::{MALLORY, Rogue, pair},
    world::{DeviceSide, OperatorSide, Scratch, secs},
};

const PROTOCOL: (Party, EndReason) = (Party::Policy, EndReason::Protocol);

/// Moves bytes from one stream to the other until either ends.
async fn pipe(mut from: PipeReader, mut to: PipeWriter) {
    let mut chunk = [0; 4096];
    while let Ok(n) = from.read(&mut chunk).await {
        if n == 0 || to.write_all(&chunk[..n]).await.is_err() {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_ends_both_connections_and_passes_the_proof_on_gets_nowhere() {
    let scratch = Scratch::new();
    let (to_operator, mallory_device) = memory::pair(OPERATOR, MALLORY);
    let (mallory_operator, to_device) = memory::pair(MALLORY, DEVICE);
    let mut operator = operator(to_operator, issued(1));
    // The relay has announced its own key to the device, and the customer types the right code.
    let device = device(&scratch, to_device, MALLORY, 1);
    let middle = tokio::spawn(async move {
        let (back, there) = mallory_device.accept_bi().await.unwrap();
        let (forth, here) = mallory_operator.open_bi(0).await.unwrap();
        tokio::join!(pipe(there, forth), pipe(here, back));
    });
    let end = device.task.await.unwrap();
    assert!(
        matches!(end, DeviceEnd::Refused(CodeRefusal::Wrong { .. })),
        "{end:?}"
    );
    let end = (&mut operator.task).await.unwrap().unwrap();
    let OperatorEnd::NotProved(code) = end else {
        panic!("{end:?}");
    };
    assert_eq!(code.tries_left(), 2, "and it was a guess");
    middle.abort();
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_sends_the_operators_words_back_gets_nowhere() {
    let (to_operator, mallory) = memory::pair(OPERATOR, DEVICE);
    let operator = operator(to_operator, issued(1));
    let (back, there) = mallory.accept_bi().await.unwrap();
    let mirror = tokio::spawn(async move {
        let mut there = there;
        let mut id = [0];
        there.read_exact(&mut id).await.unwrap();
        pipe(there, back).await;
    });
    let end = timeout(secs(15), operator.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(matches!(end, OperatorEnd::NotProved(_)), "{end:?}");
    mirror.abort();
}

/// The operator's share of somebody who does not know the code.
fn guess() -> Proof {
    Proof::A {
        version: 1,
        method: 1,
        // The base point of ristretto255 (RFC 9496, appendix A.1).
        share: [
            0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00,
            0x51, 0x5f, 0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45,
            0xe0, 0x8d, 0x2d, 0x76,
        ],
    }
}

#[tokio::test(start_paused = true)]
async fn a_guess_at_the_devices_code_is_counted_before_it_is_answered() {
    let scratch = Scratch::new();
    for n in 1..=5 {
        let (mallory, to_device) = pair();
        let device = device(&scratch, to_device, OPERATOR, 1);
        let (mut send, mut recv) = mallory.open_bi(0).await.unwrap();
        send.write_all(&[Channel::Control.id()]).await.unwrap();
        send.write_all(&guess().to_frame()).await.unwrap();
        let mut answer = [0; 4];
        recv.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[3], KIND_B);
        // Whatever happens to the device now, the guess is on its disk.
        let kept = std::fs::read(scratch.path().join("device/entry")).unwrap();
        assert!(kept.iter().skip(10).any(|byte| *byte != 0) || n == 5);
        mallory.close(close_code::DONE, "");
        let end = device.task.await.unwrap();
        assert!(matches!(end, DeviceEnd::Refused(_)), "{end:?}");
    }
    let (_mallory, to_device) = pair();
    let end = device(&scratch, to_device, OPERATOR, 1).task.await.unwrap();
    assert!(
        matches!(end, DeviceEnd::Refused(CodeRefusal::EntryLocked { .. })),
        "{end:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_guess_that_cannot_be_counted_is_not_answered_and_no_other_is_taken() {
    let scratch = Scratch::new();
    // Something stands where the count would be written, as on a disk that is full or read-only.
    let in_the_way = scratch.path().join("device/entry.new");
    for _ in 0..7 {
        let (mallory, to_device) = pair();
        let device = device(&scratch, to_device, OPERATOR, 1);
        std::fs::create_dir_all(&in_the_way).unwrap();
        let (mut send, mut recv) = mallory.open_bi(0).await.unwrap();
        send.write_all(&[Channel::Control.id()]).await.unwrap();
        send.write_all(&guess().to_frame()).await.unwrap();
        let mut answer = Vec::new();
        let _over = recv.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "the guess was tested: {answer:?}");
        let end = device.task.await.unwrap();
        assert_eq!(end, DeviceEnd::Refused(CodeRefusal::RecordFailed));
    }
    std::fs::remove_dir(&in_the_way).unwrap();
    let (one, other) = pair();
    let _operator = operator(one, issued(1));
    device(&scratch, other, OPERATOR, 1).connected().await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_that_dribbles_or_is_silent_is_left_after_ten_seconds() {
    for dribbles in [false, true] {
        let scratch = Scratch::new();
        let (mallory, to_device) = pair();
        let device = device(&scratch, to_device, OPERATOR, 1);
        let start = Instant::now();
        let (mut send, _recv) = mallory.open_bi(0).await.unwrap();
        let dribble = tokio::spawn(async move {
            send.write_all(&[Channel::Control.id(), 0, 0, 34, 1])
                .await
                .unwrap();
            while dribbles && send.write_all(&[1]).await.is_ok() {
                tokio::time::sleep(secs(1)).await;
            }
            std::future::pending::<()>().await;
        });
        let end = device.task.await.unwrap();
        let refusal = CodeRefusal::NoConnection(ConnectProblem::OperatorUnreachable);
        assert_eq!(end, DeviceEnd::Refused(refusal));
        assert!(start.elapsed() <= secs(11), "{:?}", start.elapsed());
        dribble.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_that_speaks_anything_but_the_proof_is_refused_at_once() {
    let words: [&[u8]; 7] = [
        &[],
        &[0xff, 0xff, 0xff, 0x01],
        &[0x00, 0x10, 0x00, 0x01],
        &[0x00, 0x00, 0x00, 0xee],
        &[0x00, 0x00, 0x01, 0x12, 0x01],
        &to_frame(0x15, &[0, 0]),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    for word in words {
        let scratch = Scratch::new();
        let (mallory, to_device) = pair();
        let device = device(&scratch, to_device, OPERATOR, 1);
        let (mut send, _recv) = mallory.open_bi(0).await.unwrap();
        send.write_all(&[Channel::Control.id()]).await.unwrap();
        send.write_all(word).await.unwrap();
        if word.is_empty() {
            mallory.send_datagram(Bytes::from_static(b"hover")).unwrap();
        }
        let start = Instant::now();
        let end = device.task.await.unwrap();
        let refusal = CodeRefusal::NoConnection(ConnectProblem::Incompatible);
        assert_eq!(end, DeviceEnd::Refused(refusal), "{word:02x?}");
        assert!(start.elapsed() <= secs(2), "{word:02x?}");
        assert!(
            !scratch.path().join("device/entry").exists(),
            "no guess was made"
        );
    }
}

/// An operator in a session with a device that will do as it pleases.
async fn rogue_device() -> (OperatorSide, Rogue) {
    let (one, other) = pair();
    let mut operator = operator(one, issued(1));
    let rogue = Rogue::device(other, 1).await;
    operator.connected().await;
    (operator, rogue)
}

/// A device in a session with an operator that will do as it pleases.
async fn rogue_operator(scratch: &Scratch) -> (DeviceSide, Rogue) {
    let (one, other) = pair();
    let mut device = device(scratch, other, OPERATOR, 1);
    let rogue = Rogue::operator(one, 1).await;
    device.connected().await;
    (device, rogue)
}

/// The picture's first message, for a picture that is `width` by `height`, whatever those are.
fn open(width: u16, height: u16) -> Vec<u8> {
    let open = Open {
        seq: 1,
        epoch: 7,
        captured_at: Millis::new(0),
        size: PanelSize::new(320, 240).unwrap(),
        profile: Profile::default(),
    };
    let mut frame = ToOperator::Open(open).to_frame();
    // Behind header, version, number, epoch and time.
    frame[15..17].copy_from_slice(&width.to_be_bytes());
    frame[17..19].copy_from_slice(&height.to_be_bytes());
    frame
}

/// What no honest side of either role sends.
fn nonsense() -> Vec<(Channel, Vec<u8>)> {
    let mut nonsense = Vec::new();
    for channel in [Channel::Control, Channel::Mode, Channel::Panel] {
        let longest = channel.max_body();
        nonsense.extend([
            (channel, vec![0xff, 0xff, 0xff, 0x12]),
            (channel, to_frame(0x12, &vec![0; longest + 1])),
            (channel, to_frame(0xee, b"")),
            (channel, to_frame(0x00, &vec![0xa5; longest])),
            (channel, to_frame(0x01, &[0; 34])),
            (channel, to_frame(0x30, b"")),
            (channel, to_frame(0x20, &[])),
        ]);
    }
    nonsense
}

#[tokio::test(start_paused = true)]
async fn an_operator_ends_it_with_a_device_that_talks_nonsense() {
    let mut words = nonsense();
    let hello = to_frame(0x10, &[1; 64]);
    let ask = Control::from(ModeAsk {
        mode: ModeId::user_guide(),
    });
    words.extend([
        (Channel::Control, hello),
        (Channel::Control, ask.to_frame()),
        (Channel::Panel, open(u16::MAX, u16::MAX)),
        (Channel::Panel, open(4097, 16)),
        (Channel::Panel, open(0, 0)),
        (Channel::Panel, to_frame(0x31, &[0xff; 64])),
    ]);
    for (channel, word) in words {
        let shown = &word[..word.len().min(24)];
        let (mut operator, mut rogue) = rogue_device().await;
        let start = Instant::now();
        rogue.say(channel, &word).await;
        assert_eq!(operator.ended().await, PROTOCOL, "{channel:?} {shown:02x?}");
        assert!(start.elapsed() <= secs(2), "{channel:?} {shown:02x?}");
        let end = operator.task.await.unwrap().unwrap();
        assert!(matches!(end, OperatorEnd::Session { .. }), "{end:?}");
        assert_is_told(&rogue.connection, close_code::PROTOCOL).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_ends_it_with_an_operator_that_talks_nonsense() {
    let mut words = nonsense();
    let bulk = to_frame(0x40, b"settings, please");
    words.extend([
        (Channel::Control, to_frame(0x11, &[0])),
        (Channel::Control, to_frame(0x14, &[0; 16])),
        (Channel::Panel, open(320, 240)),
        (Channel::Bulk, bulk),
    ]);
    for (channel, word) in words {
        let shown = &word[..word.len().min(24)];
        let scratch = Scratch::new();
        let (mut device, mut rogue) = rogue_operator(&scratch).await;
        let start = Instant::now();
        rogue.say(channel, &word).await;
        assert_eq!(device.ended().await, PROTOCOL, "{channel:?} {shown:02x?}");
        assert!(start.elapsed() <= secs(2), "{channel:?} {shown:02x?}");
        let end = device.task.await.unwrap();
        assert!(matches!(end, DeviceEnd::Session { .. }), "{end:?}");
        assert!(!device.panel.is_held_awake());
        assert_is_told(&rogue.connection, close_code::PROTOCOL).await;
    }
}

/// That the other side closed the connection with this code.
async fn assert_is_told(connection: &MemoryConnection, expected: u32) {
    let lost = timeout(secs(5), connection.closed()).await.unwrap();
    assert!(
        matches!(lost, Lost::ClosedByPeer { code, .. } if code == expected),
        "{lost:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_can_be_is_taken_from_the_same_device() {
    let (mut operator, mut rogue) = rogue_device().await;
    rogue.say(Channel::Panel, &open(320, 240)).await;
    let update = operator
        .event(|event| match event {
            alongside::OperatorEvent::Panel(update) => Some(update),
            _ => None,
        })
        .await;
    assert_eq!(update.frame, 1);
}

#[tokio::test(start_paused = true)]
async fn neither_side_speaks_for_the_other_ones_person() {
    let (mut operator, mut rogue) = rogue_device().await;
    let end = Control::from(End {
        by: Party::Operator,
        reason: EndReason::OperatorEnded,
    });
    rogue.say(Channel::Control, &end.to_frame()).await;
    let told = operator.ended().await;
    assert_eq!(told, (Party::Device, EndReason::PeerClosed));

    let scratch = Scratch::new();
    let (mut device, mut rogue) = rogue_operator(&scratch).await;
    let end = Control::from(End {
        by: Party::Customer,
        reason: EndReason::Exit,
    });
    rogue.say(Channel::Control, &end.to_frame()).await;
    let told = device.ended().await;
    assert_eq!(told, (Party::Operator, EndReason::PeerClosed));
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_asks_without_end_and_does_not_listen_is_ended() {
    let scratch = Scratch::new();
    let (mut device, mut rogue) = rogue_operator(&scratch).await;
    let ask = Control::from(ModeAsk {
        mode: ModeId::new("operator-control").unwrap(),
    });
    let asks = ask.to_frame().repeat(1000);
    let flood = tokio::spawn(async move {
        for _ in 0..1000 {
            rogue.say(Channel::Control, &asks).await;
        }
        rogue
    });
    assert_eq!(device.ended().await, PROTOCOL);
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn a_flood_delays_no_exit() {
    let scratch = Scratch::new();
    let (mut device, mut rogue) = rogue_operator(&scratch).await;
    let flood = tokio::spawn(async move {
        let check = to_frame(0x12, &[1]).repeat(1000);
        loop {
            rogue.say(Channel::Control, &check).await;
            // A closed connection takes it all at once.
            tokio::task::yield_now().await;
        }
    });
    // Time stands still while anybody is busy.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    device.handle.exit().await.unwrap();
    assert_eq!(start.elapsed(), secs(0));
    assert_eq!(device.ended().await, (Party::Customer, EndReason::Exit));
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn whatever_comes_after_the_proof_each_side_ends_it_or_goes_on() {
    let scratch = Scratch::new();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap() % below
    };
    for n in 0..200 {
        let (mut device, mut operator, mut rogue) = if n % 2 == 0 {
            let (operator, rogue) = rogue_device().await;
            (None, Some(operator), rogue)
        } else {
            let (device, rogue) = rogue_operator(&scratch).await;
            (Some(device), None, rogue)
        };
        for _ in 0..8 {
            let channel = [Channel::Control, Channel::Mode, Channel::Panel][random(3)];
            let kinds = [
                0x10, 0x12, 0x13, 0x14, 0x16, 0x17, 0x20, 0x21, 0x30, 0x31, 0x32, 0x38, 0x39,
            ];
            let body: Vec<u8> = (0..random(40))
                .map(|_| [0, 1, 2, 7, 0x7f, 0x80, 0xff][random(7)])
                .collect();
            rogue
                .say(channel, &to_frame(kinds[random(kinds.len())], &body))
                .await;
            if random(4) == 0 {
                let _ = rogue.connection.send_datagram(Bytes::from(body));
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        // It still answers its own side, whatever became of the session.
        if let Some(operator) = &mut operator {
            let _ = operator.handle.end().await;
            let end = timeout(secs(5), &mut operator.task).await.unwrap();
            assert!(matches!(end.unwrap(), Ok(OperatorEnd::Session { .. })));
        }
        if let Some(device) = &mut device {
            let _ = device.handle.exit().await;
            let end = timeout(secs(5), &mut device.task).await.unwrap();
            assert!(matches!(end.unwrap(), DeviceEnd::Session { .. }));
        }
    }
}
