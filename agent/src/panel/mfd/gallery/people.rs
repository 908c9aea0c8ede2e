//! Who is connected in the gallery's pictures, and by which code.

use super::*;

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

pub(super) fn nameless() -> OperatorIdentity {
    OperatorIdentity {
        name: None,
        ..identity("-", None)
    }
}

/// As wide as names may be.
pub(super) fn longest() -> OperatorIdentity {
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
