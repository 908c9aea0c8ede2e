//! Every screen in every state, for tests and for looking at.

mod administrator;
mod differences;
mod people;

pub use people::{code, confirmed, unverified};
use people::{longest, nameless};

use std::time::Duration;

use alongside::{
    admin_id::UNTIL_RESET,
    ports::{Action, AdminVerdict},
    protocol::{
        AccessCode, Nameplate, PublicKey, SessionId,
        code::CodeSecret,
        ids::ModeId,
        input::{KeyEvent, KeyMotion, KeyName, PointerPhase},
        label::{Label, Name},
        reason::{EndReason, ModePhase, Party, Refusal},
    },
    status::{
        Active, Ask, Banner, CodeRefusal, ConnectProblem, Link, Obstacle, ObstacleKind,
        OperatorIdentity, Status,
    },
};

use super::{Allowed, Mfd, Place, Preferences, Scale, Step, Target};
use crate::text::Text;

/// Takes a state's name and the steps that lead to it.
type Add<'a> = dyn FnMut(&str, &dyn Fn(&mut Mfd)) + 'a;

/// A name for each state, and a panel in it.
pub fn states(text: Text, scale: Scale) -> Vec<(String, Mfd)> {
    let mut states = Vec::new();
    let mut add = |name: &str, steps: &dyn Fn(&mut Mfd)| {
        let mut mfd = Mfd::with_preferences(Preferences {
            allowed: Allowed::On,
            locale: text.locale(),
            scale,
        });
        steps(&mut mfd);
        states.push((name.to_owned(), mfd));
    };
    let places = [
        ("home", Place::Home),
        ("copy", Place::Copy),
        ("scan", Place::Scan),
        ("address", Place::Address),
        ("jobs-none", Place::Jobs),
        ("settings", Place::Settings),
        ("notice", Place::Notice),
    ];
    for (name, place) in places {
        add(name, &|mfd| visit(mfd, place));
    }
    add("copy-pressed", &|mfd| {
        visit(mfd, Place::Copy);
        "25".chars().for_each(|c| press(mfd, c));
        finger(mfd, Target::Step(Step::CopiesUp), PointerPhase::Down);
    });
    add("address-typed", &|mfd| type_address(mfd, "Front desk 2"));
    add("scan-ready", &|mfd| {
        type_address(mfd, "Front desk 2");
        tap(mfd, Target::SaveAddress);
    });
    add("job-running", &|mfd| start_job(mfd, 4_000));
    add("job-finished", &|mfd| start_job(mfd, 60_000));
    add("job-stopped", &|mfd| {
        start_job(mfd, 4_000);
        tap(mfd, Target::StopJob);
    });
    add("home-working", &|mfd| {
        start_job(mfd, 4_000);
        tap(mfd, Target::Go(Place::Home));
    });
    entry_states(&mut add);
    connecting_states(&mut add);
    session_states(&mut add);
    administrator::states(&mut add);
    for reason in EndReason::ALL {
        add(&format!("ended-{reason}"), &|mfd| {
            mfd.set_clock(1_764_000_000_000);
            for mode in [
                ModeId::USER_GUIDE,
                ModeId::OPERATOR_CONTROL,
                ModeId::ENGINEER_CONFIG,
            ] {
                let mode = ModeId::new(mode).unwrap_or_else(ModeId::user_guide);
                mfd.show(&Status::Active(Active {
                    mode,
                    ..active(confirmed())
                }));
            }
            mfd.tick(Duration::from_secs(754));
            mfd.show(&Status::Ended {
                by: Party::Operator,
                reason: *reason,
            });
        });
    }
    states
}

fn id_states(add: &mut Add<'_>, ask: &Active) {
    let wait = Duration::from_secs(30);
    let open = |mfd: &mut Mfd| {
        mfd.show(&Status::Active(ask.clone()));
        tap(mfd, Target::EnterId);
    };
    add("id", &open);
    add("id-typed", &|mfd| {
        open(mfd);
        "4829173".chars().for_each(|c| press(mfd, c));
        tap(mfd, Target::IdLetter('6'));
    });
    add("id-letters", &|mfd| {
        open(mfd);
        tap(mfd, Target::IdKeys);
        tap(mfd, Target::IdShift);
    });
    add("id-checking", &|mfd| {
        open(mfd);
        "48291736".chars().for_each(|c| press(mfd, c));
        tap(mfd, Target::ConfirmId);
    });
    let verdicts = [
        (
            "wrong",
            AdminVerdict::Wrong {
                tries_left: 2,
                wait: Duration::ZERO,
            },
        ),
        (
            "wrong-last",
            AdminVerdict::Wrong {
                tries_left: 1,
                wait: Duration::ZERO,
            },
        ),
        (
            "wait",
            AdminVerdict::Wrong {
                tries_left: 0,
                wait,
            },
        ),
        ("locked", AdminVerdict::Locked { wait: 40 * wait }),
        (
            "locked-for-good",
            AdminVerdict::Locked { wait: UNTIL_RESET },
        ),
        ("unavailable", AdminVerdict::Unavailable),
    ];
    for (name, verdict) in verdicts {
        for letters in [false, true] {
            let keys = if letters { "-letters" } else { "" };
            add(&format!("id-{name}{keys}"), &|mfd| {
                open(mfd);
                if letters {
                    tap(mfd, Target::IdKeys);
                }
                mfd.ask_answered(verdict);
            });
        }
        add(&format!("live-refused-after-{name}"), &|mfd| {
            open(mfd);
            mfd.ask_answered(verdict);
            mfd.show(&Status::Active(Active {
                refused: Some(Refusal::Locked),
                ..active(confirmed())
            }));
        });
    }
}

fn entry_states(add: &mut Add<'_>) {
    let code = code().reveal();
    let swapped = format!("{}{}{}", &code[1..2], &code[..1], &code[2..]);
    add("entry", &open_entry);
    for (name, digits) in [
        ("entry-part", &code[..6]),
        ("entry-ready", &code),
        ("entry-check-digit", &swapped),
    ] {
        add(name, &|mfd| {
            open_entry(mfd);
            digits.chars().for_each(|c| press(mfd, c));
        });
    }
    use alongside::protocol::code::{CodeError, CodePart};
    for (name, error) in [
        ("entry-short", CodeError::TooShort(CodePart::Second)),
        ("entry-no-digit", CodeError::NotADigit(CodePart::Third)),
        ("entry-long", CodeError::TooLong),
    ] {
        add(name, &|mfd| {
            mfd.show(&Status::CodeRefused(CodeRefusal::Malformed(error)))
        });
    }
}

fn connecting_states(add: &mut Add<'_>) {
    add("claiming", &|mfd| {
        mfd.tick(Duration::from_millis(700));
        mfd.show(&Status::Claiming);
    });
    for (name, operator) in [
        ("connecting-confirmed", confirmed()),
        ("connecting-unverified", unverified()),
        ("connecting-nameless", nameless()),
        ("connecting-longest", longest()),
    ] {
        add(name, &|mfd| {
            mfd.tick(Duration::from_millis(1_300));
            mfd.show(&Status::Connecting {
                operator: operator.clone(),
            });
        });
    }
    let problem = CodeRefusal::NoConnection;
    for (name, refusal) in [
        ("unknown", CodeRefusal::Unknown),
        ("expired", CodeRefusal::Expired),
        ("wrong-2", CodeRefusal::Wrong { tries_left: 2 }),
        ("wrong-1", CodeRefusal::Wrong { tries_left: 1 }),
        ("burnt", CodeRefusal::Burnt),
        (
            "locked",
            CodeRefusal::EntryLocked {
                wait: Duration::from_secs(222),
            },
        ),
        (
            "unlocked",
            CodeRefusal::EntryLocked {
                wait: Duration::ZERO,
            },
        ),
        (
            "operator-unreachable",
            problem(ConnectProblem::OperatorUnreachable),
        ),
        ("incompatible", problem(ConnectProblem::Incompatible)),
    ] {
        add(&format!("refused-{name}"), &|mfd| {
            mfd.show(&Status::CodeRefused(refusal.clone()))
        });
    }
    // What another wrote may be as long as 64 bytes.
    let detail = Label::new(&"W".repeat(64)).ok();
    for kind in ObstacleKind::ALL {
        let obstacle = Obstacle::with_detail(*kind, detail.clone());
        let refusal = problem(ConnectProblem::NoWay(obstacle));
        add(&format!("refused-{kind}"), &|mfd| {
            mfd.show(&Status::CodeRefused(refusal.clone()))
        });
    }
}

fn session_states(add: &mut Add<'_>) {
    let asks = |mode: &str, wants_admin_id| {
        let mode = ModeId::new(mode).unwrap_or_else(ModeId::user_guide);
        Some(Ask {
            mode,
            is_renewal: false,
            wants_admin_id,
            expires_in: Duration::from_secs(48),
            differences: None,
        })
    };
    let control = ModeId::new(ModeId::OPERATOR_CONTROL).unwrap_or_else(ModeId::user_guide);
    let config = ModeId::new(ModeId::ENGINEER_CONFIG).unwrap_or_else(ModeId::user_guide);
    let other = ModeId::new("com.example.paper-jam-wizard").unwrap_or_else(ModeId::user_guide);
    let missing = Link::Missing {
        silent: Duration::from_secs(23),
    };
    let idle_ends_in = Some(Duration::from_secs(55));
    let states = [
        ("confirmed", active(confirmed())),
        ("unverified", active(unverified())),
        ("nameless", active(nameless())),
        ("longest", active(longest())),
        (
            "control",
            Active {
                mode: control.clone(),
                ..active(confirmed())
            },
        ),
        (
            "config",
            Active {
                mode: config,
                ..active(confirmed())
            },
        ),
        (
            "other-mode",
            Active {
                mode: other,
                ..active(confirmed())
            },
        ),
        (
            "paused",
            Active {
                mode: control.clone(),
                phase: ModePhase::Paused,
                ..active(confirmed())
            },
        ),
        (
            "link-missing",
            Active {
                link: missing,
                ..active(confirmed())
            },
        ),
        (
            "link-lost",
            Active {
                link: Link::Lost {
                    ends_in: Duration::from_secs(583),
                },
                ..active(confirmed())
            },
        ),
        (
            "link-missing-longest",
            Active {
                link: missing,
                ..active(longest())
            },
        ),
        (
            "idle",
            Active {
                idle_ends_in,
                ..active(unverified())
            },
        ),
        (
            "ask-control",
            Active {
                ask: asks(ModeId::OPERATOR_CONTROL, false),
                ..active(confirmed())
            },
        ),
        (
            "ask-config",
            Active {
                ask: asks(ModeId::ENGINEER_CONFIG, true),
                ..active(unverified())
            },
        ),
        (
            "ask-renewal",
            Active {
                mode: control.clone(),
                ask: asks(ModeId::OPERATOR_CONTROL, false).map(|ask| Ask {
                    is_renewal: true,
                    ..ask
                }),
                ..active(confirmed())
            },
        ),
        (
            "ask-config-longest",
            Active {
                ask: asks(ModeId::ENGINEER_CONFIG, true),
                idle_ends_in,
                ..active(longest())
            },
        ),
        (
            "ask-other",
            Active {
                ask: asks("com.example.paper-jam-wizard", false),
                ..active(longest())
            },
        ),
    ];
    for (name, active) in &states {
        add(&format!("live-{name}"), &|mfd| {
            mfd.show(&Status::Active(active.clone()))
        });
        if *name == "ask-config-longest" {
            id_states(add, active);
        }
    }
    differences::states(add);
    add("live-control-key", &|mfd| {
        let mode = ModeId::new(ModeId::OPERATOR_CONTROL).unwrap_or_else(ModeId::user_guide);
        mfd.show(&Status::Active(Active {
            mode,
            ..active(confirmed())
        }));
        if let Ok(key) = KeyName::new("Start") {
            let motion = KeyMotion::Down;
            mfd.inject(&Action::Key(KeyEvent { key, motion }));
        }
    });
    for refusal in Refusal::ALL {
        let active = Active {
            refused: Some(*refusal),
            ..active(confirmed())
        };
        add(&format!("live-refused-{refusal}"), &|mfd| {
            mfd.show(&Status::Active(active.clone()))
        });
    }
    add("live-stop-held", &|mfd| {
        mfd.show(&Status::Active(active(confirmed())));
        hold_stop(mfd);
    });
    add("live-stop-held-unverified", &|mfd| {
        mfd.show(&Status::Active(active(unverified())));
        hold_stop(mfd);
    });
    // Every screen under a banner with its strip, which leaves it the least room.
    let crowded = Active {
        idle_ends_in,
        ..active(confirmed())
    };
    for (name, place) in [
        ("copy", Place::Copy),
        ("scan", Place::Scan),
        ("address", Place::Address),
        ("jobs", Place::Jobs),
        ("settings", Place::Settings),
        ("session", Place::Notice),
    ] {
        add(&format!("live-{name}"), &|mfd| {
            mfd.show(&Status::Active(crowded.clone()));
            visit(mfd, place);
        });
    }
    add("live-session-unverified", &|mfd| {
        mfd.show(&Status::Active(Active {
            idle_ends_in,
            ..active(longest())
        }));
        visit(mfd, Place::Notice);
    });
    add("live-job", &|mfd| {
        mfd.show(&Status::Active(crowded.clone()));
        start_job(mfd, 4_000);
    });
}

fn hold_stop(mfd: &mut Mfd) {
    if let Ok(name) = KeyName::new("#") {
        mfd.key(&name, KeyMotion::Down);
    }
    mfd.tick(Duration::from_millis(3_200));
}

fn open_entry(mfd: &mut Mfd) {
    visit(mfd, Place::Notice);
    tap(mfd, Target::Go(Place::Entry));
}

fn type_address(mfd: &mut Mfd, address: &str) {
    visit(mfd, Place::Address);
    for c in address.chars() {
        if mfd.find(Target::Letter(c)).is_none() {
            tap(mfd, Target::Shift);
        }
        tap(mfd, Target::Letter(c));
    }
}

fn start_job(mfd: &mut Mfd, after_ms: u64) {
    visit(mfd, Place::Copy);
    press(mfd, '8');
    tap(mfd, Target::Start);
    mfd.tick(Duration::from_millis(after_ms));
}

fn visit(mfd: &mut Mfd, place: Place) {
    if place != Place::Home {
        tap(mfd, Target::Go(place));
    }
}

/// Touches something that is on the screen, down and up.
pub fn tap(mfd: &mut Mfd, target: Target) {
    finger(mfd, target, PointerPhase::Down);
    finger(mfd, target, PointerPhase::Up);
}

fn finger(mfd: &mut Mfd, target: Target, phase: PointerPhase) {
    if let Some(at) = mfd.find(target) {
        mfd.touch(at, phase);
    }
}

/// Presses and releases a hard key with a name of one character.
pub fn press(mfd: &mut Mfd, key: char) {
    if let Ok(name) = KeyName::new(&key.to_string()) {
        mfd.key(&name, KeyMotion::Down);
        mfd.key(&name, KeyMotion::Up);
    }
}

/// A session in the user guide mode with nothing wrong.
pub fn active(operator: OperatorIdentity) -> Active {
    Active {
        session: SessionId([7; 16]),
        operator,
        mode: ModeId::user_guide(),
        phase: ModePhase::Active,
        link: Link::Ok,
        ask: None,
        refused: None,
        banner: Banner::Shown,
        idle_ends_in: None,
    }
}
