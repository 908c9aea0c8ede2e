//! Remote Assistance on this device, in every state.

use alongside::{
    ports::{AdminChange, AdminVerdict},
    protocol::reason::{EndReason, Party},
    status::Status,
};

use super::{
    super::{Administrator, Allowed, Facts, Mfd, Place, Target},
    Add, active, confirmed, longest, nameless, press, tap, unverified, visit,
};

pub(super) fn states(add: &mut Add<'_>) {
    let open = |mfd: &mut Mfd| {
        visit(mfd, Place::Settings);
        tap(mfd, Target::Go(Place::Remote));
    };
    add("remote", &|mfd| {
        mfd.set_facts(Facts {
            relay: Some("relay.acme.example".to_owned()),
            interface: Some("eth0".to_owned()),
            proxy: None,
        });
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
        mfd.id_checked(AdminVerdict::Unavailable);
    });
    id_states(add);
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
