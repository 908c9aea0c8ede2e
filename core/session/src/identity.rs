//! Who the operator is, and who says so.

use alongside_protocol::{
    PublicKey,
    label::{Label, Name},
};

/// Who the operator is, as the device can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorIdentity {
    /// The operator's long-term key; the connection itself proves it.
    pub key: PublicKey,
    /// Name to show; `None` until anybody gave one.
    pub name: Option<Name>,
    /// Organisation to show.
    pub organisation: Option<Name>,
    /// The relay that confirms name and organisation; `None` means that the operator alone says so.
    pub confirmed_by: Option<Label<255>>,
}

impl OperatorIdentity {
    /// Takes the name that the operator gives, unless a relay has confirmed one.
    pub(crate) fn introduce(&mut self, name: Option<Name>) {
        if self.confirmed_by.is_none() && self.name.is_none() {
            self.name = name;
        }
    }
}
