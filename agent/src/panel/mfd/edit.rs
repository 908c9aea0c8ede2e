//! One setting of the way to the service, while it is being typed.

use alongside::{Relay, transport::Proxy};

use super::remote::Field;

/// Longest value, in bytes: that of a host name, and some for what stands around it.
const MAX_LEN: usize = 280;
/// Longest name of a network interface, as Linux has them.
const MAX_INTERFACE: usize = 15;

/// What has been typed.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) field: Field,
    pub(super) typed: String,
    pub(super) upper: bool,
    /// Whether it was to be kept and could not be what it is for.
    pub(super) is_wrong: bool,
}

impl Edit {
    /// Begins with what is set.
    pub(super) fn new(field: Field, value: Option<&str>) -> Self {
        Self {
            field,
            typed: value.unwrap_or_default().to_owned(),
            upper: false,
            is_wrong: false,
        }
    }

    pub(super) fn letter(&mut self, letter: char) {
        if letter.is_ascii_graphic() && self.typed.len() < MAX_LEN {
            self.typed.push(letter);
        }
        self.upper = false;
        self.is_wrong = false;
    }

    pub(super) fn erase(&mut self) {
        self.typed.pop();
        self.is_wrong = false;
    }

    pub(super) fn clear(&mut self) {
        self.typed.clear();
        self.is_wrong = false;
    }

    /// What is to be kept; `None` if it cannot be what it is for, which is said from then on.
    pub(super) fn keep(&mut self) -> Option<Option<String>> {
        self.is_wrong = !fits(self.field, &self.typed);
        if self.is_wrong {
            return None;
        }
        Some((!self.typed.is_empty()).then(|| self.typed.clone()))
    }
}

/// Whether `value` can be that setting; where nothing has to be set, an empty one can.
pub fn fits(field: Field, value: &str) -> bool {
    match field {
        Field::Relay => Relay::new(value).is_ok(),
        Field::Interface => {
            let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
            value.len() <= MAX_INTERFACE && value.bytes().all(is_plain)
        }
        Field::Proxy => {
            value.is_empty() || value == super::NO_PROXY || Proxy::from_argument(value).is_ok()
        }
        Field::Allowed | Field::Language | Field::TextSize => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_it_is_not_kept() {
        for (field, good, bad) in [
            (Field::Relay, "relay.example", "https://relay.example"),
            (Field::Relay, "2001:db8::7", ""),
            (Field::Interface, "eth0", "eth0/1"),
            (Field::Interface, "", "a-name-that-is-too-long"),
            (Field::Proxy, "http://proxy.example:3128", "http://"),
            (Field::Proxy, "none", "http://kim:secret@proxy.example:3128"),
            (Field::Proxy, "", "ftp://proxy.example"),
        ] {
            assert!(fits(field, good), "{field:?} {good:?}");
            assert!(!fits(field, bad), "{field:?} {bad:?}");
        }
    }

    #[test]
    fn a_wrong_value_stays_to_be_mended() {
        let mut edit = Edit::new(Field::Interface, Some("eth0"));
        edit.letter('/');
        assert_eq!((edit.keep(), edit.is_wrong), (None, true));
        edit.erase();
        edit.letter('1');
        assert_eq!(edit.keep(), Some(Some("eth01".to_owned())));
        edit.clear();
        assert_eq!(edit.keep(), Some(None));
    }
}
