//! Questions about settings.

use std::time::Duration;

use alongside::{
    protocol::{
        ids::ModeId,
        input::PointerPhase,
        setting::{Difference, SettingPath, SettingValue, Shown},
    },
    status::{Active, Ask, Status},
};

use super::{
    Add, Mfd, Target, active, finger,
    people::{confirmed, longest},
};

/// Settings that would change, `count` of them.
fn changed(count: usize) -> Vec<Difference> {
    let text = |text| SettingValue::text(text).map_or(Shown::Absent, Shown::Value);
    let all = [
        ("Paper in tray 1", None, text("A4"), text("A3")),
        (
            "Energy saver after",
            Some("min"),
            Shown::Value(SettingValue::Integer(15)),
            Shown::Value(SettingValue::Integer(60)),
        ),
        (
            "Password of the mail server",
            None,
            Shown::Secret,
            Shown::Secret,
        ),
        (
            "Automatic address",
            None,
            Shown::Value(SettingValue::Bool(true)),
            Shown::Value(SettingValue::Bool(false)),
        ),
        (
            "Network folder for scanned documents of the second floor",
            None,
            Shown::Absent,
            text("//files.example.com/scans/second-floor/incoming/2026/november"),
        ),
        ("Sender", None, text("printer@example.com"), Shown::Absent),
    ];
    let cycle = all.iter().cycle().take(count).enumerate();
    cycle
        .filter_map(|(n, (name, unit, before, after))| {
            Some(Difference {
                path: SettingPath::new(&format!("setting.n{n}")).ok()?,
                name: (*name).to_owned(),
                unit: unit.map(str::to_owned),
                before: before.clone(),
                after: after.clone(),
            })
        })
        .collect()
}

/// The question about them.
pub(super) fn states(add: &mut Add<'_>) {
    let asked = |count| {
        let mode = ModeId::new(ModeId::ENGINEER_CONFIG).unwrap_or_else(ModeId::user_guide);
        let ask = Ask {
            mode: mode.clone(),
            is_renewal: false,
            wants_admin_id: false,
            expires_in: Duration::from_secs(48),
            differences: Some(changed(count).into()),
        };
        (mode, Some(ask))
    };
    for (name, count) in [("one", 1), ("page", 4), ("many", 11)] {
        let (mode, ask) = asked(count);
        add(&format!("live-ask-change-{name}"), &|mfd: &mut Mfd| {
            mfd.show(&Status::Active(Active {
                mode: mode.clone(),
                ask: ask.clone(),
                ..active(confirmed())
            }));
        });
    }
    let (mode, ask) = asked(6);
    add("live-ask-change-last-longest", &|mfd: &mut Mfd| {
        mfd.show(&Status::Active(Active {
            mode: mode.clone(),
            ask: ask.clone(),
            idle_ends_in: Some(Duration::from_secs(55)),
            ..active(longest())
        }));
        finger(mfd, Target::MoreChanges, PointerPhase::Down);
        finger(mfd, Target::MoreChanges, PointerPhase::Up);
    });
}
