//! What can be set, in a file or by an embedder.

use std::{
    fmt, fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use alongside_protocol::label::Label;
use serde::Deserialize;

mod limits;

pub use limits::Limits;
pub(crate) use limits::seconds;

/// Port on which legs reach a relay: what customers' firewalls let out. Another one exists for tests and labs.
pub const PORT: u16 = 443;

/// Settings of a relay; [`Config::default`] is a relay that is safe to expose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Address to listen on; without one all addresses, IPv6 and IPv4.
    pub listen: Option<IpAddr>,
    /// Another port than [`PORT`], 0 for any free one. Customers' firewalls do not let it out.
    pub danger_port: Option<u16>,
    /// Directory for keys, operators and access lines.
    pub state: Option<PathBuf>,
    /// Name by which the relay confirms operators to customers; without one the first of `tls.names`, else the
    /// host's name.
    pub name: Option<Label<255>>,
    /// How the log is written to standard error.
    pub log: LogFormat,
    /// The certificate.
    pub tls: Tls,
    /// All limits.
    pub limits: Limits,
}

/// Certificate of the relay: PEM files, or one of a private CA that the relay makes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// PEM file with the certificate and its intermediates.
    pub certificate: Option<PathBuf>,
    /// PEM file with the key of that certificate.
    pub key: Option<PathBuf>,
    /// Further host names or addresses for a certificate of the private CA.
    pub names: Vec<String>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("the log is `text` or `json`"),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, has a key that is not known, or a value outside its bounds.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.into(),
            source,
        })?;
        Self::parse(&text).map_err(|problem| ConfigError::Invalid {
            path: path.into(),
            problem,
        })
    }

    /// Reads the text of a configuration file; the error is one line.
    ///
    /// # Errors
    ///
    /// Says the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let before = error
                .span()
                .and_then(|span| text.get(..span.start))
                .unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            let message = error
                .message()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ");
            format!("line {line}: {message}")
        })?;
        config.check()?;
        Ok(config)
    }

    /// Holds every value to its bounds: what passes, works.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Err("tls.certificate and tls.key only work together: give both or none".into());
        }
        self.limits.first_out_of_bounds().map_or(Ok(()), Err)
    }

    /// Port to listen on.
    pub fn port(&self) -> u16 {
        self.danger_port.unwrap_or(PORT)
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says something that cannot be.
    #[error("configuration {}, {problem}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What, and where.
        problem: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default_and_every_default_is_within_its_bounds() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
        assert_eq!(Config::default().port(), 443);
        assert_eq!(Limits::default().first_out_of_bounds(), None);
    }

    #[test]
    fn the_readme_lists_every_limit_with_its_default() {
        let readme = include_str!("../README.md");
        for (name, default, ..) in Limits::TABLE {
            let row = format!("| `{name}` | {default} |");
            assert!(readme.contains(&row), "{row}");
        }
    }

    #[test]
    fn the_packaged_configuration_is_valid() {
        Config::parse(include_str!("../packaging/relay.toml")).unwrap();
    }

    #[test]
    fn a_file_can_set_everything() {
        let config = Config::parse(
            "listen = \"127.0.0.1\"\ndanger_port = 0\nstate = \"s\"\nname = \"relay.example\"\nlog = \"json\"\n\
             [tls]\ncertificate = \"c\"\nkey = \"k\"\nnames = [\"a\"]\n[limits]\nlegs = 7\n",
        )
        .unwrap();
        assert_eq!(
            (config.port(), config.limits.legs, config.log),
            (0, 7, LogFormat::Json)
        );
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, says) in [
            ("port = 1", "line 1: unknown field `port`"),
            ("\n[limits]\nlegz = 1", "line 3: unknown field `legz`"),
            (
                "[limits]\nlegs = 0",
                "limits.legs is 0, allowed are 1 to 1000000",
            ),
            ("[tls]\nkey = \"k\"", "give both or none"),
            ("listen = \"localhost\"", "line 1: invalid IP address"),
            ("name = \"a\\u001bb\"", "control character"),
        ] {
            let problem = Config::parse(text).unwrap_err();
            assert!(problem.contains(says), "{text:?}: {problem}");
            assert!(!problem.contains('\n'), "{problem}");
        }
    }
}
