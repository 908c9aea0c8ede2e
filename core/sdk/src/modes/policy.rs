//! What the owner of a machine says of loaded modes: whose they may be, and what they may do.

use std::{collections::BTreeMap, fmt};

use alongside_mode::Capabilities;
use alongside_protocol::{PublicKey, ids::ModeId, label::Label};
use serde::{Deserialize, Deserializer};

/// The owner's policy on loaded modes. By default nobody's are let in.
///
/// Reads from TOML or JSON; an unknown key is an error.
///
/// ```toml
/// unsigned = false                # true lets unsigned modules in, sealed
///
/// [[signers]]
/// name = "Acme"
/// key = "5f1c..."                 # 64 hexadecimal digits
/// in-process = false              # true runs their modules inside this process: nothing can stop them there
///
/// [modes."acme.counter"]
/// at-least = "1.2.0"              # older versions are refused
/// allow = ["view", "annotate"]    # never more than this, whatever the manifest asks for
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[non_exhaustive]
pub struct Policy {
    /// Whether modules without a signature are let in. They always run sealed, and only where the kernel has landlock.
    pub unsigned: bool,
    /// Whose signatures count.
    pub signers: Vec<Signer>,
    /// What holds for one mode.
    pub modes: BTreeMap<ModeId, Rule>,
}

/// Somebody whose modules are let in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Signer {
    /// What people call them.
    pub name: Label<64>,
    /// Their Ed25519 key.
    #[serde(deserialize_with = "hex")]
    pub key: PublicKey,
    /// Whether their modules run inside this process, where nothing can be kept from them.
    #[serde(default)]
    pub in_process: bool,
}

/// What holds for one mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[non_exhaustive]
pub struct Rule {
    /// Whether it is turned off.
    pub off: bool,
    /// The oldest version that is let in.
    pub at_least: Option<Version>,
    /// The most that it may do; all that its manifest asks for if it says nothing.
    #[serde(deserialize_with = "names")]
    pub allow: Option<Capabilities>,
    /// Whether it may run without asking the customer, if its manifest wants that.
    pub silent: bool,
    /// Whether it takes the place of a mode of the same name that is linked in.
    pub replaces: bool,
}

impl Policy {
    /// Lets in what `key` has signed, to run sealed.
    #[must_use]
    pub fn with_signer(mut self, name: Label<64>, key: PublicKey) -> Self {
        self.signers.push(Signer {
            name,
            key,
            in_process: false,
        });
        self
    }

    /// Lets in what `key` has signed, to run inside this process: nothing can be kept from it there.
    #[must_use]
    pub fn danger_with_in_process_signer(mut self, name: Label<64>, key: PublicKey) -> Self {
        self.signers.push(Signer {
            name,
            key,
            in_process: true,
        });
        self
    }

    /// Lets unsigned modules in, sealed.
    #[must_use]
    pub const fn danger_with_unsigned(mut self) -> Self {
        self.unsigned = true;
        self
    }

    /// Changes what holds for one mode.
    #[must_use]
    pub fn with_rule(mut self, mode: ModeId, change: impl FnOnce(&mut Rule)) -> Self {
        change(self.modes.entry(mode).or_default());
        self
    }

    /// Who has this key.
    pub fn signer(&self, key: PublicKey) -> Option<&Signer> {
        self.signers.iter().find(|signer| signer.key == key)
    }

    /// What holds for a mode.
    pub fn rule(&self, mode: &ModeId) -> Rule {
        self.modes.get(mode).cloned().unwrap_or_default()
    }
}

/// A version of numbers with dots, such as `1.2.0`; what follows a `-` or `+` is ignored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u64>);

impl Version {
    /// Reads a version; `None` if it is no numbers with dots.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let parts: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
        let mut parts = parts.ok()?;
        // 1.2 and 1.2.0 are one.
        while parts.len() > 1 && parts.last() == Some(&0) {
            parts.pop();
        }
        Some(Self(parts))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for part in &self.0 {
            write!(f, "{between}{part}")?;
            between = ".";
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("a version is numbers with dots, such as 1.2.0")
        })
    }
}

fn hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
    let text = String::deserialize(deserializer)?;
    PublicKey::from_hex(&text)
        .ok_or_else(|| serde::de::Error::custom("a key is 64 hexadecimal digits"))
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Capabilities>, D::Error> {
    let mut set = Capabilities::NONE;
    for name in Vec::<String>::deserialize(deserializer)? {
        let capability = Capabilities::named(&name).ok_or_else(|| {
            serde::de::Error::custom(format_args!("no capability is called {name:?}"))
        })?;
        set = set | capability;
    }
    Ok(Some(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).expect("a version")
    }

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(version("1.10") > version("1.9.9"));
        assert_eq!(version("1.2.0-beta"), version("1.2"));
        assert_eq!(version("2.0.1").to_string(), "2.0.1");
        assert_eq!(Version::parse("one"), None);
        assert_eq!(Version::parse("1..2"), None);
    }

    #[test]
    fn a_policy_reads_from_toml_and_refuses_what_it_does_not_know() {
        let key = "ab".repeat(32);
        let text = format!(
            "[[signers]]\nname = 'Acme'\nkey = '{key}'\n[modes.\"acme.counter\"]\nat-least = '1.2.0'\nallow = ['view']\n"
        );
        let policy: Policy = toml::from_str(&text).expect("a policy");
        let signer = policy.signer(PublicKey([0xab; 32])).expect("Acme");
        assert!(!signer.in_process);
        let rule = policy.rule(&ModeId::new("acme.counter").expect("an id"));
        assert_eq!(rule.allow, Some(Capabilities::VIEW));
        for wrong in [
            "unsinged = true",
            "[[signers]]\nname = 'A'\nkey = 'ab'",
            "[modes.x]\nat-least = 'new'",
        ] {
            assert!(toml::from_str::<Policy>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nobody_is_let_in_by_default() {
        let policy = Policy::default();
        assert!(!policy.unsigned && policy.signers.is_empty());
    }
}
