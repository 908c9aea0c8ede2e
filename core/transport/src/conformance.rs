//! What every [`Connection`] promises, as tests that run on any implementation.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::connection::{Connection, DatagramError, Lost, close_code};

/// Defines the conformance tests for one implementation of [`Connection`].
///
/// Takes an expression that is a future of a fresh connected pair: the end that dialled, the end that accepted, and
/// whatever must live as long as they do. Expands to tests on tokio, so call it within a `#[cfg(test)]` module.
#[macro_export]
macro_rules! connection_conformance {
    ($pair:expr) => {
        $crate::connection_conformance!(@tests $pair;
            both_ends_have_the_same_exporter_and_each_others_keys,
            a_stream_carries_bytes_both_ways_in_order,
            finishing_one_direction_leaves_the_other_open,
            streams_are_accepted_in_order_and_do_not_block_each_other,
            datagrams_arrive_whole_up_to_the_limit,
            closing_tells_the_other_side_why_and_ends_everything,
            a_receiver_that_is_gone_stops_the_sender,
            dropping_every_handle_closes,
        );
    };
    (@tests $pair:expr; $($name:ident,)*) => {$(
        #[::tokio::test]
        async fn $name() {
            let (dialled, accepted, _alive) = $pair.await;
            $crate::conformance::$name(dialled, accepted).await;
        }
    )*};
}

/// Longest that anything may take here.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: nothing happened for {PATIENCE:?}"),
    }
}

/// The binding agrees, is not trivial, and names the keys the right way round.
pub async fn both_ends_have_the_same_exporter_and_each_others_keys<C: Connection>(a: C, b: C) {
    let (a, b) = (a.binding(), b.binding());
    assert!(a.exporter == b.exporter, "exporters differ");
    assert_ne!(a.exporter, [0; 48]);
    assert_eq!((a.local, a.peer), (b.peer, b.local));
    assert_ne!(a.local, a.peer);
}

/// More bytes than any window, each way at once.
pub async fn a_stream_carries_bytes_both_ways_in_order<C: Connection>(a: C, b: C) {
    let sent: Vec<u8> = (0..1_500_000u32).map(|n| (n % 251) as u8).collect();
    let exchange = |mut send: C::Send, mut recv: C::Recv| {
        let sent = sent.clone();
        async move {
            let write = async {
                send.write_all(&sent).await.expect("writes");
                send.shutdown().await.expect("finishes");
            };
            let mut got = Vec::new();
            let ((), read) = tokio::join!(write, recv.read_to_end(&mut got));
            read.expect("reads");
            assert!(
                got == sent,
                "{} bytes of {} arrived, or others",
                got.len(),
                sent.len()
            );
        }
    };
    soon("the exchange", async {
        let there = async {
            let (send, recv) = a.open_bi(0).await.expect("opens");
            exchange(send, recv).await;
        };
        let back = async {
            let (send, recv) = b.accept_bi().await.expect("accepts");
            b.set_priority(&send, 10);
            exchange(send, recv).await;
        };
        tokio::join!(there, back);
    })
    .await;
}

/// Half-close, as in TCP.
pub async fn finishing_one_direction_leaves_the_other_open<C: Connection>(a: C, b: C) {
    soon("the half-close", async {
        let (mut send, mut recv) = a.open_bi(0).await.expect("opens");
        send.write_all(b"question").await.expect("writes");
        send.shutdown().await.expect("finishes");
        let (mut reply, mut asked) = b.accept_bi().await.expect("accepts");
        let mut got = Vec::new();
        asked.read_to_end(&mut got).await.expect("reads to the end");
        assert_eq!(got, b"question");
        reply.write_all(b"answer").await.expect("writes");
        drop(reply);
        got.clear();
        recv.read_to_end(&mut got).await.expect("reads the answer");
        assert_eq!(got, b"answer");
    })
    .await;
}

/// A stream that nobody reads does not hold up the next.
pub async fn streams_are_accepted_in_order_and_do_not_block_each_other<C: Connection>(a: C, b: C) {
    soon("the streams", async {
        let mut opened = Vec::new();
        for n in 0..4u8 {
            let (mut send, recv) = a.open_bi(-i32::from(n)).await.expect("opens");
            send.write_all(&[n]).await.expect("writes");
            opened.push((send, recv));
        }
        let mut accepted = Vec::new();
        for n in 0..4u8 {
            let (send, mut recv) = b.accept_bi().await.expect("accepts");
            assert_eq!(recv.read_u8().await.expect("reads"), n);
            accepted.push((send, recv));
        }
        let (mut stalled, _) = opened.remove(0);
        let clog = async move { stalled.write_all(&[0; 4 << 20]).await };
        let pass = async {
            let (send, _) = opened.last_mut().expect("four were opened");
            send.write_all(b"urgent").await.expect("writes");
            let (_, recv) = accepted.last_mut().expect("four were accepted");
            let mut got = [0; 6];
            recv.read_exact(&mut got).await.expect("reads");
            assert_eq!(&got, b"urgent");
        };
        tokio::select! {
            biased;
            () = pass => {}
            clogged = clog => panic!("a stream that nobody reads took 4 MiB: {clogged:?}"),
        }
    })
    .await;
}

/// Nothing is cut or joined, and what is too large is refused here rather than lost.
pub async fn datagrams_arrive_whole_up_to_the_limit<C: Connection>(a: C, b: C) {
    let max = a.max_datagram();
    assert!(
        max >= 1000,
        "a datagram of {max} bytes is too small for a session"
    );
    let largest = Bytes::from(vec![7; max]);
    soon("the datagrams", async {
        // They may be lost, so go on until one of each has come.
        let receive = async {
            let mut missing = vec![Bytes::from_static(b"x"), largest.clone()];
            while !missing.is_empty() {
                let got = b.recv_datagram().await.expect("receives");
                assert!(
                    got == largest || got == b"x"[..],
                    "a datagram of {} bytes was never sent",
                    got.len()
                );
                missing.retain(|waiting| *waiting != got);
            }
        };
        let send = async {
            loop {
                a.send_datagram(Bytes::new()).expect("sends");
                a.send_datagram(Bytes::from_static(b"x")).expect("sends");
                a.send_datagram(largest.clone()).expect("sends");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = receive => {}
            () = send => {}
        }
    })
    .await;
    let refused = a.send_datagram(Bytes::from(vec![7; max + 1]));
    assert_eq!(refused, Err(DatagramError::TooLarge { got: max + 1, max }));
}

/// The other side hears code and reason; whatever was waiting ends; the first close counts.
pub async fn closing_tells_the_other_side_why_and_ends_everything<C: Connection>(a: C, b: C) {
    soon("the close", async {
        let (mut send, _recv) = a.open_bi(0).await.expect("opens");
        send.write_all(b"!").await.expect("writes");
        let (_send, mut reading) = b.accept_bi().await.expect("accepts");
        assert_eq!(reading.read_u8().await.expect("reads"), b'!');
        let waiting = b.clone();
        let close = async {
            tokio::task::yield_now().await;
            a.close(42, "enough");
            a.close(43, "again");
        };
        let (accepted, datagram, read, closed, ()) = tokio::join!(
            waiting.accept_bi(),
            waiting.recv_datagram(),
            reading.read_u8(),
            b.closed(),
            close
        );
        let why = Lost::closed_by_peer(42, "enough");
        assert_eq!(accepted.err(), Some(why.clone()));
        assert_eq!(datagram.err(), Some(why.clone()));
        assert!(read.is_err());
        assert_eq!(closed, why);
        assert_eq!(
            b.send_datagram(Bytes::from_static(b"x")),
            Err(DatagramError::Lost(why.clone()))
        );
        assert_eq!(b.open_bi(0).await.err(), Some(why));
        assert_eq!(a.open_bi(0).await.err(), Some(Lost::ClosedHere));
        assert_eq!(a.closed().await, Lost::ClosedHere);
        assert!(send.write_all(b"!").await.is_err());
    })
    .await;
}

/// Dropping the receiving half reaches the sender.
pub async fn a_receiver_that_is_gone_stops_the_sender<C: Connection>(a: C, b: C) {
    soon("the stop", async {
        let (mut send, _recv) = a.open_bi(0).await.expect("opens");
        send.write_all(b"!").await.expect("writes");
        drop(b.accept_bi().await.expect("accepts"));
        while send.write_all(&[0; 1024]).await.is_ok() {}
    })
    .await;
}

/// The connection ends with its last handle and stream, as [`close_code::DONE`].
pub async fn dropping_every_handle_closes<C: Connection>(a: C, b: C) {
    soon("the end", async {
        let (mut send, recv) = a.open_bi(0).await.expect("opens");
        drop(a);
        send.write_all(b"still here")
            .await
            .expect("a stream keeps the connection");
        let (_send, mut reading) = b.accept_bi().await.expect("accepts");
        let mut got = [0; 10];
        reading.read_exact(&mut got).await.expect("reads");
        drop((send, recv));
        assert_eq!(b.closed().await, Lost::closed_by_peer(close_code::DONE, ""));
    })
    .await;
}
