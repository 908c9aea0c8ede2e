//! Identifiers, each a type of its own.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::label::{Label, LabelError};

/// Names one session in records on both sides. Debug shows four of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 16]);

/// Names a code at the relay, and each meeting that it leads to.
///
/// The last byte counts the devices that have claimed the code: 0 is the code itself. So what is said of one try is
/// never taken for the next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RendezvousId(pub [u8; 16]);

/// The random token that starts every connection ID of one leg, by which the relay forwards.
///
/// Fresh per process and chosen by the leg, so that a restarted relay can take it back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LegToken(pub [u8; 8]);

/// An Ed25519 public key (RFC 8032): the long-term identity of a device, an operator or a relay.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

impl RendezvousId {
    /// The meeting with the `n`th device that claims this code.
    #[must_use]
    pub const fn of_try(self, n: u8) -> Self {
        let mut id = self.0;
        id[15] = n;
        Self(id)
    }

    /// Whether both belong to one code.
    pub fn is_same_code(self, other: Self) -> bool {
        self.of_try(0) == other.of_try(0)
    }
}

/// ASN.1 header of an Ed25519 SubjectPublicKeyInfo (RFC 8410, section 4); the 32 key bytes follow.
const ED25519_SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

impl PublicKey {
    /// The key as a SubjectPublicKeyInfo: what TLS carries as a raw public key (RFC 7250).
    pub fn to_spki(self) -> [u8; 44] {
        let mut spki = [0; 44];
        let (prefix, key) = spki.split_at_mut(ED25519_SPKI_PREFIX.len());
        prefix.copy_from_slice(&ED25519_SPKI_PREFIX);
        key.copy_from_slice(&self.0);
        spki
    }

    /// The key inside an Ed25519 SubjectPublicKeyInfo; `None` for any other bytes.
    pub fn from_spki(spki: &[u8]) -> Option<Self> {
        let key = spki.strip_prefix(&ED25519_SPKI_PREFIX)?;
        key.try_into().ok().map(Self)
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        hex_to_bytes(text).map(Self)
    }
}

/// Whole key in lower-case hexadecimal, as `operators.toml` has it.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Display for RendezvousId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Display for LegToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

macro_rules! short_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, self.0.first_chunk::<4>().unwrap_or(&[0; 4]))
            }
        }
    )*};
}
short_debug!(SessionId, RendezvousId, LegToken, PublicKey);

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads exactly `2 * N` hexadecimal digits; `None` for anything else.
pub fn hex_to_bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

/// The five digits of an access code that the relay knows, 00000 to 99999.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Nameplate(u32);

impl Nameplate {
    /// How many nameplates there are.
    pub const COUNT: u32 = 100_000;

    /// The nameplate `number`; `None` from [`Nameplate::COUNT`] on.
    pub const fn new(number: u32) -> Option<Self> {
        if number < Self::COUNT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The nameplate as a number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Five digits with leading zeros.
impl fmt::Display for Nameplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}", self.0)
    }
}

impl fmt::Debug for Nameplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Nameplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("nameplate above 99999"))
    }
}

/// A device's serial number: 1 to 32 bytes of inert text.
///
/// 32 bytes keep the message that carries it below 125 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Serial(Label<32>);

impl Serial {
    /// Checks a serial number.
    ///
    /// # Errors
    ///
    /// [`LabelError`] if it is empty, longer than 32 bytes or holds a control character.
    pub fn new(text: &str) -> Result<Self, LabelError> {
        Label::new(text).map(Self)
    }

    /// The serial number as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::str::FromStr for Serial {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        Self::new(text)
    }
}

/// Names a mode: one of the three built-in names, or an integrator's manifest id, which has a dot.
///
/// At most 64 bytes of `a-z`, `0-9`, `-` and `.`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ModeId(String);

impl ModeId {
    /// Name of the mode in which the operator points and draws.
    pub const USER_GUIDE: &'static str = "user-guide";
    /// Name of the mode in which the operator drives the panel.
    pub const OPERATOR_CONTROL: &'static str = "operator-control";
    /// Name of the mode in which the operator reads and changes settings.
    pub const ENGINEER_CONFIG: &'static str = "engineer-config";

    /// Checks a mode's name; `None` if it is empty, longer than 64 bytes, or has other characters.
    pub fn new(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        (!text.is_empty() && text.len() <= 64 && text.bytes().all(plain))
            .then(|| Self(text.to_owned()))
    }

    /// The user guide mode.
    pub fn user_guide() -> Self {
        Self(Self::USER_GUIDE.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ModeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ModeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?)
            .ok_or_else(|| serde::de::Error::custom("not a mode name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_of_one_code_differ_and_belong_together() {
        let code = RendezvousId([7; 16]).of_try(0);
        assert_ne!(code.of_try(1), code.of_try(2));
        assert!(code.of_try(1).is_same_code(code.of_try(2)));
        assert!(!code.is_same_code(RendezvousId([8; 16])));
    }

    #[test]
    fn a_key_travels_as_an_spki_and_back() {
        let key = PublicKey([0x5a; 32]);
        let spki = key.to_spki();
        assert_eq!(PublicKey::from_spki(&spki), Some(key));
        assert_eq!(PublicKey::from_spki(&spki[..43]), None, "too short");
        assert_eq!(
            PublicKey::from_spki(&[&spki[..], &[0]].concat()),
            None,
            "too long"
        );
        for at in 0..12 {
            let mut other = spki;
            other[at] ^= 1;
            assert_eq!(PublicKey::from_spki(&other), None, "header byte {at}");
        }
    }

    #[test]
    fn keys_are_written_in_full_and_debugged_in_short() {
        let key = PublicKey([0xab; 32]);
        assert_eq!(key.to_string(), "ab".repeat(32));
        assert_eq!(format!("{key:?}"), "abababab");
        assert_eq!(PublicKey::from_hex(&"AB".repeat(32)), Some(key));
        for text in [
            "",
            &"ab".repeat(31),
            &"ab".repeat(33),
            &"+b".repeat(32),
            &"\u{e9}".repeat(32),
        ] {
            assert_eq!(PublicKey::from_hex(text), None, "{text}");
        }
        assert_eq!(format!("{:?}", SessionId([0x5e; 16])), "5e5e5e5e");
    }

    #[test]
    fn a_nameplate_is_five_digits() {
        assert_eq!(
            Nameplate::new(417).map(|n| n.to_string()),
            Some("00417".to_owned())
        );
        assert_eq!(Nameplate::new(100_000), None);
        assert!(
            postcard::from_bytes::<Nameplate>(&[0xa0, 0x8d, 0x06]).is_err(),
            "100000 from the network"
        );
    }

    #[test]
    fn a_serial_number_is_at_most_32_bytes() {
        assert!(Serial::new(&"S".repeat(32)).is_ok());
        assert!(Serial::new(&"S".repeat(33)).is_err());
        assert!(Serial::new("A4\u{1b}K").is_err());
    }

    #[test]
    fn a_mode_is_named_in_plain_lower_case() {
        assert!(ModeId::new("com.example.check-up2").is_some());
        for name in ["", "User", "a b", "a/b", "a_b", "\u{e9}", &"a".repeat(65)] {
            assert_eq!(ModeId::new(name), None, "{name}");
            let wire = postcard::to_allocvec(name).expect("encodes");
            assert!(postcard::from_bytes::<ModeId>(&wire).is_err(), "{name}");
        }
    }
}
