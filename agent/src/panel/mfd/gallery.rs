//! Every screen in every state, for tests and for looking at.

use std::time::Duration;

use alongside::{
    protocol::{
        AccessCode, Nameplate, PublicKey, SessionId,
        code::CodeSecret,
        ids::ModeId,
        input::{KeyMotion, KeyName, PointerPhase},
        label::{Label, Name},
        reason::{EndReason, ModePhase, Party, Refusal},
    },
    status::{Active, Ask, Banner, CodeRefusal, ConnectProblem, Link, OperatorIdentity, Status},
};

use super::{Mfd, Place, Step, Target};
use crate::text::Text;

/// Takes a state's name and the steps that lead to it.
type Add<'a> = dyn FnMut(&str, &dyn Fn(&mut Mfd)) + 'a;

/// A name for each state, and a panel in it.
pub fn states(text: Text) -> Vec<(String, Mfd)> {
    let mut states = Vec::new();
    let mut add = |name: &str, steps: &dyn Fn(&mut Mfd)| {
        let mut mfd = Mfd::new(text);
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
    for reason in EndReason::ALL {
        add(&format!("ended-{reason}"), &|mfd| {
            mfd.show(&Status::Active(active(confirmed())));
            mfd.show(&Status::Ended {
                by: Party::Operator,
                reason: *reason,
            });
        });
    }
    states
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
        ("no-dns", problem(ConnectProblem::NoDns)),
        (
            "relay-unreachable",
            problem(ConnectProblem::RelayUnreachable),
        ),
        ("relay-untrusted", problem(ConnectProblem::RelayUntrusted)),
        ("relay-name", problem(ConnectProblem::RelayName)),
        ("relay-refused", problem(ConnectProblem::RelayRefused)),
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
}

fn session_states(add: &mut Add<'_>) {
    let asks = |mode: &str, wants_admin_id| {
        let mode = ModeId::new(mode).unwrap_or_else(ModeId::user_guide);
        Some(Ask {
            mode,
            is_renewal: false,
            wants_admin_id,
            expires_in: Duration::from_secs(48),
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
                mode: control,
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
    }
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

/// An operator whose name a relay confirms.
pub fn confirmed() -> OperatorIdentity {
    let confirmed_by = Label::new("relay.acme.example").ok();
    OperatorIdentity {
        confirmed_by,
        ..identity("Jane Doe", Some("Acme Printer Support"))
    }
}

/// An operator who gives a name that nobody confirms.
pub fn unverified() -> OperatorIdentity {
    identity("Jo Smith", None)
}

fn nameless() -> OperatorIdentity {
    OperatorIdentity {
        name: None,
        ..identity("-", None)
    }
}

/// As wide as names may be.
fn longest() -> OperatorIdentity {
    let wide = "Wolfgang-Maximilian Wittgenstein-Wertheimer von Wolkenstein-Wald";
    let confirmed_by = Label::new(&"relay-with-a-name-of-many-letters.".repeat(4)).ok();
    OperatorIdentity {
        confirmed_by,
        ..identity(wide, Some(wide))
    }
}

fn identity(name: &str, organisation: Option<&str>) -> OperatorIdentity {
    let name_of = |text: &str| Name::new(text).ok();
    OperatorIdentity {
        key: PublicKey([3; 32]),
        name: name_of(name),
        organisation: organisation.and_then(name_of),
        confirmed_by: None,
    }
}

/// A code whose check digit is right.
pub fn code() -> AccessCode {
    #[expect(clippy::unwrap_used, reason = "constants that a test draws from")]
    let (nameplate, secret) = (
        Nameplate::new(48_213).unwrap(),
        CodeSecret::draw(&[9; 48]).unwrap(),
    );
    AccessCode::new(nameplate, secret)
}
