//! What the engineer config mode tells its console, put together from its pieces.

use std::collections::BTreeMap;

use alongside_protocol::setting::{SettingPath, SettingValue};

use super::SettingsTold;

/// Pieces that have come so far.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    schema: String,
    values: BTreeMap<SettingPath, Option<SettingValue>>,
}

impl Pieces {
    /// Takes in a message to the console; `None` while more of it is to come, or if it is not about settings.
    pub(super) fn take(&mut self, json: &[u8]) -> Option<SettingsTold> {
        match serde_json::from_slice(json).ok()? {
            SettingsTold::Schema { text, is_last } => {
                self.schema.push_str(&text);
                is_last.then(|| SettingsTold::Schema {
                    text: std::mem::take(&mut self.schema),
                    is_last,
                })
            }
            SettingsTold::Values {
                version,
                values,
                is_last,
            } => {
                self.values.extend(values);
                is_last.then(|| SettingsTold::Values {
                    version,
                    values: std::mem::take(&mut self.values),
                    is_last,
                })
            }
            whole @ (SettingsTold::Unreadable { .. }
            | SettingsTold::Result { .. }
            | SettingsTold::Surface { .. }) => Some(whole),
        }
    }

    /// A mode begins: what came before is not its.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
