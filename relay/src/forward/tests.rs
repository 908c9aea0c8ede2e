#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests"
)]

use quinn::udp::{EcnCodepoint, RecvMeta, Transmit};

use super::{join::Joiner, *};

const OWN: LegToken = LegToken(*b"relay-me");
const A: LegToken = LegToken([0xa; 8]);
const B: LegToken = LegToken([0xb; 8]);
const C: LegToken = LegToken([0xc; 8]);
const MTU: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    to: SocketAddr,
    bytes: Vec<u8>,
    segment: Option<usize>,
    ecn: Option<EcnCodepoint>,
    from: Option<IpAddr>,
}

impl From<&Transmit<'_>> for Sent {
    fn from(transmit: &Transmit<'_>) -> Self {
        Self {
            to: transmit.destination,
            bytes: transmit.contents.to_vec(),
            segment: transmit.segment_size,
            ecn: transmit.ecn,
            from: transmit.src_ip,
        }
    }
}

/// A short-header packet for `token`, told apart by `n`.
fn packet(token: LegToken, n: u8, len: usize) -> Vec<u8> {
    let mut packet = vec![0x40];
    packet.extend_from_slice(&token.0);
    packet.resize(len, n);
    packet
}

/// A first packet (long header, version 1) for `token`.
fn initial(token: LegToken, len: usize) -> Vec<u8> {
    let mut packet = vec![0xc0, 0, 0, 0, 1, 16];
    packet.extend_from_slice(&token.0);
    packet.resize(len, 0);
    packet
}

fn at(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n], 1000))
}

fn local() -> Option<IpAddr> {
    Some(IpAddr::from([198, 51, 100, 1]))
}

/// A (at 1) and B (at 2) are paired, C (at 3) is alone.
fn table_with(limits: &Limits) -> (Table, Meter) {
    let table = Table::new(OWN, limits);
    for (token, n) in [(A, 1), (B, 2), (C, 3)] {
        table.insert(token, at(n), local());
    }
    let meter = table.pair(A, B).unwrap();
    (table, meter)
}

fn table() -> Table {
    table_with(&Limits::default()).0
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "some instant to count from")]
    Instant::now()
}

/// What `table` sends on of `packets`, received as one buffer from `from`; and what is left for the relay.
fn route(
    table: &Table,
    from: SocketAddr,
    packets: &[Vec<u8>],
    max_segments: usize,
) -> (Vec<Sent>, Vec<u8>) {
    let mut buffer = packets.concat();
    let stride = packets.first().map_or(0, Vec::len);
    let meta = RecvMeta {
        addr: from,
        len: buffer.len(),
        stride,
        ecn: Some(EcnCodepoint::Ect0),
        dst_ip: None,
    };
    let mut sent = Vec::new();
    let kept = table.route(
        &table.read(),
        now(),
        &meta,
        &mut buffer,
        max_segments,
        |transmit| {
            sent.push(Sent::from(transmit));
            Ok(())
        },
    );
    buffer.truncate(kept);
    (sent, buffer)
}

#[test]
fn a_packet_of_the_paired_leg_goes_on_unchanged_with_its_ecn_from_the_legs_own_local_address() {
    let (sent, left) = route(&table(), at(1), &[packet(B, 1, MTU)], 64);
    let ecn = Some(EcnCodepoint::Ect0);
    assert_eq!(
        sent,
        [Sent {
            to: at(2),
            bytes: packet(B, 1, MTU),
            segment: None,
            ecn,
            from: local()
        }]
    );
    assert!(left.is_empty());
}

#[test]
fn nothing_gets_through_but_from_the_address_of_the_paired_leg() {
    let table = table();
    for (from, token) in [
        (at(3), B),
        (at(9), B),
        (at(2), B),
        (at(1), C),
        (at(3), A),
        (at(1), A),
    ] {
        for packet in [packet(token, 1, MTU), initial(token, 1200)] {
            assert_eq!(
                route(&table, from, &[packet], 64),
                (vec![], vec![]),
                "{from} to {token:?}"
            );
        }
    }
    table.part(A);
    assert_eq!(route(&table, at(1), &[packet(B, 1, MTU)], 64).0, []);
    assert_eq!(table.stats().forwarded, 0);
}

#[test]
fn the_relay_keeps_first_packets_and_its_own_and_drops_short_headers_of_nobody() {
    let table = table();
    let stranger = LegToken([9; 8]);
    let own = packet(OWN, 1, MTU);
    assert_eq!(
        route(&table, at(9), std::slice::from_ref(&own), 64),
        (vec![], own)
    );
    let first = initial(stranger, 1200);
    assert_eq!(
        route(&table, at(9), std::slice::from_ref(&first), 64),
        (vec![], first)
    );
    assert_eq!(
        route(&table, at(9), &[packet(stranger, 1, MTU)], 64),
        (vec![], vec![])
    );
    assert_eq!(
        route(&table, at(9), &[vec![0; MTU]], 64),
        (vec![], vec![]),
        "no fixed bit"
    );
    assert_eq!(route(&table, at(9), &[vec![]], 64), (vec![], vec![]));
}

#[test]
fn a_joined_buffer_is_split_into_runs_of_one_token() {
    let table = table();
    let own = packet(OWN, 7, MTU);
    let packets = [
        packet(B, 1, MTU),
        packet(B, 2, MTU),
        packet(C, 3, MTU),
        own.clone(),
        packet(B, 4, MTU),
        packet(B, 5, 50),
    ];
    let (sent, left) = route(&table, at(1), &packets, 64);
    assert_eq!(left, own);
    let runs: Vec<_> = sent
        .iter()
        .map(|sent| (sent.bytes.clone(), sent.segment))
        .collect();
    assert_eq!(
        runs,
        [
            ([packet(B, 1, MTU), packet(B, 2, MTU)].concat(), Some(MTU)),
            ([packet(B, 4, MTU), packet(B, 5, 50)].concat(), Some(MTU)),
        ]
    );
    let stats = table.stats();
    assert_eq!(
        (
            stats.forwarded,
            stats.forwarded_bytes,
            stats.denied,
            stats.own
        ),
        (4, 350, 1, 1)
    );
}

#[test]
fn a_run_is_cut_to_what_the_kernel_sends_at_once() {
    let packets: Vec<_> = (0..5).map(|n| packet(B, n, MTU)).collect();
    let (sent, _) = route(&table(), at(1), &packets, 2);
    let sizes: Vec<_> = sent
        .iter()
        .map(|sent| (sent.bytes.len(), sent.segment))
        .collect();
    assert_eq!(sizes, [(200, Some(MTU)), (200, Some(MTU)), (100, None)]);
    let (sent, _) = route(&table(), at(1), &packets, 1);
    assert!(
        sent.iter()
            .all(|sent| sent.segment.is_none() && sent.bytes.len() == MTU)
    );
    assert_eq!(sent.len(), 5);
}

#[test]
fn both_directions_are_counted_for_the_access_line() {
    let (table, meter) = table_with(&Limits::default());
    route(&table, at(1), &[packet(B, 1, MTU)], 64);
    route(&table, at(2), &[packet(A, 1, 70), packet(A, 2, 70)], 64);
    assert_eq!(
        meter.read(),
        Traffic {
            to_device: 100,
            to_operator: 140
        }
    );
}

#[test]
fn a_meeting_sends_no_more_than_its_rate() {
    let limits = Limits {
        meeting_kbps: 500,
        meeting_burst_bytes: 65_536,
        ..Limits::default()
    };
    let (table, meter) = table_with(&limits);
    for _ in 0..1000 {
        route(&table, at(1), &[packet(B, 1, 1000)], 64);
    }
    let sent = meter.read().to_device;
    assert!((65_000..70_000).contains(&sent), "{sent}");
    assert_eq!(
        route(&table, at(2), &[packet(A, 1, 1000)], 64).0.len(),
        1,
        "each direction has its own"
    );
}

#[test]
fn a_leg_that_moved_is_heard_at_once_and_gets_little_more_than_it_sends_until_proved() {
    let table = table();
    assert!(table.move_to(A, at(5), local()));
    assert!(!table.move_to(A, at(5), local()));
    assert_eq!(
        route(&table, at(1), &[packet(B, 1, MTU)], 64).0,
        [],
        "the old address is nobody's now"
    );
    let to_a = |table: &Table| route(table, at(2), &[packet(A, 1, 1024)], 64).0.len();
    assert_eq!((0..100).filter(|_| to_a(&table) == 1).count(), 64);
    assert_eq!(route(&table, at(5), &[packet(B, 1, 1024)], 64).0.len(), 1);
    assert_eq!((0..100).filter(|_| to_a(&table) == 1).count(), 3);
    for n in [6, 5] {
        assert!(table.move_to(A, at(n), local()));
        assert_eq!(to_a(&table), 0, "moving on earns nothing");
    }
    table.prove(A, at(4));
    assert_eq!(to_a(&table), 0, "proof for another address is none");
    table.prove(A, at(5));
    assert_eq!((0..100).filter(|_| to_a(&table) == 1).count(), 100);
}

#[test]
fn packets_are_joined_only_with_their_like_and_none_after_a_short_one() {
    let mut joiner = Joiner::default();
    let mut sent = Vec::new();
    let push =
        |joiner: &mut Joiner, sent: &mut Vec<Sent>, to: u8, len: usize, segment: Option<usize>| {
            let contents = vec![to; len];
            let transmit = Transmit {
                destination: at(to),
                ecn: None,
                contents: &contents,
                segment_size: segment,
                src_ip: None,
            };
            let _ = joiner.push(&transmit, 4, |transmit| {
                sent.push(Sent::from(transmit));
                Ok(())
            });
        };
    for (to, len, segment) in [
        (1, 100, None),
        (1, 200, Some(100)),
        (1, 50, None),
        (1, 100, None),
        (2, 100, None),
        (2, 400, Some(100)),
        (2, 100, None),
    ] {
        push(&mut joiner, &mut sent, to, len, segment);
    }
    let _ = joiner.flush(|transmit| {
        sent.push(Sent::from(transmit));
        Ok(())
    });
    let sizes: Vec<_> = sent
        .iter()
        .map(|sent| (sent.to, sent.bytes.len(), sent.segment))
        .collect();
    assert_eq!(
        sizes,
        [
            (at(1), 350, Some(100)),
            (at(1), 100, None),
            (at(2), 100, None), // five segments are one too many
            (at(2), 400, Some(100)),
            (at(2), 100, None),
        ]
    );
}

#[test]
fn a_full_socket_loses_packets_and_counts_them() {
    let table = table();
    let mut buffer = packet(B, 1, MTU);
    let meta = RecvMeta {
        addr: at(1),
        len: MTU,
        stride: MTU,
        ecn: None,
        dst_ip: None,
    };
    table.route(&table.read(), now(), &meta, &mut buffer, 64, |_| {
        Err(std::io::ErrorKind::WouldBlock.into())
    });
    assert_eq!(table.stats().full, 1);
}

#[test]
fn whatever_bytes_come_nothing_is_made_up() {
    let mut seed = 1_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as u32
    };
    for _ in 0..10_000 {
        let mut data: Vec<u8> = [packet(B, 1, 60), initial(A, 60), packet(OWN, 2, 60)].concat();
        for _ in 0..next() % 8 {
            let at = next() as usize % data.len();
            data[at] = next().to_le_bytes()[0];
        }
        data.truncate(next() as usize % 181);
        data.insert(0, next().to_le_bytes()[0]);
        crate::fuzzing::route(&data);
    }
}
