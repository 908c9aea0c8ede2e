//! What holds whatever legs do, in whatever order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Admit {
        leg: u64,
        n: u8,
        operator: bool,
    },
    Leave {
        leg: u64,
    },
    Allocate {
        leg: u64,
        ttl_s: u16,
    },
    /// Claims the nameplate allocated `back` allocations ago, or one that nobody allocated.
    Claim {
        leg: u64,
        back: usize,
    },
    Release {
        leg: u64,
        back: usize,
        reason: ReleaseReason,
    },
    Pass {
        seconds: u64,
    },
    Operators {
        any: bool,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let leg = 0..6_u64;
    let reason = prop_oneof![
        Just(ReleaseReason::WrongCode),
        Just(ReleaseReason::CodeDead),
        Just(ReleaseReason::SessionEnded)
    ];
    prop_oneof![
        4 => (leg.clone(), 0..6_u8, any::<bool>()).prop_map(|(leg, n, operator)| Step::Admit { leg, n, operator }),
        1 => leg.clone().prop_map(|leg| Step::Leave { leg }),
        4 => (leg.clone(), 0..4000_u16).prop_map(|(leg, ttl_s)| Step::Allocate { leg, ttl_s }),
        6 => (leg.clone(), 0..4_usize).prop_map(|(leg, back)| Step::Claim { leg, back }),
        2 => (leg, 0..4_usize, reason).prop_map(|(leg, back, reason)| Step::Release { leg, back, reason }),
        1 => (0..4000_u64).prop_map(|seconds| Step::Pass { seconds }),
        1 => any::<bool>().prop_map(|any| Step::Operators { any }),
    ]
}

/// What an onlooker knows who sees only requests and actions.
#[derive(Default)]
struct Onlooker {
    roles: BTreeMap<LegToken, Role>,
    /// Nameplates handed out and to whom.
    allocated: Vec<(Allocated, LegToken)>,
    /// The claim being handled: by whom, of what.
    claiming: Option<(LegToken, Nameplate)>,
    paired: BTreeMap<LegToken, LegToken>,
}

impl Onlooker {
    fn see(&mut self, actor: Option<LegToken>, action: &Action) -> Result<(), TestCaseError> {
        match action {
            Action::Pair {
                operator, device, ..
            } => {
                let (claimer, nameplate) = self.claiming.expect("paired without a claim");
                prop_assert_eq!(claimer, *device);
                let owner = self
                    .allocated
                    .iter()
                    .rev()
                    .find(|(allocated, _)| allocated.nameplate == nameplate);
                prop_assert_eq!(owner.expect("paired without an allocation").1, *operator);
                prop_assert!(
                    self.paired.insert(*operator, *device).is_none(),
                    "the operator has another meeting"
                );
                prop_assert!(
                    self.paired.insert(*device, *operator).is_none(),
                    "the device has another meeting"
                );
            }
            Action::Unpair(end) => {
                prop_assert_eq!(self.paired.remove(&end.operator), Some(end.device));
                prop_assert_eq!(self.paired.remove(&end.device), Some(end.operator));
                prop_assert!(end.end >= end.start);
            }
            Action::Send {
                message: FromRelay::Allocated(allocated),
                ..
            } => {
                self.allocated
                    .push((allocated.clone(), actor.expect("an operator asked")));
            }
            Action::Send { .. } | Action::Close { .. } => {}
        }
        Ok(())
    }

    fn nth_last(&self, back: usize) -> (Nameplate, RendezvousId) {
        let found = self
            .allocated
            .iter()
            .rev()
            .nth(back)
            .map(|(a, _)| (a.nameplate, a.rendezvous));
        found.unwrap_or((Nameplate::new(4711).unwrap(), RendezvousId([0; 16])))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Two legs are paired only by an allocation of one and a claim of the other, each has one meeting at most,
    /// and whoever is gone is in none.
    #[test]
    fn nothing_is_paired_without_both_sides(steps in prop::collection::vec(any_step(), 0..120)) {
        let limits = Limits { failed_claims: 1000, allocations_per_minute: 1000, ..Limits::default() };
        let mut world = World::with(limits);
        world.board.set_operators(world.now, Arc::new(Operators::danger_anybody()));
        let mut onlooker = Onlooker::default();
        // Leg ids are used once: each admission of `leg` gets a fresh one.
        let mut ids: BTreeMap<u64, (LegId, LegToken)> = BTreeMap::new();
        let mut fresh = 0;
        for step in steps {
            let id = |leg: u64| ids.get(&leg).map_or(LegId(u64::MAX), |(id, _)| *id);
            let actor = match &step {
                Step::Admit { leg, .. } | Step::Leave { leg } | Step::Allocate { leg, .. }
                | Step::Claim { leg, .. } | Step::Release { leg, .. } => ids.get(leg).map(|(_, token)| *token),
                Step::Pass { .. } | Step::Operators { .. } => None,
            };
            onlooker.claiming = None;
            match step {
                Step::Admit { leg, n, operator } => {
                    fresh += 1;
                    let role = if operator { Role::Operator } else { Role::Device };
                    if let Some((old, _)) = ids.remove(&leg) {
                        world.board.leave(world.now, old);
                    }
                    if world.admit(LegId(fresh), role, n).is_ok() {
                        ids.insert(leg, (LegId(fresh), token(n)));
                        onlooker.roles.insert(token(n), role);
                    }
                }
                Step::Leave { leg } => world.board.leave(world.now, id(leg)),
                Step::Allocate { leg, ttl_s } => {
                    world.draws += 1;
                    let entropy = std::array::from_fn(|i| mix(world.draws * 1000 + i as u64));
                    world.board.allocate(world.now, id(leg), Allocate { ttl_s, ticket: None }, &entropy);
                }
                Step::Claim { leg, back } => {
                    let (nameplate, _) = onlooker.nth_last(back);
                    onlooker.claiming = actor.map(|token| (token, nameplate));
                    let serial = Serial::new("SN-1").unwrap();
                    world.board.claim(world.now, id(leg), Claim { nameplate, serial });
                }
                Step::Release { leg, back, reason } => {
                    let rendezvous = onlooker.nth_last(back).1.of_try(1);
                    world.board.release(world.now, id(leg), Release { rendezvous, reason });
                }
                Step::Pass { seconds } => world.pass(Duration::from_secs(seconds)),
                Step::Operators { any } => {
                    let table = if any { Operators::danger_anybody() } else { Operators::default() };
                    world.board.set_operators(world.now, Arc::new(table));
                }
            }
            for action in world.actions() {
                onlooker.see(actor, &action)?;
            }
            for (a, b) in &onlooker.paired {
                prop_assert!(world.board.tokens.contains_key(a), "a leg that is gone is still paired");
                prop_assert_ne!(onlooker.roles.get(a), onlooker.roles.get(b));
            }
            let live = world.board.plates.values().filter(|plate| matches!(plate, Plate::Live(_))).count();
            prop_assert!(live <= world.board.legs.len(), "a live nameplate without its operator's leg");
            prop_assert_eq!(world.board.legs.len(), world.board.tokens.len());
        }
        world.board.shut_down(world.now);
        for action in world.actions() {
            onlooker.see(None, &action)?;
        }
        prop_assert!(onlooker.paired.is_empty());
    }
}
