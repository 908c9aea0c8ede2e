//! Remote Assistance on this device, in every state.

use std::time::Duration;

use alongside::{
    audit::{ChangedSetting, SessionCard},
    ports::{AdminChange, AdminVerdict},
    protocol::{
        ids::ModeId,
        label::Label,
        obstacle::{Obstacle, ObstacleKind},
        reason::{EndReason, Party},
    },
    status::{Active, Status},
};

use super::{
    super::{Administrator, Allowed, Facts, Field, Mfd, Outcome, Place, Route, Target, TrialWay},
    Add, active, confirmed, longest, nameless, press, tap, unverified, visit,
};

pub(super) fn states(add: &mut Add<'_>) {
    let open = |mfd: &mut Mfd| {
        visit(mfd, Place::Settings);
        tap(mfd, Target::Go(Place::Remote));
    };
    add("remote", &|mfd| {
        mfd.set_facts(facts(&[]));
        open(mfd);
    });
    add("remote-sessions", &|mfd| {
        mfd.set_clock(1_764_000_000_000);
        for operator in [confirmed(), unverified(), longest(), nameless()] {
            mfd.show(&Status::Active(active(operator)));
            mfd.show(&Status::Ended {
                by: Party::Operator,
                reason: EndReason::OperatorEnded,
            });
            tap(mfd, Target::CloseEnded);
        }
        open(mfd);
    });
    add("remote-id", &|mfd| {
        mfd.set_administrator(Administrator::Set { can_change: true });
        open(mfd);
        "4829".chars().for_each(|c| press(mfd, c));
    });
    add("remote-id-letters", &|mfd| {
        mfd.set_administrator(Administrator::Set { can_change: true });
        open(mfd);
        tap(mfd, Target::IdKeys);
    });
    add("remote-id-unavailable", &|mfd| {
        mfd.set_administrator(Administrator::Set { can_change: true });
        open(mfd);
        enter(mfd, "48291736");
        mfd.id_checked(AdminVerdict::Unavailable);
    });
    id_states(add);
    route_states(add, &open);
    session_states(add, &open);
    for (name, place) in [("off-home", Place::Home), ("off-notice", Place::Notice)] {
        add(name, &|mfd| {
            open(mfd);
            tap(mfd, Target::Allowed(Allowed::Off));
            tap(mfd, Target::Go(Place::Settings));
            tap(mfd, Target::Go(Place::Home));
            visit(mfd, place);
        });
    }
}

/// The administrator's ID being chosen and changed.
fn id_states(add: &mut Add<'_>) {
    let open = |mfd: &mut Mfd, administrator| {
        mfd.set_administrator(administrator);
        visit(mfd, Place::Settings);
        tap(mfd, Target::Go(Place::Remote));
    };
    let first = |mfd: &mut Mfd, ids: &[&str]| {
        open(mfd, Administrator::Unset);
        ids.iter().for_each(|id| enter(mfd, id));
    };
    let change = |mfd: &mut Mfd| {
        open(mfd, Administrator::Set { can_change: true });
        enter(mfd, "48291736");
        mfd.id_checked(AdminVerdict::Ok);
        tap(mfd, Target::Go(Place::RemoteId));
    };
    let rows: [(&str, &[&str]); 5] = [
        ("first-id", &[]),
        ("first-id-common", &["12345678"]),
        ("first-id-short", &["4829173"]),
        ("first-id-again", &["48291736"]),
        ("first-id-differ", &["48291736", "48291735"]),
    ];
    for (name, ids) in rows {
        add(&format!("remote-{name}"), &|mfd| first(mfd, ids));
        add(&format!("remote-{name}-letters"), &|mfd| {
            first(mfd, ids);
            tap(mfd, Target::IdKeys);
        });
    }
    add("remote-first-id-saving", &|mfd| {
        first(mfd, &["48291736", "48291736"]);
    });
    add("remote-first-id-failed", &|mfd| {
        first(mfd, &["48291736", "48291736"]);
        mfd.id_changed(AdminChange::Failed);
    });
    add("remote-change-id", &change);
    add("remote-change-id-new", &|mfd| {
        change(mfd);
        enter(mfd, "48291736");
        mfd.id_checked(AdminVerdict::Ok);
    });
    add("live-remote-change-id", &|mfd| {
        mfd.show(&Status::Active(active(unverified())));
        change(mfd);
        "4829".chars().for_each(|c| press(mfd, c));
    });
}

fn enter(mfd: &mut Mfd, id: &str) {
    id.chars().for_each(|c| press(mfd, c));
    tap(mfd, Target::ConfirmId);
}

/// A way as long as one gets, with `fixed` laid down.
fn facts(fixed: &[Field]) -> Facts {
    Facts {
        route: Route {
            relay: Some("relay-7.assistance.branch-office.acme.example".to_owned()),
            interface: Some("wlp0s20f3".to_owned()),
            proxy: Some("http://proxy.branch-office.acme.example:3128".to_owned()),
        },
        has_credentials: true,
        fixed: fixed.to_vec(),
        can_test: true,
        is_not_kept: false,
    }
}

/// The way to the service being changed and tested.
fn route_states(add: &mut Add<'_>, open: &dyn Fn(&mut Mfd)) {
    let all = [
        Field::Allowed,
        Field::Language,
        Field::TextSize,
        Field::Relay,
        Field::Interface,
        Field::Proxy,
    ];
    add("remote-fixed", &|mfd| {
        mfd.set_facts(facts(&all));
        open(mfd);
    });
    add("remote-not-kept", &|mfd| {
        mfd.set_facts(facts(&[]));
        mfd.set_kept(false);
        open(mfd);
    });
    for live in [false, true] {
        let begin = |mfd: &mut Mfd| {
            mfd.set_facts(facts(&[Field::Language]));
            if live {
                mfd.show(&Status::Active(Active {
                    idle_ends_in: Some(Duration::from_secs(55)),
                    ..active(confirmed())
                }));
            }
            open(mfd);
        };
        let name = |name: &str| format!("{}remote-{name}", if live { "live-" } else { "" });
        add(&name("open"), &begin);
        for (word, field) in [
            ("relay", Field::Relay),
            ("interface", Field::Interface),
            ("proxy", Field::Proxy),
        ] {
            add(&name(&format!("edit-{word}")), &|mfd| {
                begin(mfd);
                tap(mfd, Target::Edit(field));
                tap(mfd, Target::EditShift);
            });
            add(&name(&format!("edit-{word}-wrong")), &|mfd| {
                begin(mfd);
                tap(mfd, Target::Edit(field));
                "//:"
                    .chars()
                    .for_each(|letter| tap(mfd, Target::EditLetter(letter)));
                tap(mfd, Target::EditKeep);
            });
        }
        add(&name("test-running"), &|mfd| {
            begin(mfd);
            tap(mfd, Target::Test);
            mfd.tick(Duration::from_millis(300));
            mfd.tested(TrialWay::Tls, Outcome::Works(Duration::from_millis(12_345)));
        });
        add(&name("test-good"), &|mfd| {
            begin(mfd);
            tap(mfd, Target::Test);
            for way in TrialWay::ALL {
                mfd.tested(way, Outcome::Works(Duration::from_millis(81)));
            }
            let unused = ObstacleKind::NoProxy.into();
            mfd.tested(TrialWay::Proxy, Outcome::Fails(unused));
            mfd.test_over();
        });
        add(&name("test-broke"), &|mfd| {
            begin(mfd);
            tap(mfd, Target::Test);
            mfd.test_over();
        });
        let detail = Label::new(&"W".repeat(64)).ok();
        for kind in kinds(live) {
            let obstacle = Obstacle::with_detail(*kind, detail.clone());
            add(&name(&format!("test-{kind}")), &|mfd| {
                begin(mfd);
                tap(mfd, Target::Test);
                for way in TrialWay::ALL {
                    mfd.tested(way, Outcome::Fails(obstacle.clone()));
                }
                mfd.test_over();
            });
        }
    }
}

/// What can stand in the way; the longest alone where there is the least room.
fn kinds(live: bool) -> &'static [ObstacleKind] {
    if live {
        &[ObstacleKind::ProxyCredentialsWrong, ObstacleKind::RelayDown]
    } else {
        ObstacleKind::ALL
    }
}

/// A session as the audit tells of it.
fn card(n: u64) -> SessionCard {
    let setting = |path: &str, title: &str| ChangedSetting {
        path: path.to_owned(),
        title: Some(title.to_owned()),
        change: n,
        stage: "confirmed".to_owned(),
    };
    let settings = [
        setting("tray.1.paper", "Paper in tray 1"),
        setting("energy.after", "Energy saver after"),
        setting("smtp.password", "Password for sending scans by mail"),
        setting("book.7.address", &"W".repeat(64)),
        setting("network.host", "Name of this device in the network"),
        setting("network.gateway", "Gateway"),
    ];
    let mut modes = vec![ModeId::USER_GUIDE.to_owned()];
    if n.is_multiple_of(2) {
        modes.push(ModeId::OPERATOR_CONTROL.to_owned());
        modes.push(ModeId::ENGINEER_CONFIG.to_owned());
    }
    SessionCard {
        session: "07".repeat(16),
        key: "0b".repeat(32),
        name: (!n.is_multiple_of(4)).then(|| "Dana Reyes".to_owned()),
        organisation: Some("Example Support".to_owned()),
        confirmed_by: Some("relay.acme.example".to_owned()),
        from_ms: 1_764_000_000_000 - n * 86_400_000,
        until_ms: (n != 3).then_some(1_764_000_900_000 - n * 86_400_000),
        modes,
        was_silent: n.is_multiple_of(3),
        settings: settings.to_vec(),
        end: None,
    }
}

/// Who was connected, in a list, in a line, and on the card after a session.
fn session_states(add: &mut Add<'_>, open: &dyn Fn(&mut Mfd)) {
    let cards: Vec<_> = (0..10).map(card).collect();
    add("home-last", &|mfd| mfd.set_sessions(&cards));
    add("remote-sessions-none", &|mfd| {
        open(mfd);
        tap(mfd, Target::Go(Place::RemoteSessions));
    });
    add("remote-sessions-all", &|mfd| {
        mfd.set_sessions(&cards);
        open(mfd);
        tap(mfd, Target::Go(Place::RemoteSessions));
    });
    add("live-remote-sessions", &|mfd| {
        mfd.set_sessions(&cards);
        mfd.show(&Status::Active(active(unverified())));
        open(mfd);
        tap(mfd, Target::Go(Place::RemoteSessions));
        tap(mfd, Target::MoreSessions);
    });
    for (n, name) in ["ended-settings", "ended-settings-more"]
        .into_iter()
        .enumerate()
    {
        add(name, &|mfd| {
            mfd.show(&Status::Active(active(longest())));
            mfd.show(&Status::Ended {
                by: Party::Operator,
                reason: EndReason::RecordFailed,
            });
            mfd.over(&card(6));
            (0..n).for_each(|_| tap(mfd, Target::MoreEnded));
        });
    }
}
