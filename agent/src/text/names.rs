//! What people call the modes that are not built in.

use std::collections::BTreeMap;

use alongside::{
    protocol::{ids::ModeId, label::Label},
    status::ModeName,
};

/// Names of modes in their makers' words, which no catalogue has; a mode without one goes by its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModeNames(BTreeMap<ModeId, Label<64>>);

impl ModeNames {
    /// The name of `mode`.
    pub(super) fn of<'a>(&'a self, mode: &'a ModeId) -> &'a str {
        self.0.get(mode).map_or(mode.as_str(), Label::as_str)
    }

    /// Takes the names that a session has; what those before it had stays, for what is told of them.
    pub fn learn(&mut self, modes: &[ModeName]) {
        let named = modes
            .iter()
            .map(|mode| (mode.id.clone(), mode.name.clone()));
        self.0.extend(named);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Locale, Text};

    #[test]
    fn a_mode_that_was_added_is_called_by_its_name_and_one_without_a_name_by_its_id() {
        let mode = |id| ModeId::new(id).expect("an id");
        let mut names = ModeNames::default();
        let checklist = Label::new("Checklist").expect("a name");
        names.learn(&[ModeName::new(mode("acme.list"), checklist)]);
        names.learn(&[]);
        let text = Text::new(Locale::English);
        let may = |id| text.may(&mode(id), &names).to_string();
        assert!(may("acme.list").ends_with("uses Checklist"));
        assert!(may("acme.other").ends_with("uses acme.other"));
    }
}
