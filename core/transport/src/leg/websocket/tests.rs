use std::{collections::VecDeque, sync::Arc, task::Waker, time::Duration};

use alongside_protocol::fuzzing::mutations;
use proptest::prelude::*;

use super::{frame::encode, *};

fn frame(bytes: &[u8], side: Side) -> Result<Vec<Vec<u8>>, FrameError> {
    let mut decoder = Decoder::new(side);
    decoder.feed(bytes);
    let mut packets = Vec::new();
    while let Some(message) = decoder.next_message()? {
        if let Message::Packet(packet) = message {
            packets.push(packet.to_vec());
        }
    }
    Ok(packets)
}

#[test]
fn frames_are_those_of_the_standard() {
    // RFC 6455, section 5.7, with binary in place of text.
    let unmasked = [0x82, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    let masked = [
        0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    for (side, mask, golden) in [
        (Side::Client, None, &unmasked[..]),
        (Side::Server, Some([0x37, 0xfa, 0x21, 0x3d]), &masked[..]),
    ] {
        let mut out = Vec::new();
        encode(&mut out, Message::Packet(b"Hello"), mask);
        assert_eq!(out, golden);
        assert_eq!(frame(golden, side).unwrap(), [b"Hello"]);
        for cut in 0..golden.len() {
            assert_eq!(frame(&golden[..cut], side).unwrap(), [b""; 0], "{cut}");
        }
    }
    let fragments = [
        0x02, 0x03, 0x48, 0x65, 0x6c, 0x89, 0x00, 0x80, 0x02, 0x6c, 0x6f,
    ];
    assert_eq!(frame(&fragments, Side::Client).unwrap(), [b"Hello"]);
    // RFC 6455, section 1.3.
    assert_eq!(
        accept("dGhlIHNhbXBsZSBub25jZQ=="),
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
}

#[test]
fn what_is_no_packet_ends_the_stream() {
    for (bytes, error) in [
        (&[0x81, 0x01, 0x41][..], FrameError::NotAPacket),
        (&[0x83, 0x00], FrameError::NotAPacket),
        (&[0xc2, 0x01, 0x41], FrameError::Malformed),
        (&[0x82, 0x81, 0, 0, 0, 0, 0x41], FrameError::Malformed),
        (&[0x80, 0x01, 0x41], FrameError::Malformed),
        (&[0x02, 0x01, 0x41, 0x82, 0x01, 0x41], FrameError::Malformed),
        (&[0x09, 0x00], FrameError::Malformed),
        (&[0x82, 0x7e, 0x00, 0x05], FrameError::Malformed),
        (&[0x82, 0x7e, 0x05, 0xdd], FrameError::TooLong),
        (&[0x82, 0x7f], FrameError::TooLong),
        (&[0x89, 0x7e, 0x00, 0x7e], FrameError::TooLong),
    ] {
        assert_eq!(frame(bytes, Side::Client).unwrap_err(), error, "{bytes:x?}");
    }
    let mut fragments = vec![0x02, 0x7e, 0x05, 0xdc];
    fragments.extend([0; 1500]);
    fragments.extend([0x80, 0x01, 0x41]);
    assert_eq!(frame(&fragments, Side::Client), Err(FrameError::TooLong));
}

proptest! {
    /// However a stream is cut, the packets come out whole and in order.
    #[test]
    fn packets_survive_any_cut(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1500), 0..8),
        chunk in 1_usize..3000,
        mask in any::<Option<[u8; 4]>>(),
    ) {
        let mut stream = Vec::new();
        for packet in &packets {
            encode(&mut stream, Message::Packet(packet), mask);
        }
        let side = if mask.is_some() { Side::Server } else { Side::Client };
        let (mut decoder, mut got) = (Decoder::new(side), Vec::new());
        for piece in stream.chunks(chunk) {
            decoder.feed(piece);
            while let Some(Message::Packet(packet)) = decoder.next_message().unwrap() {
                got.push(packet.to_vec());
            }
        }
        prop_assert_eq!(got, packets);
    }
}

#[test]
fn no_mutation_of_a_stream_does_harm() {
    let mut seed = Vec::new();
    encode(&mut seed, Message::Packet(b"\x41packet"), None);
    encode(&mut seed, Message::Ping(b"x"), None);
    encode(&mut seed, Message::Packet(&[7; 200]), Some([1, 2, 3, 4]));
    let fragments: &[u8] = &[0x02, 0x01, 0x48, 0x00, 0x01, 0x48, 0x80, 0x02, 0x6c, 0x6f];
    mutations(&[&seed, fragments], 10_000, crate::fuzzing::websocket);
}

#[tokio::test]
async fn a_client_and_a_server_agree_and_packets_pass_both_ways() {
    let (mut ours, mut theirs) = tokio::io::duplex(64);
    let client = tokio::spawn(async move {
        let rest = ask(&mut ours, "relay.example").await.unwrap();
        (ours, rest)
    });
    let (head, rest) = Head::read(&mut theirs, b"GET ").await.unwrap();
    assert_eq!(rest, b"");
    let answered = answer(&head).unwrap();
    theirs.write_all(answered.as_bytes()).await.unwrap();
    let (ours, rest) = client.await.unwrap();

    let queues = [
        Arc::new(PacketQueue::new(16)),
        Arc::new(PacketQueue::new(16)),
    ];
    for n in 0..10 {
        assert!(queues[0].push(&[n; 1200]) && queues[1].push(&[n; 40]));
    }
    let got = [const { VecDeque::<Vec<u8>>::new() }; 2].map(std::sync::Mutex::new);
    let both = async {
        tokio::join!(
            carry(ours, Side::Client, rest, &queues[0], |packet| got[0]
                .lock()
                .unwrap()
                .push_back(packet.to_vec())),
            carry(theirs, Side::Server, Vec::new(), &queues[1], |packet| {
                let mut got = got[1].lock().unwrap();
                got.push_back(packet.to_vec());
                if got.len() == 10 {
                    queues[0].close();
                }
            }),
        )
    };
    let (ours, theirs) = both.await;
    assert!(matches!(ours, StreamEnd::ClosedHere), "{ours:?}");
    assert!(matches!(theirs, StreamEnd::Closed), "{theirs:?}");
    let expected: VecDeque<Vec<u8>> = (0..10).map(|n| vec![n; 1200]).collect();
    assert_eq!(*got[1].lock().unwrap(), expected);
    assert!(!queues[0].push(b"too late"));
}

#[tokio::test]
async fn an_answer_that_is_not_ours_is_told_apart() {
    for (text, refused) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", Some(403)),
        ("HTTP/1.1 200 OK\r\n\r\n", Some(200)),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            None,
        ),
    ] {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(text.as_bytes()).await.unwrap();
        let error = ask(&mut ours, "relay.example").await.unwrap_err();
        match refused {
            Some(code) => {
                assert!(matches!(error, UpgradeError::Refused { status } if status == code))
            }
            None => assert!(matches!(error, UpgradeError::NotOurs), "{error:?}"),
        }
    }
}

#[test]
fn only_a_request_for_packets_is_answered() {
    let good = "GET /leg HTTP/1.1\r\nHost: r\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: chat, alongside-leg/1\r\n\r\n";
    let answered = |text: &str| {
        let (head, _) = Head::parse(text.as_bytes()).unwrap().unwrap();
        answer(&head)
    };
    assert!(
        answered(good)
            .unwrap()
            .contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    );
    for (from, to) in [
        ("GET", "POST"),
        ("/leg", "/legs"),
        ("WebSocket", "h2c"),
        ("keep-alive, Upgrade", "keep-alive"),
        ("13", "8"),
        ("dGhl", "dGh"),
        ("alongside-leg/1", "alongside-leg/2"),
    ] {
        assert_eq!(answered(&good.replacen(from, to, 1)), None, "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_shows_every_20_s_that_it_lives_and_a_dead_one_is_given_up() {
    let (ours, mut theirs) = tokio::io::duplex(4096);
    let queue = PacketQueue::new(16);
    let start = tokio::time::Instant::now();
    let listen = async {
        let mut pings = Vec::new();
        while let Ok(first) = tokio::io::AsyncReadExt::read_u8(&mut theirs).await {
            let mut rest = [0; 5];
            tokio::io::AsyncReadExt::read_exact(&mut theirs, &mut rest)
                .await
                .unwrap();
            if first == 0x89 {
                pings.push(start.elapsed().as_secs());
            }
            if pings.len() == 2 {
                break;
            }
        }
        pings
    };
    let carry = carry(ours, Side::Client, Vec::new(), &queue, |_| {});
    let both = async { tokio::join!(carry, listen) };
    let (end, pings) = both.await;
    assert_eq!(pings, [20, 40]);
    assert!(matches!(end, StreamEnd::Silent), "{end:?}");
    assert_eq!(start.elapsed(), Duration::from_secs(60));
}

#[test]
fn a_full_queue_drops_and_tells_when_there_is_room() {
    let queue = PacketQueue::new(2);
    let mut cx = std::task::Context::from_waker(Waker::noop());
    assert!(queue.poll_room(&mut cx, 2).is_ready() && queue.poll_room(&mut cx, 3).is_pending());
    assert!(queue.push(b"1") && queue.push(b"2") && !queue.push(b"3"));
    assert!(!queue.has_room(1));
    queue.close();
    assert!(queue.has_room(1) && !queue.push(b"4"));
}
