//! What a change would change, as the customer is shown it.

use std::collections::BTreeMap;

use alongside_protocol::setting::{Difference, SettingChange, SettingPath, Shown};

use super::Schema;

/// Drops the changes that change nothing, and tells what the others do.
///
/// A secret always counts as changed: whether it is the same is nobody's to know.
pub(super) fn differences(
    schema: &Schema,
    values: &BTreeMap<SettingPath, Shown>,
    changes: Vec<SettingChange>,
) -> (Vec<SettingChange>, Vec<Difference>) {
    let pairs = changes.into_iter().filter_map(|change| {
        let setting = schema.setting(&change.path)?;
        let before = values.get(&change.path).cloned().unwrap_or(Shown::Absent);
        let after = shown(schema, &change);
        let is_same = before == after && after != Shown::Secret;
        let difference = Difference {
            path: change.path.clone(),
            name: setting.name().to_owned(),
            unit: setting.unit.clone(),
            before,
            after,
        };
        (!is_same).then_some((change, difference))
    });
    pairs.unzip()
}

/// What the setting of `change` will be, as somebody may see it.
pub(super) fn shown(schema: &Schema, change: &SettingChange) -> Shown {
    let is_secret = schema
        .setting(&change.path)
        .is_none_or(|setting| setting.is_secret);
    match &change.value {
        None => Shown::Absent,
        Some(_) if is_secret => Shown::Secret,
        Some(value) => Shown::Value(value.clone()),
    }
}
