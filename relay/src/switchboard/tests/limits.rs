//! What one operator and one source may take.

use super::*;

#[test]
fn quotas_hold_over_all_legs_of_one_operator() {
    let mut world = World::with(Limits {
        codes_per_operator: 2,
        allocations_per_minute: 4,
        ..Limits::default()
    });
    for n in 1..=3 {
        let leg = NewLeg {
            role: Role::Operator,
            key: key(1),
            token: token(n),
            source: IpAddr::from([192, 0, 2, 1]),
        };
        world.board.admit(LegId(n.into()), leg).unwrap();
    }
    world.allocate(LegId(1), 600).unwrap();
    world.allocate(LegId(2), 600).unwrap();
    assert_eq!(
        world.allocate(LegId(3), 600),
        Err(RelayRefusal::Quota),
        "two live codes"
    );
    world
        .allocate(LegId(2), 600)
        .expect("replacing one's own code needs no more room");
    world.board.leave(world.now, LegId(1));
    world.allocate(LegId(3), 600).unwrap();
    world.pass(Duration::from_secs(59));
    assert_eq!(
        world.allocate(LegId(3), 600),
        Err(RelayRefusal::Quota),
        "four in a minute"
    );
    world.pass(Duration::from_secs(1));
    world.allocate(LegId(3), 600).unwrap();
}

#[test]
fn failed_claims_make_their_source_wait_longer_and_longer() {
    let mut world = World::new();
    let nowhere = Nameplate::new(0).unwrap();
    let mut fail_after = |wait: u64| {
        world.pass(Duration::from_secs(wait));
        world.board.claim(
            world.now,
            DEVICE,
            Claim {
                nameplate: nowhere,
                serial: Serial::new("S").unwrap(),
            },
        );
        match world.last_message(DEVICE) {
            FromRelay::Refused(refused) => (refused.reason, refused.retry_after_s),
            other => panic!("{other:?}"),
        }
    };
    for _ in 0..5 {
        assert_eq!(fail_after(0), (RelayRefusal::CodeUnknown, None));
    }
    assert_eq!(fail_after(0), (RelayRefusal::TooManyClaims, Some(5)));
    for wait in [5, 10, 20, 40, 80, 160, 320] {
        assert_eq!(
            fail_after(wait),
            (RelayRefusal::CodeUnknown, None),
            "{wait}"
        );
        assert_eq!(fail_after(0).0, RelayRefusal::TooManyClaims, "{wait}");
    }
    assert_eq!(fail_after(0), (RelayRefusal::TooManyClaims, Some(600)));
    assert_eq!(fail_after(1200), (RelayRefusal::CodeUnknown, None));
    assert_eq!(
        fail_after(0),
        (RelayRefusal::CodeUnknown, None),
        "forgiven after the window"
    );
}

#[test]
fn a_source_that_waits_cannot_claim_even_a_live_nameplate() {
    let mut world = World::new();
    for _ in 0..5 {
        world.claim(DEVICE, Nameplate::new(0).unwrap()).unwrap_err();
    }
    let allocated = world.allocate(OPERATOR, 600).unwrap();
    assert_eq!(
        world.claim(DEVICE, allocated.nameplate),
        Err(RelayRefusal::TooManyClaims)
    );
}

#[test]
fn a_guesser_that_hangs_up_before_it_is_told_waits_all_the_same() {
    let mut world = World::with(Limits::default());
    world.admit(OPERATOR, Role::Operator, 1).unwrap();
    for n in 0..5 {
        let nameplate = world.allocate(OPERATOR, 600).unwrap().nameplate;
        let guesser = LegId(10 + n);
        world.admit(guesser, Role::Device, 2).unwrap();
        world.claim(guesser, nameplate).unwrap();
        world.pass(Duration::from_secs(1));
        world.board.leave(world.now, guesser);
    }
    world.admit(DEVICE, Role::Device, 2).unwrap();
    let nameplate = world.allocate(OPERATOR, 600).unwrap().nameplate;
    let refused = Err(RelayRefusal::TooManyClaims);
    assert_eq!(world.claim(DEVICE, nameplate), refused);
}

#[test]
fn sessions_that_end_are_no_guesses() {
    let mut world = World::new();
    for n in 0..10 {
        let nameplate = world.allocate(OPERATOR, 600).unwrap().nameplate;
        let meeting = world.claim(DEVICE, nameplate).expect("no wait");
        world.pass(Duration::from_secs(60));
        let who = if n % 2 == 0 { DEVICE } else { OPERATOR };
        world.release(who, meeting, ReleaseReason::SessionEnded);
    }
}

#[test]
fn memory_of_failures_is_bounded() {
    let mut strikes = Strikes::new(&Limits {
        tracked_sources: 16,
        ..Limits::default()
    });
    let world = World::new();
    for n in 0..1000_u32 {
        strikes.record(
            world.now + Duration::from_millis(n.into()),
            Source::of(IpAddr::from(n.to_be_bytes())),
        );
        assert!(strikes.len() <= 16);
    }
}

#[test]
fn a_full_relay_and_a_full_source_take_no_more_legs() {
    let mut world = World::with(Limits {
        legs: 3,
        legs_per_source: 1,
        ..Limits::default()
    });
    world.admit(LegId(1), Role::Device, 1).unwrap();
    let neighbour = NewLeg {
        role: Role::Device,
        key: key(2),
        token: token(2),
        source: IpAddr::from([192, 0, 2, 1]),
    };
    assert_eq!(
        world.board.admit(LegId(2), neighbour),
        Err(RelayRefusal::Full)
    );
    world.admit(LegId(3), Role::Device, 3).unwrap();
    world.admit(LegId(4), Role::Device, 4).unwrap();
    assert_eq!(
        world.admit(LegId(5), Role::Device, 5),
        Err(RelayRefusal::Full)
    );
    world.board.leave(world.now, LegId(1));
    world.admit(LegId(5), Role::Device, 5).unwrap();
}

#[test]
fn an_operator_that_has_used_up_its_month_gets_no_new_code_until_the_next() {
    let (mut world, allocated) = World::met();
    let [november, december] =
        [1_794_000_000, 1_797_000_000].map(|s| Month::of(Duration::from_secs(s)));
    let quota = u64::from(Limits::default().gib_per_operator_month) << 30;
    assert!(!world.board.count(november, key(1), quota - 1));
    assert!(world.board.count(november, key(1), 1), "used up now");
    assert!(!world.board.count(november, key(1), 1), "told once");
    assert!(
        !ends(&world.actions()).iter().any(|_| true),
        "the session goes on"
    );
    let ended = ReleaseReason::SessionEnded;
    world.release(OPERATOR, allocated.rendezvous, ended);
    assert_eq!(world.allocate(OPERATOR, 600), Err(RelayRefusal::Quota));

    let mut generous = Operator::new(Name::new("Ana").unwrap(), None);
    generous.gib_per_month = Some(Limits::default().gib_per_operator_month + 1);
    let more = Operators::default().with(key(1), generous);
    world.board.set_operators(world.now, Arc::new(more));
    world.allocate(OPERATOR, 600).expect("it may have more");

    let ana = Operator::new(Name::new("Ana").unwrap(), None);
    let as_before = Operators::default().with(key(1), ana);
    world.board.set_operators(world.now, Arc::new(as_before));
    assert_eq!(world.allocate(OPERATOR, 600), Err(RelayRefusal::Quota));
    world.board.turn_to(december);
    world.allocate(OPERATOR, 600).expect("another month");
}

#[test]
fn guesses_from_all_over_make_every_source_wait_after_one() {
    let mut world = World::new();
    let nowhere = Nameplate::new(0).unwrap();
    for n in 0..50 {
        world
            .admit(LegId(100 + u64::from(n)), Role::Device, 100 + n)
            .unwrap();
    }
    // Two each are no reason to wait.
    for n in 0..99 {
        let answer = world.claim(LegId(100 + n % 50), nowhere);
        assert_eq!(answer, Err(RelayRefusal::CodeUnknown));
    }
    assert!(!world.board.is_alarmed(world.now));
    assert_eq!(world.claim(DEVICE, nowhere), Err(RelayRefusal::CodeUnknown));
    assert!(world.board.is_alarmed(world.now));
    assert_eq!(
        world.claim(DEVICE, nowhere),
        Err(RelayRefusal::TooManyClaims),
        "the first one was enough"
    );
    world.pass(Duration::from_secs(300));
    assert!(!world.board.is_alarmed(world.now));
    assert_eq!(world.claim(DEVICE, nowhere), Err(RelayRefusal::CodeUnknown));
}
