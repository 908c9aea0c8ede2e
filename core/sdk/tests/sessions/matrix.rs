//! Every rung against every move: nothing is lost or doubled, and the session is back in time.

use std::time::Duration;

use alongside::{
    PathKind,
    transport::{
        Paths,
        sim::{Nat, Reach},
    },
};
use tokio::time::{Instant, sleep};

use crate::{
    watched::Watched,
    world::{World, line, secs},
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const RUNGS: [PathKind; 4] = [
    PathKind::Direct,
    PathKind::RelayQuic,
    PathKind::RelayTls,
    PathKind::RelayProxy,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    PathDies,
    AllUdpDies,
    AddressChanges,
    RelayKilled,
    RelayStopped,
    ShortBlackout,
    LongBlackout,
}

const MOVES: [Move; 7] = [
    Move::PathDies,
    Move::AllUdpDies,
    Move::AddressChanges,
    Move::RelayKilled,
    Move::RelayStopped,
    Move::ShortBlackout,
    Move::LongBlackout,
];

/// A session on this rung, and no better way.
async fn on(rung: PathKind) -> Watched {
    let nat = match rung {
        PathKind::Direct => [Nat::Cone, Nat::Cone],
        _ => [Nat::Cone, Nat::Symmetric],
    };
    let mut world = World::behind(line(15), nat);
    world.paths = Paths::default();
    match rung {
        PathKind::RelayTls => world.device_host.set_udp(Reach::Blocked),
        PathKind::RelayProxy => {
            world.start_proxy();
            world.set_reach(&world.device_host, Reach::Blocked);
        }
        _ => {}
    }
    let mut session = Watched::start(world).await.expect("a good network");
    session.draw_for(secs(6)).await;
    assert_eq!(session.of_device.lock().unwrap().way(), Some(rung));
    session
}

/// Makes the move, draws all the while; what was broken works again at the end, unless it is the move that it stays so.
async fn make(session: &mut Watched, rung: PathKind, what: Move) {
    let (device, operator) = (
        session.world.device_host.clone(),
        session.world.operator_host.clone(),
    );
    let proxy = session.world.proxy.clone();
    match what {
        Move::PathDies => match rung {
            PathKind::Direct => device.set_reachable(&operator, Reach::Blocked),
            PathKind::RelayQuic => device.set_udp(Reach::Blocked),
            PathKind::RelayTls => device.break_streams(),
            PathKind::RelayProxy | PathKind::None => {
                proxy.iter().for_each(|proxy| proxy.break_streams())
            }
        },
        Move::AllUdpDies => [&device, &operator]
            .iter()
            .for_each(|host| host.set_udp(Reach::Blocked)),
        Move::AddressChanges => {
            device.forget_mappings();
            device.break_streams();
        }
        Move::RelayKilled | Move::RelayStopped => {
            let relay = session.world.relay.take().unwrap();
            if what == Move::RelayStopped {
                tokio::join!(relay.shutdown(), session.draw_for(ms(300)));
            } else {
                drop(relay);
            }
            session.world.relay_host.break_streams();
            session.world.start_relay();
        }
        Move::ShortBlackout | Move::LongBlackout => {
            let reach = |reach| {
                device.set_udp(reach);
                device.set_streams(reach);
            };
            reach(Reach::Blocked);
            let dark = if what == Move::ShortBlackout { 3 } else { 90 };
            session.draw_for(secs(dark)).await;
            reach(Reach::Open);
            if rung == PathKind::RelayTls {
                device.set_udp(Reach::Blocked);
            }
        }
    }
}

/// The longest gap that is allowed.
fn limit(rung: PathKind, what: Move) -> Duration {
    match (what, rung) {
        (Move::PathDies | Move::AddressChanges, PathKind::Direct) => ms(600),
        (Move::RelayKilled | Move::RelayStopped, PathKind::Direct) => ms(100),
        (Move::PathDies | Move::AllUdpDies, _) => ms(1000),
        (Move::AddressChanges, _) => ms(1000),
        (Move::RelayKilled | Move::RelayStopped, _) => ms(2000),
        (Move::ShortBlackout, _) => ms(4500),
        (Move::LongBlackout, _) => secs(105),
    }
}

#[tokio::test(start_paused = true)]
async fn every_rung_survives_every_move_and_nothing_is_lost() {
    let mut missed = Vec::new();
    for rung in RUNGS {
        for what in MOVES {
            let mut session = on(rung).await;
            let start = Instant::now();
            make(&mut session, rung, what).await;
            let recovers = if what == Move::LongBlackout { 20 } else { 6 };
            session.draw_for(secs(recovers)).await;
            let gap = session.longest_gap(start);
            println!("{rung}, {what:?}: longest gap {gap:?}");
            if gap > limit(rung, what) {
                missed.push((rung, what, gap));
            }
            if what == Move::LongBlackout {
                session.begin_afresh();
                session.draw_for(secs(2)).await;
            }
            session.panel.paint(7);
            assert!(session.settles_within(secs(20)).await, "{rung}, {what:?}");
            session.assert_all_came_in_order(&format!("{rung}, {what:?}"));
            let losses = usize::from(what == Move::LongBlackout);
            assert_eq!(
                session.of_device.lock().unwrap().losses(),
                losses,
                "{rung}, {what:?}"
            );
            assert_eq!(session.of_device.lock().unwrap().ended, None);
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn the_best_way_is_taken_again_when_it_is_there_again() {
    for (rung, what) in [
        (PathKind::Direct, Move::PathDies),
        (PathKind::Direct, Move::AllUdpDies),
        (PathKind::RelayQuic, Move::PathDies),
        (PathKind::RelayQuic, Move::AllUdpDies),
    ] {
        let mut session = on(rung).await;
        make(&mut session, rung, what).await;
        session.draw_for(secs(6)).await;
        assert_ne!(
            session.of_device.lock().unwrap().way(),
            Some(rung),
            "{rung}, {what:?}"
        );
        let world = &session.world;
        world
            .device_host
            .set_reachable(&world.operator_host, Reach::Open);
        for host in [&world.device_host, &world.operator_host] {
            host.set_udp(Reach::Open);
        }
        let back = Instant::now();
        session.draw_for(secs(75)).await;
        let gap = session.longest_gap(back);
        println!("{rung} again after {what:?}: longest gap {gap:?}");
        assert!(gap <= ms(250), "{rung}, {what:?}: {gap:?}");
        sleep(secs(6)).await;
        assert_eq!(
            session.of_device.lock().unwrap().way(),
            Some(rung),
            "{rung}, {what:?}"
        );
        assert!(session.settles_within(secs(5)).await);
        session.assert_all_came_in_order(&format!("{rung} again after {what:?}"));
    }
}
