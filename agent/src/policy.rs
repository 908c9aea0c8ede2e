//! The owner's policy: which operators may work in sleep, on which devices and when.
//!
//! A file in the compartment that its owner writes and nobody else can:
//!
//! ```toml
//! [[sleep]]
//! operator = "5f1c..."           # the operator's public key, 64 hexadecimal digits
//! serials = ["B7-*"]             # serial numbers; a `*` at the end stands for anything
//! hours = ["22:00-06:00"]        # when; always, without it
//! utc-offset = "+01:00"          # where these hours are; UTC, without it
//! ```
//!
//! It is read again whenever a session begins. One that is wrong, or that others can write, lets nobody sleep.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use alongside::{
    ports::OwnerPolicy,
    protocol::{PublicKey, Serial},
};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    cli::{PolicyArgs, PolicyDo},
    config::{self, ConfigError, Surroundings},
    exit::{Exit, chain, fail},
};

/// Name of the file in the compartment.
pub const NAME: &str = "policy.toml";
/// Largest policy, in bytes.
const MOST: u64 = 256 * 1024;
const DAY: u64 = 24 * 60;

/// What the owner has laid down, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Who may work in sleep.
    #[serde(default)]
    pub sleep: Vec<SleepRule>,
}

/// One who may.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SleepRule {
    #[serde(deserialize_with = "key")]
    operator: PublicKey,
    serials: Vec<Scope>,
    #[serde(default)]
    hours: Vec<Hours>,
    #[serde(default)]
    utc_offset: Offset,
}

/// Serial numbers: one, or all that begin so.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scope(String);

/// From one minute of the day to another, which may be on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hours {
    from: u64,
    until: u64,
}

/// Minutes east of Greenwich.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Offset(i64);

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody else owns it.
    #[error("{} belongs to user {owner}, and must belong to the owner of its folder or to root", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Others can write it.
    #[error("{} can be written by others (mode {mode:04o}): take that away with `chmod go-w`", path.display())]
    Writable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is too large to be one.
    #[error("{} is larger than 256 KiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not of its form.
    #[error("{} is not a valid policy: line {line}: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

/// The policy file of a compartment.
#[derive(Clone, Debug)]
pub struct SleepPolicy {
    path: PathBuf,
}

impl SleepPolicy {
    /// The one in `state`, whether it is there or not.
    pub fn new(state: &Path) -> Self {
        Self {
            path: state.join(NAME),
        }
    }

    /// Reads it; an empty one where there is none.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with what is wrong with it.
    pub fn load(&self) -> Result<Policy, PolicyError> {
        match Policy::read(&self.path) {
            Err(PolicyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Policy::default())
            }
            read => read,
        }
    }
}

impl OwnerPolicy for SleepPolicy {
    fn sleep(&self, operator: PublicKey, serial: &Serial, unix_ms: u64) -> Option<Duration> {
        match self.load() {
            Ok(policy) => policy.sleep(operator, serial, unix_ms),
            Err(error) => {
                tracing::error!(error = %chain(&error), "the owner's policy cannot be used: nobody works in sleep");
                None
            }
        }
    }
}

impl Policy {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for the first thing that is wrong.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let cannot = |source| PolicyError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(cannot)?;
        let about = file.metadata().map_err(cannot)?;
        if !about.is_file() {
            return Err(cannot(io::Error::other("it is no ordinary file")));
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::metadata(folder.unwrap_or_else(|| Path::new("."))).map_err(cannot)?;
        let path = path.to_owned();
        let owner = about.uid();
        if owner != folder.uid() && owner != 0 {
            return Err(PolicyError::Owner { path, owner });
        }
        let mode = about.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(PolicyError::Writable { path, mode });
        }
        let mut text = String::new();
        file.take(MOST + 1)
            .read_to_string(&mut text)
            .map_err(|source| PolicyError::Read {
                path: path.clone(),
                source,
            })?;
        if text.len() as u64 > MOST {
            return Err(PolicyError::TooLarge { path });
        }
        toml::from_str(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let before = text.get(..at).unwrap_or_default();
            PolicyError::Form {
                path,
                line: 1 + before.matches('\n').count(),
                message: error.message().to_owned(),
            }
        })
    }

    /// For how long from `unix_ms` the operator may work in sleep.
    fn sleep(&self, operator: PublicKey, serial: &Serial, unix_ms: u64) -> Option<Duration> {
        let mine = self
            .sleep
            .iter()
            .filter(|rule| rule.operator == operator && rule.covers(serial));
        mine.filter_map(|rule| rule.time_left(unix_ms)).max()
    }
}

impl SleepRule {
    fn covers(&self, serial: &Serial) -> bool {
        self.serials.iter().any(|scope| scope.covers(serial))
    }

    fn time_left(&self, unix_ms: u64) -> Option<Duration> {
        if self.hours.is_empty() {
            return Some(Duration::MAX);
        }
        let local = (i128::from(unix_ms) + i128::from(self.utc_offset.0) * 60_000)
            .rem_euclid(i128::from(DAY) * 60_000);
        let ms = u64::try_from(local).unwrap_or(0);
        let left = |hours: &Hours| {
            let into = (ms + (DAY - hours.from) * 60_000) % (DAY * 60_000);
            let length = match (hours.until + DAY - hours.from) % DAY {
                0 => DAY,
                minutes => minutes,
            };
            (length * 60_000).checked_sub(into).filter(|left| *left > 0)
        };
        let longest = self.hours.iter().filter_map(left).max();
        longest.map(Duration::from_millis)
    }
}

impl Scope {
    fn covers(&self, serial: &Serial) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => serial.as_str().starts_with(beginning),
            None => serial.as_str() == self.0,
        }
    }
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PublicKey, D::Error> {
    let hex = String::deserialize(deserializer)?;
    PublicKey::from_hex(&hex)
        .ok_or_else(|| D::Error::custom("`operator` takes the 64 hexadecimal digits of a key"))
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = text.strip_suffix('*').unwrap_or(&text);
        if plain.contains('*') || (plain.is_empty() && text != "*") || plain.len() > 32 {
            return Err(D::Error::custom(
                "a serial number, which may end in `*` for anything that begins so",
            ));
        }
        Ok(Self(text))
    }
}

/// `HH:MM` as minutes.
fn minutes(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| -> Option<u64> {
        let is_two = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        is_two.then(|| text.parse().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hours = text.split_once('-').and_then(|(from, until)| {
            Some(Self {
                from: minutes(from)?,
                until: minutes(until)?,
            })
        });
        hours.ok_or_else(|| D::Error::custom("hours of a day, such as `22:00-06:00`"))
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let offset = match text.split_at_checked(1) {
            Some(("+", rest)) => minutes(rest).map(|m| (1, m)),
            Some(("-", rest)) => minutes(rest).map(|m| (-1, m)),
            _ => None,
        };
        let offset = offset.and_then(|(sign, m)| Some(sign * i64::try_from(m).ok()?));
        offset
            .filter(|offset| (-12 * 60..=14 * 60).contains(offset))
            .map(Self)
            .ok_or_else(|| D::Error::custom("a time zone, such as `+01:00`"))
    }
}

/// `alongside-agent policy`.
#[expect(clippy::print_stdout, reason = "it is what was asked for")]
pub fn run(args: &PolicyArgs) -> Exit {
    let PolicyDo::Check { file } = &args.what;
    let path = match file {
        Some(path) => path.clone(),
        None => match default_path(args) {
            Ok(path) => path,
            Err(error) => return fail(Exit::Usage, &chain(&error)),
        },
    };
    match Policy::read(&path) {
        Ok(policy) => {
            tell(&policy);
            Exit::Done
        }
        // The usual place may be empty; a file that was named should be there.
        Err(PolicyError::Read { source, .. })
            if file.is_none() && source.kind() == io::ErrorKind::NotFound =>
        {
            println!("no policy in {}: nobody may work in sleep", path.display());
            Exit::Done
        }
        Err(error) => fail(Exit::Failed, &chain(&error)),
    }
}

fn default_path(args: &PolicyArgs) -> Result<PathBuf, ConfigError> {
    let state = config::device_state(
        args.state.as_deref(),
        args.config.as_deref(),
        &Surroundings::of_process(),
    )?;
    Ok(state.join(NAME))
}

/// Says what the policy comes to.
#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn tell(policy: &Policy) {
    println!("good: {} may work in sleep", operators(policy.sleep.len()));
    for rule in &policy.sleep {
        let scopes: Vec<_> = rule.serials.iter().map(|scope| scope.0.as_str()).collect();
        let when = if rule.hours.is_empty() {
            "always".to_owned()
        } else {
            let shown = |hours: &Hours| {
                let of = |m: u64| format!("{:02}:{:02}", m / 60, m % 60);
                format!("{}-{}", of(hours.from), of(hours.until))
            };
            let hours: Vec<_> = rule.hours.iter().map(shown).collect();
            format!("{} (UTC{:+} min)", hours.join(", "), rule.utc_offset.0)
        };
        println!(
            "  {}  {}  {when}",
            rule.operator,
            crate::exit::inert(&scopes.join(", "))
        );
    }
}

fn operators(count: usize) -> String {
    match count {
        0 => "nobody".to_owned(),
        1 => "1 operator".to_owned(),
        count => format!("{count} operators"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const KEY: PublicKey = PublicKey([0x5f; 32]);

    fn policy(rest: &str) -> Result<Policy, PolicyError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(NAME);
        let text = format!("[[sleep]]\noperator = \"{KEY}\"\n{rest}");
        fs::write(&path, text).expect("written");
        Policy::read(&path)
    }

    fn left(policy: &Policy, serial: &str, hour: u64) -> Option<u64> {
        let serial = Serial::new(serial).expect("a serial number");
        let at = (365 * 24 + hour) * 3_600_000;
        let left = policy.sleep(KEY, &serial, at)?;
        Some(left.as_secs() / 3_600)
    }

    #[test]
    fn it_names_operator_serials_and_hours() {
        let rule = "serials = [\"B7-*\", \"C1\"]\nhours = [\"22:00-06:00\", \"12:00-13:00\"]\n";
        let policy = policy(rule).expect("a policy");
        assert_eq!(left(&policy, "B7-0042", 23), Some(7));
        assert_eq!(left(&policy, "C1", 5), Some(1));
        assert_eq!(left(&policy, "C1", 6), None);
        assert_eq!(left(&policy, "C1", 12), Some(1));
        assert_eq!(left(&policy, "C12", 23), None);
        let serial = Serial::new("C1").expect("a serial number");
        assert_eq!(policy.sleep(PublicKey([1; 32]), &serial, 0), None);
    }

    #[test]
    fn hours_are_those_of_the_place() {
        let rule = "serials = [\"*\"]\nhours = [\"22:00-23:00\"]\nutc-offset = \"-05:00\"\n";
        let policy = policy(rule).expect("a policy");
        assert_eq!(left(&policy, "X", 3), Some(1));
        assert_eq!(left(&policy, "X", 22), None);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (rest, says) in [
            ("serials = []\nhuors = []", "huors"),
            ("serials = [\"a*b\"]", "begins so"),
            ("serials = [\"*\"]\nhours = [\"22-6\"]", "22:00-06:00"),
            ("serials = [\"*\"]\nutc-offset = \"CET\"", "+01:00"),
            ("", "serials"),
        ] {
            let error = policy(rest).expect_err(rest).to_string();
            assert!(error.contains(says) && error.contains("line"), "{error}");
        }
    }

    #[test]
    fn one_that_others_can_write_is_not_the_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let sleep = SleepPolicy::new(folder.path());
        assert_eq!(sleep.load().expect("none"), Policy::default());
        let path = folder.path().join(NAME);
        fs::write(&path, "").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).expect("set");
        let error = sleep.load().expect_err("refused").to_string();
        assert!(error.contains("chmod go-w"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        assert_eq!(sleep.load().expect("fine"), Policy::default());
    }
}
