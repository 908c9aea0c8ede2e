//! What was set on the panel's settings page of Remote Assistance, kept in the device's folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    panel::mfd::{Allowed, Preferences, Scale},
    text::Locale,
};

/// Name of the file.
const FILE: &str = "panel.toml";

/// The file, every key optional.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Kept {
    remote_assistance: Option<Switch>,
    language: Option<String>,
    text_size: Option<u8>,
}

/// On or off, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl From<Switch> for Allowed {
    fn from(switch: Switch) -> Self {
        match switch {
            Switch::On => Self::On,
            Switch::Off => Self::Off,
        }
    }
}

/// What was kept in `folder`; the defaults where nothing was, or something that cannot be read.
pub fn load(folder: &Path) -> Preferences {
    let path = folder.join(FILE);
    let kept: Kept = match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(file = %path.display(), %error, "what was set on the panel cannot be read");
            Kept::default()
        }),
        Err(_) => Kept::default(),
    };
    Preferences {
        allowed: kept
            .remote_assistance
            .map(Allowed::from)
            .unwrap_or_default(),
        locale: kept
            .language
            .and_then(|tag| Locale::from_tag(&tag))
            .unwrap_or_default(),
        scale: kept
            .text_size
            .and_then(Scale::from_percent)
            .unwrap_or_default(),
    }
}

/// Keeps every change in `folder`, as long as it is polled.
pub async fn keep(mut preferences: watch::Receiver<Preferences>, folder: &Path) {
    let path = folder.join(FILE);
    while preferences.changed().await.is_ok() {
        let now = *preferences.borrow_and_update();
        let path = path.clone();
        let kept = tokio::task::spawn_blocking(move || write(&path, now)).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(%error, "what was set on the panel cannot be kept");
        }
    }
    std::future::pending().await
}

fn write(path: &PathBuf, preferences: Preferences) -> io::Result<()> {
    let kept = Kept {
        remote_assistance: Some(match preferences.allowed {
            Allowed::On => Switch::On,
            Allowed::Off => Switch::Off,
        }),
        language: Some(preferences.locale.tag().to_owned()),
        text_size: Some(preferences.scale.percent()),
    };
    let text = toml::to_string(&kept).map_err(io::Error::other)?;
    let part = path.with_extension("toml.new");
    fs::write(&part, text)?;
    fs::File::open(&part)?.sync_all()?;
    fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_loaded_and_damage_turns_it_off() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(load(folder.path()), Preferences::default());
        let set = Preferences {
            allowed: Allowed::On,
            locale: Locale::Chinese,
            scale: Scale::Double,
        };
        write(&folder.path().join(FILE), set).expect("written");
        assert_eq!(load(folder.path()), set);
        fs::write(folder.path().join(FILE), "remote-assistance = 'perhaps'").expect("written");
        assert_eq!(load(folder.path()).allowed, Allowed::Off);
    }
}
