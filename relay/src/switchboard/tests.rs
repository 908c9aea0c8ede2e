#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "any other message is the test's failure"
)]

use std::time::Duration;

use alongside_protocol::{
    RendezvousId, Serial,
    label::Name,
    relay::{Allocate, Allocated, Claim, PeerGone, Release, ReleaseReason},
};

use super::*;
use crate::operators::Operator;

mod limits;
mod promises;
mod suspects;
mod tickets;

/// A relay that has been running since 1970 + the time of `now`.
fn tickets(now: Instant) -> Tickets {
    Tickets::new(&[7; 32], now, Duration::from_secs(1_794_000_000))
}

const OPERATOR: LegId = LegId(1);
const DEVICE: LegId = LegId(2);

/// A switchboard with one operator (key 1) in its table, and time that a test moves.
pub(super) struct World {
    board: Switchboard,
    now: Instant,
    draws: u64,
}

impl World {
    fn with(limits: Limits) -> Self {
        let ana = Operator::new(Name::new("Ana").unwrap(), None);
        let operators = Operators::default().with(key(1), ana);
        #[expect(clippy::disallowed_methods, reason = "some instant to count from")]
        let now = Instant::now();
        Self {
            board: Switchboard::new(limits, Arc::new(operators), tickets(now)),
            now,
            draws: 0,
        }
    }

    /// The relay's process dies and another one, with the same state, takes its place.
    fn restart(&mut self) {
        let (limits, operators) = (self.board.limits.clone(), Arc::clone(&self.board.operators));
        self.board = Switchboard::new(limits, operators, tickets(self.now));
    }

    /// Operator and device are there.
    fn new() -> Self {
        let mut world = Self::with(Limits::default());
        world.admit(OPERATOR, Role::Operator, 1).unwrap();
        world.admit(DEVICE, Role::Device, 2).unwrap();
        world
    }

    fn admit(&mut self, id: LegId, role: Role, n: u8) -> Result<(), RelayRefusal> {
        let source = IpAddr::from([192, 0, 2, n]);
        self.board.admit(
            id,
            NewLeg {
                role,
                key: key(n),
                token: token(n),
                source,
            },
        )
    }

    fn allocate(&mut self, leg: LegId, ttl_s: u16) -> Result<Allocated, RelayRefusal> {
        self.draws += 1;
        let entropy: Entropy =
            std::array::from_fn(|i| mix(self.draws.wrapping_mul(1000).wrapping_add(i as u64)));
        self.board.allocate(
            self.now,
            leg,
            Allocate {
                ttl_s,
                ticket: None,
            },
            &entropy,
        );
        match self.last_message(leg) {
            FromRelay::Allocated(allocated) => Ok(allocated),
            FromRelay::Refused(refused) => Err(refused.reason),
            other => panic!("{other:?}"),
        }
    }

    fn claim(&mut self, leg: LegId, nameplate: Nameplate) -> Result<RendezvousId, RelayRefusal> {
        let serial = Serial::new("SN-1").unwrap();
        self.board.claim(self.now, leg, Claim { nameplate, serial });
        match self.last_message(leg) {
            FromRelay::Prepare(prepare) => Ok(prepare.rendezvous),
            FromRelay::Refused(refused) => Err(refused.reason),
            other => panic!("{other:?}"),
        }
    }

    fn release(&mut self, leg: LegId, rendezvous: RendezvousId, reason: ReleaseReason) {
        self.board
            .release(self.now, leg, Release { rendezvous, reason });
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.board.handle_timeout(self.now);
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.board.poll_action()).collect()
    }

    /// Last message to `leg` among the actions that wait; the others are dropped.
    fn last_message(&mut self, leg: LegId) -> FromRelay {
        let messages = self
            .actions()
            .into_iter()
            .filter_map(|action| match action {
                // The ticket comes with what it is for.
                Action::Send {
                    message: FromRelay::Paired(_),
                    ..
                } => None,
                Action::Send { leg: to, message } if to == leg => Some(message),
                Action::Send { .. }
                | Action::Pair { .. }
                | Action::Unpair(_)
                | Action::Close { .. } => None,
            });
        messages.collect::<Vec<_>>().pop().expect("a message")
    }

    /// Operator and device, met; the rendezvous is that of the meeting.
    fn met() -> (Self, Allocated) {
        let mut world = Self::new();
        let mut allocated = world.allocate(OPERATOR, 600).unwrap();
        allocated.rendezvous = world.claim(DEVICE, allocated.nameplate).unwrap();
        (world, allocated)
    }
}

fn key(n: u8) -> PublicKey {
    PublicKey([n; 32])
}

fn token(n: u8) -> LegToken {
    LegToken([n; 8])
}

/// splitmix64: bytes that look random and are the same in every run.
fn mix(n: u64) -> u8 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_le_bytes()[0]
}

fn ends(actions: &[Action]) -> Vec<EndReason> {
    let ends = actions.iter().filter_map(|action| match action {
        Action::Unpair(end) => Some(end.why),
        Action::Send { .. } | Action::Pair { .. } | Action::Close { .. } => None,
    });
    ends.collect()
}

fn gone(to: LegId, rendezvous: RendezvousId, how: Departure) -> Action {
    Action::Send {
        leg: to,
        message: PeerGone { rendezvous, how }.into(),
    }
}

#[test]
fn a_claimed_nameplate_pairs_the_two_legs_and_introduces_them() {
    let mut world = World::new();
    let allocated = world.allocate(OPERATOR, 600).unwrap();
    let serial = Serial::new("SN-1").unwrap();
    world.board.claim(
        world.now,
        DEVICE,
        Claim {
            nameplate: allocated.nameplate,
            serial,
        },
    );
    let actions = world.actions();
    assert_eq!(
        actions[0],
        Action::Pair {
            operator: token(1),
            device: token(2),
            key: key(1),
        }
    );
    let Action::Send {
        leg: DEVICE,
        message: FromRelay::Prepare(prepare),
    } = &actions[1]
    else {
        panic!("{actions:?}")
    };
    assert_eq!((prepare.token, prepare.expires_in_s), (token(1), 600));
    assert_eq!(prepare.operator.name.as_ref().unwrap().as_str(), "Ana");
    let Action::Send {
        leg: OPERATOR,
        message: FromRelay::Peer(peer),
    } = &actions[2]
    else {
        panic!("{actions:?}")
    };
    assert_eq!(
        (peer.key, peer.token, peer.rendezvous),
        (key(2), token(2), allocated.rendezvous.of_try(1))
    );
}

#[test]
fn only_operators_in_the_table_allocate_and_only_devices_claim() {
    let mut world = World::new();
    assert_eq!(world.allocate(DEVICE, 600), Err(RelayRefusal::NotAllowed));
    world.admit(LegId(3), Role::Operator, 3).unwrap();
    assert_eq!(
        world.allocate(LegId(3), 600),
        Err(RelayRefusal::UnknownOperator)
    );
    let allocated = world.allocate(OPERATOR, 600).unwrap();
    assert_eq!(
        world.claim(OPERATOR, allocated.nameplate),
        Err(RelayRefusal::NotAllowed)
    );
}

#[test]
fn the_time_to_live_is_held_to_its_bounds() {
    let mut world = World::new();
    for (asked, given) in [(0, 120), (120, 120), (3600, 3600), (u16::MAX, 3600)] {
        assert_eq!(world.allocate(OPERATOR, asked).unwrap().expires_in_s, given);
    }
}

#[test]
fn a_wrong_code_makes_the_nameplate_claimable_again() {
    let (mut world, allocated) = World::met();
    world.release(DEVICE, allocated.rendezvous, ReleaseReason::WrongCode);
    let actions = world.actions();
    assert_eq!(
        ends(&actions),
        [EndReason::Released {
            by: Role::Device,
            reason: ReleaseReason::WrongCode
        }]
    );
    let how = Departure::Released(ReleaseReason::WrongCode);
    assert_eq!(actions[1..], [gone(OPERATOR, allocated.rendezvous, how)]);
    world.release(OPERATOR, allocated.rendezvous, ReleaseReason::WrongCode);
    assert_eq!(
        world.actions(),
        [],
        "the other side's release comes too late and changes nothing"
    );
    assert_eq!(
        world.claim(DEVICE, allocated.nameplate),
        Ok(allocated.rendezvous.of_try(2))
    );
}

#[test]
fn a_late_word_about_one_try_does_not_touch_the_next() {
    let (mut world, first) = World::met();
    world.release(DEVICE, first.rendezvous, ReleaseReason::WrongCode);
    let second = world.claim(DEVICE, first.nameplate).unwrap();
    world.actions();
    for who in [OPERATOR, DEVICE] {
        world.release(who, first.rendezvous, ReleaseReason::WrongCode);
    }
    world.release(DEVICE, first.rendezvous, ReleaseReason::SessionEnded);
    assert_eq!(world.actions(), []);
    // But a code that is dead is dead for whoever tries it by now.
    world.release(OPERATOR, first.rendezvous, ReleaseReason::CodeDead);
    let how = Departure::Released(ReleaseReason::CodeDead);
    assert_eq!(world.actions()[1..], [gone(DEVICE, second, how)]);
}

#[test]
fn a_dead_code_and_a_finished_session_end_the_nameplate() {
    for reason in [ReleaseReason::CodeDead, ReleaseReason::SessionEnded] {
        for who in [OPERATOR, DEVICE] {
            let (mut world, allocated) = World::met();
            world.release(who, allocated.rendezvous, reason);
            let other = if who == OPERATOR { DEVICE } else { OPERATOR };
            assert_eq!(
                world.actions()[1..],
                [gone(
                    other,
                    allocated.rendezvous,
                    Departure::Released(reason)
                )]
            );
            assert_eq!(
                world.claim(DEVICE, allocated.nameplate),
                Err(RelayRefusal::CodeUnknown)
            );
        }
    }
}

#[test]
fn somebody_elses_meeting_cannot_be_released() {
    let (mut world, allocated) = World::met();
    world.admit(LegId(3), Role::Device, 3).unwrap();
    world.release(LegId(3), allocated.rendezvous, ReleaseReason::SessionEnded);
    world.release(DEVICE, RendezvousId([0; 16]), ReleaseReason::SessionEnded);
    assert_eq!(world.actions(), []);
}

#[test]
fn a_nameplate_in_use_cannot_be_claimed() {
    let (mut world, allocated) = World::met();
    world.admit(LegId(3), Role::Device, 3).unwrap();
    assert_eq!(
        world.claim(LegId(3), allocated.nameplate),
        Err(RelayRefusal::CodeUnknown)
    );
}

#[test]
fn an_expired_code_says_so_for_an_hour_and_then_is_free() {
    let mut world = World::new();
    let allocated = world.allocate(OPERATOR, 600).unwrap();
    world.pass(Duration::from_millis(599_999));
    assert_eq!(world.actions(), []);
    world.pass(Duration::from_millis(1));
    assert_eq!(
        world.actions(),
        [gone(OPERATOR, allocated.rendezvous, Departure::Relay)]
    );
    assert_eq!(
        world.claim(DEVICE, allocated.nameplate),
        Err(RelayRefusal::CodeExpired)
    );
    world.pass(Duration::from_secs(3599));
    assert_eq!(
        world.claim(DEVICE, allocated.nameplate),
        Err(RelayRefusal::CodeExpired)
    );
    world.pass(Duration::from_secs(1));
    assert_eq!(
        world.claim(DEVICE, allocated.nameplate),
        Err(RelayRefusal::CodeUnknown)
    );
    assert!(world.board.plates.is_empty());
    assert!(world.board.turns.is_empty());
}

#[test]
fn a_code_is_expired_also_if_the_operators_side_finds_out_first() {
    for (passed, answer) in [
        (599_999, RelayRefusal::CodeUnknown),
        (600_000, RelayRefusal::CodeExpired),
    ] {
        let mut world = World::new();
        let allocated = world.allocate(OPERATOR, 600).unwrap();
        world.now += Duration::from_millis(passed);
        world.release(OPERATOR, allocated.rendezvous, ReleaseReason::CodeDead);
        assert_eq!(world.claim(DEVICE, allocated.nameplate), Err(answer));
    }
}

#[test]
fn a_meeting_outlives_its_code_but_the_code_does_not_come_back() {
    let (mut world, allocated) = World::met();
    world.pass(Duration::from_secs(3600));
    assert_eq!(world.actions(), []);
    world.release(DEVICE, allocated.rendezvous, ReleaseReason::WrongCode);
    assert_eq!(
        world.actions().last(),
        Some(&gone(OPERATOR, allocated.rendezvous, Departure::Relay))
    );
    assert_eq!(
        world.claim(DEVICE, allocated.nameplate),
        Err(RelayRefusal::CodeExpired)
    );
}

#[test]
fn a_nameplate_can_be_claimed_five_times() {
    let (mut world, allocated) = World::met();
    for n in 3..7 {
        world.board.leave(world.now, LegId(n - 1));
        world
            .admit(LegId(n), Role::Device, u8::try_from(n).unwrap())
            .unwrap();
        assert_eq!(
            world.claim(LegId(n), allocated.nameplate),
            Ok(allocated.rendezvous.of_try(u8::try_from(n - 1).unwrap())),
            "claim {n}"
        );
    }
    world.board.leave(world.now, LegId(6));
    assert_eq!(
        world.actions().last(),
        Some(&gone(
            OPERATOR,
            allocated.rendezvous.of_try(5),
            Departure::Relay
        ))
    );
    world.admit(LegId(7), Role::Device, 7).unwrap();
    assert_eq!(
        world.claim(LegId(7), allocated.nameplate),
        Err(RelayRefusal::CodeBurnt)
    );
}

#[test]
fn a_new_code_kills_the_old_one_and_its_meeting() {
    let (mut world, old) = World::met();
    world.board.allocate(
        world.now,
        OPERATOR,
        Allocate {
            ttl_s: 600,
            ticket: None,
        },
        &[7; 128],
    );
    let actions = world.actions();
    assert_eq!(ends(&actions), [EndReason::Reallocated]);
    let how = Departure::Released(ReleaseReason::CodeDead);
    assert_eq!(actions[1], gone(DEVICE, old.rendezvous, how));
    assert_eq!(
        world.claim(DEVICE, old.nameplate),
        Err(RelayRefusal::CodeUnknown)
    );
}

#[test]
fn a_lost_operator_ends_the_code_and_says_why() {
    let (mut world, allocated) = World::met();
    world.board.leave(world.now, OPERATOR);
    let actions = world.actions();
    assert_eq!(ends(&actions), [EndReason::LegLost(Role::Operator)]);
    assert_eq!(
        actions[1..],
        [gone(DEVICE, allocated.rendezvous, Departure::LegLost)]
    );
    assert_eq!(
        world.claim(DEVICE, allocated.nameplate),
        Err(RelayRefusal::OperatorGone)
    );
}

#[test]
fn a_token_is_given_over_only_to_the_same_key_and_its_meeting_goes_on() {
    let (mut world, allocated) = World::met();
    let stranger = NewLeg {
        role: Role::Device,
        key: key(9),
        token: token(2),
        source: IpAddr::from([192, 0, 2, 9]),
    };
    assert_eq!(
        world.board.admit(LegId(9), stranger),
        Err(RelayRefusal::TokenTaken)
    );
    let other_role = NewLeg {
        role: Role::Operator,
        key: key(2),
        ..stranger
    };
    assert_eq!(
        world.board.admit(LegId(9), other_role),
        Err(RelayRefusal::TokenTaken)
    );
    assert_eq!(world.actions(), []);

    world.admit(LegId(9), Role::Device, 2).unwrap();
    assert_eq!(
        world.actions(),
        [Action::Close {
            leg: DEVICE,
            why: CloseReason::Replaced
        }]
    );
    world.board.leave(world.now, DEVICE);
    assert_eq!(
        world.actions(),
        [],
        "the old connection's end is no longer the leg's"
    );
    world.release(LegId(9), allocated.rendezvous, ReleaseReason::SessionEnded);
    assert_eq!(ends(&world.actions()).len(), 1);
}

#[test]
fn an_operator_who_leaves_the_table_loses_code_and_meeting() {
    let (mut world, allocated) = World::met();
    world.board.set_operators(world.now, Arc::default());
    let actions = world.actions();
    assert_eq!(ends(&actions), [EndReason::Revoked]);
    assert!(actions.contains(&gone(OPERATOR, allocated.rendezvous, Departure::Relay)));
    assert!(actions.contains(&gone(DEVICE, allocated.rendezvous, Departure::Relay)));
    assert_eq!(
        world.allocate(OPERATOR, 600),
        Err(RelayRefusal::UnknownOperator)
    );
}

#[test]
fn a_shutdown_ends_every_meeting_and_closes_every_leg() {
    let (mut world, _) = World::met();
    world.board.shut_down(world.now);
    let actions = world.actions();
    assert_eq!(ends(&actions), [EndReason::Shutdown]);
    let closed = [OPERATOR, DEVICE].map(|leg| Action::Close {
        leg,
        why: CloseReason::Shutdown,
    });
    assert_eq!(actions[actions.len() - 2..], closed);
    let sent = |action: &Action| matches!(action, Action::Send { .. });
    assert!(
        !actions.iter().any(sent),
        "the meeting may go on elsewhere: {actions:?}"
    );
}

#[test]
fn nameplates_are_drawn_from_the_bytes_given_without_a_favourite() {
    let mut entropy = [0xff; 128]; // 0xffffff is not below the fair bound: thrown away
    entropy[16..22].copy_from_slice(&[0xfe, 0xd2, 0x60, 0xfe, 0xd2, 0x5f]); // 16,700,000 is thrown away too
    let (nameplate, _) = invitation::draw(&entropy, &HashMap::new()).unwrap();
    assert_eq!(nameplate.number(), 99_999);
    let taken = HashMap::from([(
        nameplate,
        Plate::Spent(Spent {
            answer: RelayRefusal::CodeUnknown,
        }),
    )]);
    assert!(invitation::draw(&entropy, &taken).is_none());
}
