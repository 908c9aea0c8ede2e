//! Whether a change is one that a device's settings can take.

use std::collections::BTreeSet;

use alongside_protocol::setting::{Fault, Problem, SettingChange, SettingValue};

use super::{Kind, Schema, Setting};

/// Most settings that are changed at once (our choice: what a customer can still be shown).
pub const MAX_CHANGES: usize = 256;

impl Schema {
    /// Checks changes, and gives them back with each value in the form that its setting has.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, in the order of the changes.
    pub fn check(&self, changes: &[SettingChange]) -> Result<Vec<SettingChange>, Vec<Problem>> {
        if let Some(first_too_many) = changes.get(MAX_CHANGES) {
            #[expect(clippy::cast_possible_truncation, reason = "a constant of 256")]
            let fault = Fault::Many(MAX_CHANGES as u16);
            return Err(vec![Problem::new(&first_too_many.path, fault)]);
        }
        let mut seen = BTreeSet::new();
        let (mut fine, mut problems) = (Vec::new(), Vec::new());
        for change in changes {
            let checked = if seen.insert(&change.path) {
                self.check_one(change)
            } else {
                Err(Fault::Repeated)
            };
            match checked {
                Ok(change) => fine.push(change),
                Err(fault) => problems.push(Problem::new(&change.path, fault)),
            }
        }
        if problems.is_empty() {
            Ok(fine)
        } else {
            Err(problems)
        }
    }

    fn check_one(&self, change: &SettingChange) -> Result<SettingChange, Fault> {
        let setting = self.setting(&change.path).ok_or(Fault::Unknown)?;
        let value = match &change.value {
            Some(value) => Some(setting.normal(value)?),
            None if setting.is_required => return Err(Fault::Required),
            None => None,
        };
        Ok(SettingChange {
            path: change.path.clone(),
            value,
        })
    }
}

impl Setting {
    /// The value in the form that this setting has: 5 and 5.0 are the same number.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn normal(&self, value: &SettingValue) -> Result<SettingValue, Fault> {
        let value = self.kind.normal(value)?;
        if !self.choices.is_empty() && !self.choices.contains(&value) {
            return Err(Fault::Choice);
        }
        Ok(value)
    }
}

impl Kind {
    fn normal(&self, value: &SettingValue) -> Result<SettingValue, Fault> {
        match (self, value) {
            (Self::Boolean, SettingValue::Bool(_)) => Ok(value.clone()),
            (Self::Integer { min, max }, SettingValue::Integer(_) | SettingValue::Number(_)) => {
                let whole = whole(value).ok_or_else(|| Fault::Type(self.of()))?;
                if whole < *min {
                    return Err(Fault::Below(SettingValue::Integer(*min)));
                }
                if whole > *max {
                    return Err(Fault::Above(SettingValue::Integer(*max)));
                }
                Ok(SettingValue::Integer(whole))
            }
            (Self::Number { min, max }, SettingValue::Integer(_) | SettingValue::Number(_)) => {
                let number = number(value).ok_or_else(|| Fault::Type(self.of()))?;
                let bound =
                    |number| SettingValue::number(number).ok_or_else(|| Fault::Type(self.of()));
                if number < *min {
                    return Err(Fault::Below(bound(*min)?));
                }
                if number > *max {
                    return Err(Fault::Above(bound(*max)?));
                }
                bound(number)
            }
            (Self::String { min, max, pattern }, SettingValue::Text(text)) => {
                let text = text.as_str();
                let length = text.chars().count();
                if length < usize::from(*min) {
                    return Err(Fault::Short(*min));
                }
                if length > usize::from(*max) {
                    return Err(Fault::Long(*max));
                }
                match pattern {
                    Some(pattern) if !pattern.is_in(text) => {
                        Err(Fault::Pattern(pattern.as_str().to_owned()))
                    }
                    Some(_) | None => Ok(value.clone()),
                }
            }
            (
                Self::Boolean | Self::Integer { .. } | Self::Number { .. } | Self::String { .. },
                _,
            ) => Err(Fault::Type(self.of())),
        }
    }
}

/// The whole number that `value` is, if it is one and exactly.
fn whole(value: &SettingValue) -> Option<i64> {
    /// Up to here every whole number has a floating one of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        SettingValue::Integer(whole) => Some(*whole),
        SettingValue::Number(number) => {
            let number = number.get();
            let is_whole = number.fract() == 0.0 && number.abs() <= EXACT;
            #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds")]
            is_whole.then_some(number as i64)
        }
        SettingValue::Bool(_) | SettingValue::Text(_) => None,
    }
}

fn number(value: &SettingValue) -> Option<f64> {
    match value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "what a setting of this type holds is a floating number"
        )]
        SettingValue::Integer(whole) => Some(*whole as f64),
        SettingValue::Number(number) => Some(number.get()),
        SettingValue::Bool(_) | SettingValue::Text(_) => None,
    }
}
