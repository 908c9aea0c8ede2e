//! Meetings that go on although the relay has forgotten them.

use alongside_protocol::relay::PairingTicket;

use super::*;

/// A meeting, and the ticket that both legs were given.
fn met() -> (World, PairingTicket) {
    let mut world = World::new();
    let allocated = world.allocate(OPERATOR, 600).unwrap();
    let serial = Serial::new("SN-1").unwrap();
    let nameplate = allocated.nameplate;
    let claim = Claim { nameplate, serial };
    world.board.claim(world.now, DEVICE, claim);
    let actions = world.actions();
    let tickets = [OPERATOR, DEVICE].map(|leg| tickets_to(leg, &actions));
    assert_eq!(tickets[0], tickets[1]);
    let [ticket] = tickets[0].as_slice() else {
        panic!("{actions:?}")
    };
    (world, ticket.clone())
}

fn tickets_to(leg: LegId, actions: &[Action]) -> Vec<PairingTicket> {
    let tickets = actions.iter().filter_map(|action| match action {
        Action::Send {
            leg: to,
            message: FromRelay::Paired(ticket),
        } if *to == leg => Some(ticket.clone()),
        _ => None,
    });
    tickets.collect()
}

fn pairs(actions: &[Action]) -> usize {
    let is_pair = |action: &&Action| matches!(action, Action::Pair { .. });
    actions.iter().filter(is_pair).count()
}

impl World {
    fn rejoin(&mut self, leg: LegId, ticket: &PairingTicket) -> Vec<Action> {
        self.board.rejoin(self.now, leg, ticket.clone());
        self.actions()
    }

    fn refusal(&mut self, leg: LegId, ticket: &PairingTicket) -> Option<RelayRefusal> {
        let actions = self.rejoin(leg, ticket);
        assert_eq!(pairs(&actions), 0);
        actions.into_iter().find_map(|action| match action {
            Action::Send {
                message: FromRelay::Refused(refused),
                ..
            } => Some(refused.reason),
            _ => None,
        })
    }

    /// The relay was restarted, and both legs are there again.
    fn restarted(mut self) -> Self {
        self.restart();
        self.admit(OPERATOR, Role::Operator, 1).unwrap();
        self.admit(DEVICE, Role::Device, 2).unwrap();
        self
    }
}

const BAD: Option<RelayRefusal> = Some(RelayRefusal::BadTicket);

#[test]
fn a_restarted_relay_pairs_two_legs_again_once_both_have_shown_their_ticket() {
    let (world, ticket) = met();
    let mut world = world.restarted();
    world.pass(Duration::from_secs(3600));
    for round in 0..2 {
        assert_eq!(world.rejoin(DEVICE, &ticket), [], "round {round}");
    }
    let actions = world.rejoin(OPERATOR, &ticket);
    let pair = Action::Pair {
        operator: token(1),
        device: token(2),
        key: key(1),
    };
    assert_eq!(actions[0], pair);
    for leg in [OPERATOR, DEVICE] {
        assert_eq!(tickets_to(leg, &actions), std::slice::from_ref(&ticket));
    }
    // It ends as any meeting does, with all that the access line wants to know.
    world.release(DEVICE, ticket.rendezvous, ReleaseReason::SessionEnded);
    let actions = world.actions();
    let Some(Action::Unpair(end)) = actions.first() else {
        panic!("{actions:?}")
    };
    assert_eq!(end.serial.as_str(), "SN-1");
    assert_eq!(end.end - end.start, Duration::from_secs(3600));
    assert_eq!(end.name.as_ref().map(Name::as_str), Some("Ana"));
    assert!(actions.contains(&gone(
        OPERATOR,
        ticket.rendezvous,
        Departure::Released(ReleaseReason::SessionEnded)
    )));
    world.allocate(OPERATOR, 600).unwrap();
}

#[test]
fn a_leg_that_was_lost_comes_back_to_a_meeting_whose_code_has_expired() {
    let (mut world, ticket) = met();
    world.pass(Duration::from_secs(1200));
    world.board.leave(world.now, DEVICE);
    let actions = world.actions();
    // Told as the loss of a leg alone: the session may go on.
    assert!(actions.contains(&gone(OPERATOR, ticket.rendezvous, Departure::LegLost)));
    assert!(!actions.contains(&gone(OPERATOR, ticket.rendezvous, Departure::Relay)));
    let again = LegId(7);
    world.admit(again, Role::Device, 2).unwrap();
    assert_eq!(world.rejoin(OPERATOR, &ticket), []);
    assert_eq!(pairs(&world.rejoin(again, &ticket)), 1);
}

#[test]
fn a_leg_that_was_lost_comes_back_while_the_code_lives_and_nobody_else_can_have_it() {
    let (mut world, ticket) = met();
    world.pass(Duration::from_secs(90));
    world.board.leave(world.now, DEVICE);
    let again = LegId(7);
    world.admit(again, Role::Device, 2).unwrap();
    assert_eq!(pairs(&world.rejoin(again, &ticket)), 0);
    assert_eq!(pairs(&world.rejoin(OPERATOR, &ticket)), 1);
    // The very same leg, on another connection.
    let other = LegId(8);
    world.admit(other, Role::Device, 2).unwrap();
    let actions = world.rejoin(other, &ticket);
    assert_eq!((pairs(&actions), tickets_to(other, &actions).len()), (0, 1));
}

#[test]
fn one_side_alone_gets_nowhere_with_a_ticket() {
    let (mut world, ticket) = met();
    world.release(OPERATOR, ticket.rendezvous, ReleaseReason::SessionEnded);
    world.actions();
    assert_eq!(world.rejoin(DEVICE, &ticket), []);
    world.allocate(OPERATOR, 600).unwrap();
    assert_eq!(world.rejoin(DEVICE, &ticket), []);
    let mut world = world.restarted();
    assert_eq!(world.rejoin(DEVICE, &ticket), []);
}

#[test]
fn a_ticket_that_is_forged_or_changed_is_refused() {
    let (world, ticket) = met();
    let mut world = world.restarted();
    type Change = fn(&mut PairingTicket);
    let changes: [Change; 9] = [
        |ticket| ticket.seal[31] ^= 1,
        |ticket| ticket.seal = [0; 32],
        |ticket| ticket.rendezvous.0[0] ^= 1,
        |ticket| ticket.operator.token.0[0] ^= 1,
        |ticket| ticket.operator.key.0[0] ^= 1,
        |ticket| ticket.serial = Serial::new("SN-2").unwrap(),
        |ticket| ticket.started += 1,
        |ticket| ticket.expires += 1,
        |ticket| ticket.matter = Some(alongside_protocol::label::Ticket::new("x").unwrap()),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut forged = ticket.clone();
        change(&mut forged);
        assert_eq!(world.refusal(DEVICE, &forged), BAD, "change {n}");
    }
    // Another relay's.
    world.board.tickets = Tickets::new(&[8; 32], world.now, Duration::from_secs(1_794_000_000));
    assert_eq!(world.refusal(DEVICE, &ticket), BAD);
}

#[test]
fn a_ticket_is_refused_from_every_leg_but_its_own_two() {
    let (world, ticket) = met();
    let mut world = world.restarted();
    // Another token, another key, the other role, and the wrong one of the two.
    let stranger = LegId(9);
    world.admit(stranger, Role::Device, 9).unwrap();
    assert_eq!(world.refusal(stranger, &ticket), BAD);
    world.board.leave(world.now, DEVICE);
    let thief = NewLeg {
        role: Role::Device,
        key: key(9),
        token: token(2),
        source: IpAddr::from([192, 0, 2, 9]),
    };
    world.board.admit(LegId(10), thief).unwrap();
    assert_eq!(world.refusal(LegId(10), &ticket), BAD);
    world.board.leave(world.now, LegId(10));
    world.admit(LegId(11), Role::Operator, 2).unwrap();
    assert_eq!(world.refusal(LegId(11), &ticket), BAD);
    // Whoever took the device's token meanwhile is not paired with the operator either.
    assert_eq!(world.rejoin(OPERATOR, &ticket), []);
    assert_eq!(world.refusal(LegId(404), &ticket), BAD);
}

#[test]
fn a_ticket_ends_after_a_day_and_with_the_operators_place_in_the_table() {
    let (world, ticket) = met();
    let mut world = world.restarted();
    world.pass(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(world.refusal(DEVICE, &ticket), None);
    world.pass(Duration::from_secs(1));
    assert_eq!(
        world.refusal(DEVICE, &ticket),
        Some(RelayRefusal::TicketExpired)
    );
    let (world, ticket) = met();
    let mut world = world.restarted();
    world.board.set_operators(world.now, Arc::default());
    assert_eq!(world.refusal(DEVICE, &ticket), BAD);
}

#[test]
fn a_leg_in_another_meeting_shows_an_old_ticket_in_vain() {
    let (mut world, old) = met();
    world.release(OPERATOR, old.rendezvous, ReleaseReason::SessionEnded);
    let allocated = world.allocate(OPERATOR, 600).unwrap();
    world.claim(DEVICE, allocated.nameplate).unwrap();
    assert_eq!(world.refusal(DEVICE, &old), BAD);
    assert_eq!(world.refusal(OPERATOR, &old), BAD);
}
