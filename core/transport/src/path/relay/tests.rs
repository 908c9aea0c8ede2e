use super::*;

const BOTH: Allowed = Allowed {
    udp: true,
    stream: true,
};

const DOUBLED_TO_STREAM: Action = Action::Take(RelayWays {
    control: Hop::Stream,
    sessions: Hop::Stream,
    doubled: true,
});

/// A link and its world, in steps of 10 ms.
struct World {
    link: RelayLink,
    start: Instant,
    now: Instant,
    heard_udp: Instant,
    is_busy: bool,
}

impl World {
    fn new(allowed: Allowed, hop: Hop) -> Self {
        let now = tokio::time::Instant::now().into_std();
        Self {
            link: RelayLink::new(now, allowed, hop),
            start: now,
            now,
            heard_udp: now,
            is_busy: true,
        }
    }

    fn observed(&self) -> Observed {
        Observed {
            heard_udp: self.heard_udp,
            is_busy: self.is_busy,
            is_wanted: false,
        }
    }

    /// Runs for `ms`; what was done, with the time since the start. Over UDP something is heard at each step if
    /// `udp` says so.
    fn run(&mut self, ms: u64, udp: bool) -> Vec<(u64, Action)> {
        let mut done = Vec::new();
        for _ in 0..ms / 10 {
            self.now += Duration::from_millis(10);
            if udp {
                self.heard_udp = self.now;
            }
            self.link.handle_timeout(self.now, self.observed());
            done.extend(self.actions());
        }
        done
    }

    fn actions(&mut self) -> Vec<(u64, Action)> {
        let at = (self.now - self.start).as_millis() as u64;
        let mut done = Vec::new();
        while let Some(action) = self.link.poll_action() {
            if action == Action::Ask {
                self.link.handle_asked(self.now);
            }
            done.push((at, action));
        }
        done
    }
}

fn without_questions(done: Vec<(u64, Action)>) -> Vec<(u64, Action)> {
    done.into_iter()
        .filter(|(_, action)| *action != Action::Ask)
        .collect()
}

#[test]
fn a_busy_path_that_is_heard_costs_no_question() {
    let mut world = World::new(BOTH, Hop::Udp);
    assert_eq!(world.run(60_000, true), []);
}

#[test]
fn a_busy_path_that_falls_silent_is_suspected_after_400_ms_and_left_once_the_stream_is_open() {
    let mut world = World::new(BOTH, Hop::Udp);
    let done = world.run(500, false);
    assert_eq!(done[0], (250, Action::Ask));
    assert_eq!(without_questions(done), [(400, Action::OpenStream)]);
    world.link.handle_stream_up(world.now);
    assert_eq!(
        world.actions(),
        [(500, DOUBLED_TO_STREAM), (500, Action::Ask)]
    );
    let done = without_questions(world.run(1600, false));
    assert_eq!(
        done[done.len() - 1],
        (2000, Action::Take(RelayWays::all(Hop::Stream)))
    );
}

#[test]
fn patience_grows_with_the_round_trip() {
    let mut world = World::new(BOTH, Hop::Udp);
    world.link.handle_rtt(Duration::from_millis(300));
    let done = without_questions(world.run(2000, false));
    assert_eq!(done, [(1150, Action::OpenStream)]);
}

#[test]
fn an_idle_path_is_suspected_only_when_its_check_stays_unanswered() {
    let mut world = World::new(BOTH, Hop::Udp);
    world.is_busy = false;
    assert_eq!(world.run(60_000, false), []);
    world.link.handle_asked(world.now);
    assert_eq!(
        without_questions(world.run(3000, false)),
        [(61_500, Action::OpenStream)]
    );
}

#[test]
fn a_false_alarm_ends_with_the_next_packet_and_the_stream_a_while_later() {
    let mut world = World::new(BOTH, Hop::Udp);
    world.run(450, false);
    world.run(10, true);
    world.link.handle_stream_up(world.now);
    let done = world.run(20_000, true);
    assert_eq!(done, [(10_460, Action::CloseStream)]);
}

#[test]
fn udp_is_probed_while_the_stream_is_taken_and_taken_back_when_it_answers() {
    let mut world = World::new(BOTH, Hop::Stream);
    let probes = world.run(200_000, false);
    let times: Vec<u64> = probes.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [10, 510, 3510, 18_510, 78_510], "{probes:?}");
    assert!(probes.iter().all(|(_, action)| *action == Action::Probe));

    world.link.handle_probe_answer(world.now);
    let both = RelayWays {
        control: Hop::Udp,
        sessions: Hop::Stream,
        doubled: true,
    };
    let done: Vec<Action> = world
        .actions()
        .into_iter()
        .map(|(_, action)| action)
        .collect();
    assert_eq!(done, [Action::Take(both), Action::Ask]);
    assert_eq!(world.run(50, false), []);
    let done = world.run(20_000, true);
    let taken = (200_060, Action::Take(RelayWays::all(Hop::Udp)));
    assert_eq!(done, [taken, (210_060, Action::CloseStream)]);
}

#[test]
fn a_return_that_fails_goes_back_to_the_stream() {
    let mut world = World::new(BOTH, Hop::Stream);
    world.run(1000, false);
    world.link.handle_probe_answer(world.now);
    world.actions();
    let done = world.run(1500, false);
    assert_eq!(done[0], (2500, Action::Take(RelayWays::all(Hop::Stream))));
    assert_eq!(done[1], (2500, Action::Ask));
}

#[test]
fn a_stream_that_fails_is_opened_again_ever_more_slowly() {
    let mut world = World::new(BOTH, Hop::Stream);
    world.link.handle_stream_down(world.now, Again::Later);
    let mut opened = Vec::new();
    for _ in 0..6000 {
        for (at, action) in world.run(10, false) {
            if action == Action::OpenStream {
                opened.push(at);
                world.link.handle_stream_down(world.now, Again::Later);
            }
        }
    }
    assert_eq!(opened[..7], [250, 750, 1750, 3750, 5750, 7750, 9750]);
}

#[test]
fn a_stream_that_never_works_and_a_way_that_is_not_allowed_are_left_alone() {
    let only_udp = Allowed {
        udp: true,
        stream: false,
    };
    let mut world = World::new(only_udp, Hop::Udp);
    assert_eq!(without_questions(world.run(10_000, false)), []);
    let mut world = World::new(BOTH, Hop::Udp);
    world.run(500, false);
    world.link.handle_stream_down(world.now, Again::Never);
    assert_eq!(without_questions(world.run(60_000, false)), []);
    let only_stream = Allowed {
        udp: false,
        stream: true,
    };
    let mut world = World::new(only_stream, Hop::Stream);
    assert_eq!(world.run(400_000, false), []);
}
