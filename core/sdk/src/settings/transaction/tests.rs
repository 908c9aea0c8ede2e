use alongside_protocol::fuzzing::mutations;

use super::*;
use crate::clock;

const ONE: TransactionId = TransactionId(1);
const TWO: TransactionId = TransactionId(2);

fn wish() -> Wish {
    Wish::Change(Proposal {
        changes: Vec::new(),
        if_version: None,
    })
}

fn plan() -> Plan {
    Plan {
        version: SettingsVersion::from_bits(7),
        changes: Vec::new(),
        set: Vec::new(),
        differences: Vec::new(),
    }
}

fn drain(machine: &mut Transaction) -> Vec<Output> {
    let mut all = Vec::new();
    loop {
        match machine.poll() {
            Output::Wait(_) => return all,
            output => all.push(output),
        }
    }
}

fn applied(start: Instant) -> Transaction {
    let mut machine = Transaction::new(None);
    for input in [
        Input::Propose(ONE, wish()),
        Input::Done(Report::Planned(Ok(plan()))),
        Input::Allow(ONE),
        Input::Done(Report::Applied(Ok(()))),
    ] {
        machine.handle(start, input);
    }
    let seen = drain(&mut machine);
    let within = CONFIRM_WITHIN;
    assert_eq!(
        seen,
        [
            Output::Run(Job::Plan(wish())),
            Output::Ask(ONE, Vec::new()),
            Output::Tell(ONE, Stage::Asked),
            Output::Run(Job::Apply(ONE, plan())),
            Output::Tell(ONE, Stage::Applied { within }),
        ]
    );
    machine
}

#[test]
fn what_nobody_confirms_in_time_is_taken_back() {
    let start = clock::now();
    let mut machine = applied(start);
    let over = start + CONFIRM_WITHIN;
    assert_eq!(machine.poll(), Output::Wait(Some(over)));
    machine.handle(over, Input::Confirm(ONE));
    assert_eq!(drain(&mut machine), []);
    machine.handle(over, Input::Timeout);
    assert_eq!(drain(&mut machine), [Output::Run(Job::RollBack(ONE))]);
    machine.handle(over, Input::Done(Report::RolledBack(Ok(()))));
    assert_eq!(
        drain(&mut machine),
        [Output::Tell(ONE, Stage::RolledBack(Reason::Unconfirmed))]
    );
    assert!(machine.is_idle());
}

#[test]
fn what_cannot_be_taken_back_is_tried_again_and_blocks_the_next() {
    let start = clock::now();
    let mut machine = applied(start);
    machine.handle(start, Input::Withdraw);
    machine.handle(
        start,
        Input::Done(Report::RolledBack(Err("full".to_owned()))),
    );
    machine.handle(start, Input::Propose(TWO, wish()));
    assert_eq!(
        drain(&mut machine),
        [
            Output::Run(Job::RollBack(ONE)),
            Output::Tell(ONE, Stage::Stuck("full".to_owned())),
            Output::Tell(TWO, Stage::Busy),
        ]
    );
    machine.handle(start + RETRY_AFTER, Input::Timeout);
    machine.handle(start + RETRY_AFTER, Input::Done(Report::RolledBack(Ok(()))));
    assert_eq!(
        drain(&mut machine),
        [
            Output::Run(Job::RollBack(ONE)),
            Output::Tell(ONE, Stage::RolledBack(Reason::Withdrawn)),
        ]
    );
}

#[test]
fn a_grant_that_ends_while_a_change_is_made_takes_it_back() {
    let start = clock::now();
    let mut machine = Transaction::new(None);
    machine.handle(start, Input::Propose(ONE, wish()));
    machine.handle(start, Input::Done(Report::Planned(Ok(plan()))));
    machine.handle(start, Input::Allow(ONE));
    machine.handle(start, Input::Withdraw);
    machine.handle(start, Input::Done(Report::Applied(Ok(()))));
    assert_eq!(
        drain(&mut machine).last(),
        Some(&Output::Run(Job::RollBack(ONE)))
    );
}

#[test]
fn the_answer_to_one_change_allows_no_other() {
    let start = clock::now();
    let mut machine = Transaction::new(None);
    machine.handle(start, Input::Propose(ONE, wish()));
    machine.handle(start, Input::Allow(ONE));
    machine.handle(start, Input::Done(Report::Planned(Ok(plan()))));
    machine.handle(start, Input::Allow(TWO));
    machine.handle(start, Input::Refuse(TWO));
    let seen = drain(&mut machine);
    assert!(
        !seen
            .iter()
            .any(|output| matches!(output, Output::Run(Job::Apply(..))))
    );
    machine.handle(start, Input::Refuse(ONE));
    assert_eq!(drain(&mut machine), [Output::Tell(ONE, Stage::Refused)]);
}

#[test]
fn what_was_left_open_is_taken_back_first() {
    let mut machine = Transaction::new(Some(ONE));
    machine.handle(clock::now(), Input::Propose(TWO, wish()));
    assert_eq!(
        drain(&mut machine),
        [
            Output::Run(Job::RollBack(ONE)),
            Output::Tell(TWO, Stage::Busy)
        ]
    );
}

/// What has to hold whatever happens in whatever order.
#[derive(Default)]
struct Model {
    allowed: Option<TransactionId>,
    running: Option<Job>,
    /// Applied, or may be.
    touched: Option<TransactionId>,
    proposed: Vec<TransactionId>,
    ended: Vec<TransactionId>,
}

impl Model {
    fn observe(&mut self, now: Instant, machine: &mut Transaction) {
        for output in drain(machine) {
            match output {
                Output::Run(job) => {
                    assert!(self.running.is_none(), "two jobs at a time");
                    match &job {
                        Job::Plan(_) => assert!(self.touched.is_none(), "planned on quicksand"),
                        Job::Apply(id, _) => {
                            assert_eq!(self.allowed, Some(*id), "applied what nobody allowed");
                            self.touched = Some(*id);
                        }
                        Job::Confirm(id) | Job::RollBack(id) => {
                            assert_eq!(self.touched, Some(*id));
                        }
                    }
                    self.running = Some(job);
                }
                Output::Ask(..) => self.allowed = None,
                Output::Tell(_, Stage::Asked | Stage::Applied { .. } | Stage::Stuck(_)) => {}
                Output::Tell(id, stage) => {
                    assert!(!self.ended.contains(&id), "{id:?} ends twice");
                    let was_touched = self.touched == Some(id);
                    let leaves_touched = match stage {
                        Stage::Confirmed | Stage::RolledBack(_) => true,
                        Stage::NotRecorded(_) | Stage::Conflict | Stage::Failed(_) => was_touched,
                        _ => false,
                    };
                    assert_eq!(
                        was_touched, leaves_touched,
                        "{stage:?} leaves the device torn"
                    );
                    if was_touched {
                        self.touched = None;
                    }
                    self.ended.push(id);
                }
                Output::Wait(_) => {}
            }
        }
        if self.running.is_none() && self.touched.is_some() {
            // Something will happen by itself, and soon.
            let Output::Wait(Some(at)) = machine.poll() else {
                panic!("forgotten");
            };
            assert!(at > now && at <= now + CONFIRM_WITHIN, "forgotten");
        }
    }
}

fn body(data: &[u8]) {
    let mut machine = Transaction::new(None);
    let mut model = Model::default();
    let mut now = clock::now();
    let mut last = 0;
    for byte in data {
        let id = TransactionId(last + 1 - u64::from(byte >> 7).min(last));
        let is_well = byte & 0x40 == 0;
        let words = || "broken".to_owned();
        let input = match byte & 0x0f {
            0 | 1 => {
                last += 1;
                model.proposed.push(TransactionId(last));
                Input::Propose(TransactionId(last), wish())
            }
            2 | 3 => {
                let id = if is_well { TransactionId(last) } else { id };
                // Whoever allows before they are asked has allowed nothing.
                if matches!(machine.state, State::Asking(asked, _) if asked == id) {
                    model.allowed = Some(id);
                }
                Input::Allow(id)
            }
            4 => Input::Refuse(id),
            5 | 6 => Input::Confirm(TransactionId(last)),
            7 => Input::Withdraw,
            8 | 9 => {
                now += Duration::from_secs(u64::from(byte >> 4) * 5);
                Input::Timeout
            }
            _ => match model.running.take() {
                None => Input::Timeout,
                Some(Job::Plan(_)) if is_well => Input::Done(Report::Planned(Ok(plan()))),
                Some(Job::Plan(_)) => Input::Done(Report::Planned(Err(Stage::Conflict))),
                Some(Job::Apply(..)) if is_well => Input::Done(Report::Applied(Ok(()))),
                Some(Job::Apply(..)) => Input::Done(Report::Applied(Err(if byte >> 7 == 0 {
                    NotApplied::Untouched(Stage::NotRecorded(words()))
                } else {
                    NotApplied::Touched(Reason::Failed(words()))
                }))),
                Some(Job::Confirm(_)) => {
                    Input::Done(Report::Confirmed(is_well.then_some(()).ok_or_else(words)))
                }
                Some(Job::RollBack(_)) => {
                    Input::Done(Report::RolledBack(is_well.then_some(()).ok_or_else(words)))
                }
            },
        };
        machine.handle(now, input);
        machine.handle(now, Input::Timeout);
        model.observe(now, &mut machine);
    }
    // Left alone, with a device that works again, everything ends.
    for _ in 0..8 {
        let done = match model.running.take() {
            Some(Job::Plan(_)) => Input::Done(Report::Planned(Ok(plan()))),
            Some(Job::Apply(..)) => Input::Done(Report::Applied(Ok(()))),
            Some(Job::Confirm(_)) => Input::Done(Report::Confirmed(Ok(()))),
            Some(Job::RollBack(_)) => Input::Done(Report::RolledBack(Ok(()))),
            None => Input::Withdraw,
        };
        machine.handle(now, done);
        now += RETRY_AFTER;
        machine.handle(now, Input::Timeout);
        model.observe(now, &mut machine);
    }
    assert!(machine.is_idle() && model.touched.is_none());
    model.proposed.sort_unstable();
    model.ended.sort_unstable();
    assert_eq!(model.proposed, model.ended, "each change ends once");
}

#[test]
fn whatever_comes_in_whatever_order_the_device_is_never_left_torn() {
    let seeds: Vec<Vec<u8>> = vec![
        vec![0, 10, 2, 11, 5, 12, 1, 13, 3, 14, 0x98],
        vec![0, 10, 2, 7, 11, 0x4c, 0x18, 12],
        vec![0, 0x4a, 0, 10, 4, 1, 10, 3, 0xcb, 12],
        vec![0, 10, 3, 0x4b, 0, 10, 2, 11, 5, 0x4c, 13],
    ];
    mutations(&seeds, 50_000, body);
}
