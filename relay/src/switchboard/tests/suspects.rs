//! Meetings that devices end before anybody knows whether the code was right.

use super::*;

#[test]
fn a_session_that_the_device_ends_at_once_is_no_guess_once_the_operators_side_says_so() {
    let mut world = World::new();
    for n in 0..20 {
        let nameplate = world.allocate(OPERATOR, 600).unwrap().nameplate;
        let meeting = world.claim(DEVICE, nameplate).expect("no wait");
        world.pass(Duration::from_secs(7));
        world.release(DEVICE, meeting, ReleaseReason::SessionEnded);
        if n % 2 == 0 {
            world.pass(Duration::from_secs(1));
        }
        world.release(OPERATOR, meeting, ReleaseReason::SessionEnded);
    }
}

#[test]
fn a_source_with_too_many_unknown_outcomes_waits_for_them() {
    let mut world = World::new();
    let end_early = |world: &mut World| -> Result<RendezvousId, RelayRefusal> {
        let nameplate = world.allocate(OPERATOR, 600).unwrap().nameplate;
        let meeting = world.claim(DEVICE, nameplate)?;
        world.release(DEVICE, meeting, ReleaseReason::SessionEnded);
        Ok(meeting)
    };
    let meetings: Vec<_> = (0..5).map(|_| end_early(&mut world).unwrap()).collect();
    let refused = Err(RelayRefusal::TooManyClaims);
    assert_eq!(end_early(&mut world), refused);
    // Somebody else's word does not count, and a bad one of the operator counts as a wrong code.
    world.admit(LegId(7), Role::Operator, 7).unwrap();
    world.release(LegId(7), meetings[0], ReleaseReason::SessionEnded);
    world.release(OPERATOR, meetings[0], ReleaseReason::WrongCode);
    assert_eq!(end_early(&mut world), refused);
    world.release(OPERATOR, meetings[1], ReleaseReason::SessionEnded);
    end_early(&mut world).unwrap();
    // The others are heard no longer, and were guesses.
    assert_eq!(end_early(&mut world), refused);
    world.pass(Duration::from_secs(15));
    assert_eq!(end_early(&mut world), refused);
    world.pass(Duration::from_secs(600));
    end_early(&mut world).unwrap();
}
