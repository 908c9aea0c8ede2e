use std::net::Ipv4Addr;

use alongside_protocol::{Nameplate, Serial};
use tokio::time::Instant;

use super::*;
use crate::{
    connection::Connection as _,
    sim::{Host, Nat, Quality, SimNet},
};

struct Place {
    operator: Host,
    device: Host,
    at: SocketAddr,
    listener: Listener,
}

fn identity() -> Arc<Identity> {
    Arc::new(Identity::generate().unwrap())
}

fn place() -> Place {
    let net = SimNet::new(5);
    let line = Quality::with_delay(Duration::from_millis(10));
    let host = |n| net.host(Ipv4Addr::new(192, 0, 2, n).into(), line, Nat::None);
    let (operator, device) = (host(1), host(2));
    let at = operator.address(7000);
    let listener = Listener::bind(identity(), &operator, at).unwrap();
    Place {
        operator,
        device,
        at,
        listener,
    }
}

impl Place {
    fn dialer(&self) -> Dialer {
        Dialer::new(identity(), &self.device, self.at).unwrap()
    }
}

fn claim(number: u32) -> Claim {
    Claim {
        nameplate: Nameplate::new(number).unwrap(),
        serial: Serial::new("SN-1").unwrap(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_says_for_which_code_it_comes_and_is_let_in() {
    let place = place();
    let dialer = place.dialer();
    let device = async {
        let connection = dialer.dial(None).await.unwrap();
        dialer.claim(&connection, claim(7)).await.unwrap();
        connection
    };
    let operator = async {
        let visit = place.listener.visits().next().await;
        assert_eq!(*visit.claim(), claim(7));
        let own = place.listener.identity.public_key();
        visit.admit(own, Duration::from_secs(600)).await.unwrap()
    };
    let (device, operator) = tokio::join!(device, operator);
    assert_eq!(device.binding().exporter, operator.binding().exporter);
    assert_eq!(device.binding().peer, operator.binding().local);
    assert_eq!(device.path().borrow().kind, PathKind::Direct);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_arrives_with_its_reason() {
    let place = place();
    let dialer = place.dialer();
    let mut visits = place.listener.visits();
    for (reason, wait) in [
        (RelayRefusal::CodeUnknown, None),
        (
            RelayRefusal::TooManyClaims,
            Some(Duration::from_millis(59_001)),
        ),
    ] {
        let device = async {
            let connection = dialer.dial(None).await.unwrap();
            dialer.claim(&connection, claim(7)).await
        };
        let operator = async { visits.next().await.refuse(reason, wait) };
        let (refused, ()) = tokio::join!(device, operator);
        let expected = LegError::Refused {
            refusal: reason,
            retry_after_s: wait.map(|_| 60),
        };
        assert_eq!(refused, Err(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_listens_a_device_learns_it_in_eight_seconds() {
    let place = place();
    let nobody = place.operator.address(7001);
    let dialer = Dialer::new(identity(), &place.device, nobody).unwrap();
    let start = Instant::now();
    let error = dialer.dial(None).await.unwrap_err();
    assert!(matches!(error, DialError::Silent), "{error}");
    assert!(start.elapsed() <= Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn whoever_connects_and_claims_nothing_keeps_nobody_else_out() {
    let place = place();
    let stalling = place.dialer();
    let mut held = Vec::new();
    let mut visits = place.listener.visits();
    let hold = async {
        for _ in 0..20 {
            held.push(stalling.dial(None).await.ok());
        }
    };
    tokio::select! {
        _ = visits.next() => panic!("nobody has claimed anything"),
        () = hold => {}
    }
    assert!(
        held.iter().flatten().count() <= MAX_OF_ONE,
        "of one address"
    );
    let elsewhere = place.device.clone();
    let dialer = Dialer::new(identity(), &elsewhere, place.at).unwrap();
    let honest = async {
        // One address has its share; the share comes free.
        loop {
            if let Ok(connection) = dialer.dial(None).await {
                return dialer.claim(&connection, claim(9)).await;
            }
        }
    };
    let operator = async {
        let visit = visits.next().await;
        assert_eq!(*visit.claim(), claim(9));
        visit
            .admit(place.listener.identity.public_key(), Duration::ZERO)
            .await
    };
    let (honest, connection) = tokio::join!(honest, operator);
    honest.unwrap();
    assert!(connection.is_some());
}

#[tokio::test(start_paused = true)]
async fn who_comes_again_must_hold_the_same_key() {
    let place = place();
    let (stranger, dialer) = (place.dialer(), place.dialer());
    let key = dialer.identity.public_key();
    let own = place.listener.identity.public_key();
    let accept = place.listener.accept_again(key);
    let dial = async {
        let refused = match stranger.dial(Some(own)).await {
            // The other side looks at the key after this one has seen its own handshake succeed.
            Ok(connection) => connection.closed().await,
            Err(DialError::Failed(lost)) => lost,
            Err(error) => panic!("{error}"),
        };
        assert!(matches!(refused, Lost::Refused { .. }), "{refused}");
        let elsewhere = dialer.dial(Some(key)).await.map(|_| ()).unwrap_err();
        assert!(matches!(elsewhere, DialError::Failed(_)), "{elsewhere}");
        dialer.dial(Some(own)).await.unwrap()
    };
    let (accepted, dialled) = tokio::join!(accept, dial);
    assert_eq!(accepted.peer(), key);
    assert_eq!(dialled.peer(), own);
}
