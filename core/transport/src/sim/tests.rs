use std::{future::poll_fn, io::IoSliceMut};

use quinn::udp::{RecvMeta, Transmit};

use super::*;

const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn send(socket: &Arc<dyn AsyncUdpSocket>, destination: SocketAddr, contents: &[u8]) {
    socket
        .try_send(&Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: None,
            src_ip: None,
        })
        .unwrap();
}

async fn receive(socket: &Arc<dyn AsyncUdpSocket>) -> (Vec<u8>, SocketAddr) {
    let (mut bytes, mut metas) = ([0; 2000], [RecvMeta::default()]);
    poll_fn(|cx| socket.poll_recv(cx, &mut [IoSliceMut::new(&mut bytes)], &mut metas))
        .await
        .unwrap();
    let [meta] = metas;
    (bytes[..meta.len].to_vec(), meta.addr)
}

async fn hears_nothing(socket: &Arc<dyn AsyncUdpSocket>) {
    assert!(
        tokio::time::timeout(ms(10_000), receive(socket))
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_packet_takes_the_delay_of_both_links() {
    let net = SimNet::new(1);
    let (a, b) = (
        net.host(A, Quality::with_delay(ms(20)), Nat::None),
        net.host(B, Quality::with_delay(ms(10)), Nat::None),
    );
    let (from, to) = (a.socket(0), b.socket(443));
    let start = Instant::now();
    send(&from, b.address(443), b"hello");
    assert_eq!(
        receive(&to).await,
        (
            b"hello".to_vec(),
            a.address(from.local_addr().unwrap().port())
        )
    );
    assert_eq!(start.elapsed(), ms(30));
    assert_eq!(
        a.traffic(),
        Traffic {
            sent: 33,
            received: 0
        }
    );
    assert_eq!(
        b.traffic(),
        Traffic {
            sent: 0,
            received: 33
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_bottleneck_spaces_packets_and_drops_what_its_queue_cannot_hold() {
    let net = SimNet::new(1);
    let rate = Some(Rate {
        bits_per_second: 80_000,
        queue: 3_000,
    }); // 10 kB/s
    let a = net.host(
        A,
        Quality {
            rate,
            ..Quality::default()
        },
        Nat::None,
    );
    let b = net.host(B, Quality::default(), Nat::None);
    let (from, to) = (a.socket(0), b.socket(443));
    let start = Instant::now();
    for _ in 0..10 {
        send(&from, b.address(443), &[0; 972]); // 1000 with headers: 100 ms each
    }
    for n in 1..=4 {
        receive(&to).await;
        assert_eq!(start.elapsed(), ms(100 * n));
    }
    hears_nothing(&to).await;
}

#[tokio::test(start_paused = true)]
async fn loss_follows_the_seed() {
    let count = |seed| async move {
        let net = SimNet::new(seed);
        let a = net.host(
            A,
            Quality {
                loss_permille: 100,
                ..Quality::default()
            },
            Nat::None,
        );
        let b = net.host(B, Quality::default(), Nat::None);
        let (from, to) = (a.socket(0), b.socket(443));
        for _ in 0..1000 {
            send(&from, b.address(443), b"x");
        }
        let mut arrived = 0;
        while tokio::time::timeout(ms(1), receive(&to)).await.is_ok() {
            arrived += 1;
        }
        arrived
    };
    let arrived = count(7).await;
    assert!((850..950).contains(&arrived), "{arrived} of 1000");
    assert_eq!(count(7).await, arrived);
}

#[tokio::test(start_paused = true)]
async fn a_translator_lets_in_whom_it_wrote_to_and_can_forget() {
    let net = SimNet::new(1);
    let a = net.host(A, Quality::default(), Nat::Cone);
    let b = net.host(B, Quality::default(), Nat::None);
    let (inside, server, stranger) = (a.socket(5000), b.socket(443), b.socket(444));
    send(&inside, b.address(443), b"out");
    let (_, seen) = receive(&server).await;
    assert_eq!(seen.ip(), A);
    assert_ne!(seen.port(), 5000);
    send(&stranger, seen, b"unasked");
    hears_nothing(&inside).await;
    send(&server, seen, b"answer");
    assert_eq!(receive(&inside).await.0, b"answer");

    send(&inside, b.address(444), b"out");
    assert_eq!(
        receive(&stranger).await.1,
        seen,
        "a cone has one port for all"
    );

    a.forget_mappings();
    send(&server, seen, b"too late");
    hears_nothing(&inside).await;
    send(&inside, b.address(443), b"out");
    assert_ne!(receive(&server).await.1, seen);
}

#[tokio::test(start_paused = true)]
async fn a_symmetric_translator_has_a_port_for_each_destination() {
    let net = SimNet::new(1);
    let a = net.host(A, Quality::default(), Nat::Symmetric);
    let b = net.host(B, Quality::default(), Nat::None);
    let (inside, one, two) = (a.socket(5000), b.socket(443), b.socket(444));
    send(&inside, b.address(443), b"out");
    send(&inside, b.address(444), b"out");
    assert_ne!(receive(&one).await.1, receive(&two).await.1);
}

#[tokio::test(start_paused = true)]
async fn blocked_hosts_do_not_hear_each_other_until_opened() {
    let net = SimNet::new(1);
    let a = net.host(A, Quality::default(), Nat::None);
    let b = net.host(B, Quality::default(), Nat::None);
    let (from, to) = (a.socket(0), b.socket(443));
    a.set_reachable(&b, Reach::Blocked);
    send(&from, b.address(443), b"lost");
    hears_nothing(&to).await;
    a.set_reachable(&b, Reach::Open);
    send(&from, b.address(443), b"found");
    assert_eq!(receive(&to).await.0, b"found");
}

#[tokio::test(start_paused = true)]
async fn a_filter_looks_at_what_its_kind_looks_at() {
    for (filtering, port_matters, address_matters) in [
        (Dependence::Nothing, false, false),
        (Dependence::Address, false, true),
        (Dependence::AddressAndPort, true, true),
    ] {
        let net = SimNet::new(1);
        let mapping = Dependence::Nothing;
        let a = net.host(A, Quality::default(), Nat::Of { mapping, filtering });
        let b = net.host(B, Quality::default(), Nat::None);
        let c = net.host([198, 51, 100, 9].into(), Quality::default(), Nat::None);
        let (inside, server) = (a.socket(5000), b.socket(443));
        let (same_host, other_host) = (b.socket(444), c.socket(443));
        send(&inside, b.address(443), b"out");
        let (_, seen) = receive(&server).await;
        for (socket, matters) in [(&same_host, port_matters), (&other_host, address_matters)] {
            send(socket, seen, b"unasked");
            let heard = tokio::time::timeout(ms(1000), receive(&inside)).await;
            assert_eq!(heard.is_err(), matters, "{filtering:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mapping_by_address_has_a_port_for_each_host() {
    let net = SimNet::new(1);
    let (mapping, filtering) = (Dependence::Address, Dependence::Nothing);
    let a = net.host(A, Quality::default(), Nat::Of { mapping, filtering });
    let b = net.host(B, Quality::default(), Nat::None);
    let c = net.host([198, 51, 100, 9].into(), Quality::default(), Nat::None);
    let (inside, one, two, other) = (a.socket(5000), b.socket(443), b.socket(444), c.socket(443));
    for to in [b.address(443), b.address(444), c.address(443)] {
        send(&inside, to, b"out");
    }
    let (one, two) = (receive(&one).await.1, receive(&two).await.1);
    assert_eq!(one, two);
    assert_ne!(receive(&other).await.1, one);
}

#[tokio::test(start_paused = true)]
async fn packets_come_twice_and_overtake_each_other_as_often_as_was_said() {
    let net = SimNet::new(3);
    let quality = Quality {
        delay: ms(20),
        twice_permille: 200,
        late_permille: 200,
        ..Quality::default()
    };
    let a = net.host(A, quality, Nat::None);
    let b = net.host(B, Quality::default(), Nat::None);
    let (from, to) = (a.socket(0), b.socket(443));
    for n in 0..1000_u32 {
        send(&from, b.address(443), &n.to_be_bytes());
        tokio::time::sleep(ms(1)).await;
    }
    let mut came = Vec::new();
    while let Ok((bytes, _)) = tokio::time::timeout(ms(1000), receive(&to)).await {
        came.push(u32::from_be_bytes(bytes.try_into().unwrap()));
    }
    assert!((1150..1250).contains(&came.len()), "{} came", came.len());
    let overtaken = came.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(overtaken > 50, "{overtaken} were overtaken");
}

#[tokio::test(start_paused = true)]
async fn a_stream_passes_no_more_than_the_bottleneck_and_stops_where_streams_are_shut() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let net = SimNet::new(1);
    let rate = Some(Rate {
        bits_per_second: 80_000,
        queue: 4_000,
    });
    let a = net.host(
        A,
        Quality {
            rate,
            ..Quality::default()
        },
        Nat::None,
    );
    let b = net.host(B, Quality::default(), Nat::None);
    let listener = b.listen(443);
    let dial = async {
        let mut stream = crate::leg::tunnel::StreamDialer::dial(&a, "198.51.100.1", 443)
            .await
            .unwrap();
        stream.write_all(&[7; 20_000]).await.unwrap();
        stream
    };
    let start = Instant::now();
    let take = async {
        let (mut stream, _) = listener.accept().await;
        stream.read_exact(&mut [0; 20_000]).await.unwrap();
        stream
    };
    let (mut out, mut into) = tokio::join!(dial, take);
    let took = start.elapsed();
    assert!(
        took > ms(2000) && took < ms(2600),
        "{took:?} for 20 kB at 10 kB/s"
    );
    b.set_streams(Reach::Blocked);
    out.write_all(b"later").await.unwrap();
    let mut late = [0; 5];
    assert!(
        tokio::time::timeout(ms(5000), into.read_exact(&mut late))
            .await
            .is_err()
    );
    b.set_streams(Reach::Open);
    into.read_exact(&mut late).await.unwrap();
    assert_eq!(&late, b"later");
}
