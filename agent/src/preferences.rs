//! What was set on the panel's settings page of Remote Assistance, kept in the device's folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    panel::mfd::{Allowed, Facts, Field, Preferences, Route, Scale, fits},
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
    relay: Option<String>,
    interface: Option<String>,
    proxy: Option<String>,
}

/// What was set on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnPanel {
    /// What counts at once.
    pub preferences: Preferences,
    /// The way to the service.
    pub route: Route,
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
pub fn load(folder: &Path) -> OnPanel {
    let path = folder.join(FILE);
    let kept: Kept = match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(file = %path.display(), %error, "what was set on the panel cannot be read");
            Kept::default()
        }),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(file = %path.display(), %error, "what was set on the panel cannot be read");
            }
            Kept::default()
        }
    };
    // A value that cannot be one would keep the device from starting, and nobody from setting it right.
    let fitting = |field, value: Option<String>| {
        value.filter(|value| {
            let does = fits(field, value);
            if !does {
                tracing::warn!(?field, "what was set on the panel cannot be used");
            }
            does
        })
    };
    let route = Route {
        relay: fitting(Field::Relay, kept.relay),
        interface: fitting(Field::Interface, kept.interface),
        proxy: fitting(Field::Proxy, kept.proxy),
    };
    let preferences = Preferences {
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
    };
    OnPanel { preferences, route }
}

/// Keeps every change in `folder`, as long as it is polled, and says each time whether that went well. What is laid
/// down outside the panel is not kept: it would count once nobody lays it down any more.
pub async fn keep(
    mut preferences: watch::Receiver<Preferences>,
    mut route: watch::Receiver<Route>,
    facts: &Facts,
    folder: &Path,
    tell: impl Fn(bool),
) {
    let path = folder.join(FILE);
    loop {
        let changed = tokio::select! {
            changed = preferences.changed() => changed,
            changed = route.changed() => changed,
        };
        if changed.is_err() {
            return std::future::pending().await;
        }
        let mut now = Kept::of(*preferences.borrow_and_update(), &route.borrow_and_update());
        facts.fixed.iter().for_each(|field| now.leave_out(*field));
        let path = path.clone();
        let kept = tokio::task::spawn_blocking(move || write(&path, &now)).await;
        if let Ok(Err(error)) = &kept {
            tracing::warn!(%error, "what was set on the panel cannot be kept");
        }
        tell(matches!(kept, Ok(Ok(()))));
    }
}

impl Kept {
    fn of(preferences: Preferences, route: &Route) -> Self {
        Self {
            remote_assistance: Some(match preferences.allowed {
                Allowed::On => Switch::On,
                Allowed::Off => Switch::Off,
            }),
            language: Some(preferences.locale.tag().to_owned()),
            text_size: Some(preferences.scale.percent()),
            relay: route.relay.clone(),
            interface: route.interface.clone(),
            proxy: route.proxy.clone(),
        }
    }

    fn leave_out(&mut self, field: Field) {
        match field {
            Field::Allowed => self.remote_assistance = None,
            Field::Language => self.language = None,
            Field::TextSize => self.text_size = None,
            // What was chosen before it was laid down is shown nowhere and stays.
            Field::Relay | Field::Interface | Field::Proxy => {}
        }
    }
}

fn write(path: &PathBuf, kept: &Kept) -> io::Result<()> {
    let text = toml::to_string(kept).map_err(io::Error::other)?;
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
        assert_eq!(load(folder.path()), OnPanel::default());
        let set = OnPanel {
            preferences: Preferences {
                allowed: Allowed::On,
                locale: Locale::Chinese,
                scale: Scale::Double,
            },
            route: Route {
                relay: Some("relay.example".to_owned()),
                interface: None,
                proxy: Some("none".to_owned()),
            },
        };
        let path = folder.path().join(FILE);
        write(&path, &Kept::of(set.preferences, &set.route)).expect("written");
        assert_eq!(load(folder.path()), set);
        fs::write(&path, "remote-assistance = 'on'\nrelay = 'a/b'\n").expect("written");
        let loaded = load(folder.path());
        assert_eq!(
            (loaded.preferences.allowed, loaded.route.relay),
            (Allowed::On, None)
        );
        fs::write(&path, "remote-assistance = 'perhaps'").expect("written");
        assert_eq!(load(folder.path()).preferences.allowed, Allowed::Off);
    }

    #[tokio::test]
    async fn what_is_laid_down_is_not_kept_and_a_failure_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let told = &std::sync::Mutex::new(Vec::new());
        let preferences = watch::Sender::new(Preferences::default());
        let route = watch::Sender::new(Route::default());
        let facts = Facts {
            fixed: vec![Field::Allowed],
            ..Facts::default()
        };
        let path = folder.path().join(FILE);
        let keep = keep(
            preferences.subscribe(),
            route.subscribe(),
            &facts,
            folder.path(),
            |is_kept| told.lock().expect("no panic").push(is_kept),
        );
        let change = async {
            let until = |count| async move {
                while told.lock().expect("no panic").len() < count {
                    tokio::task::yield_now().await;
                }
            };
            preferences.send_modify(|now| {
                now.allowed = Allowed::On;
                now.scale = Scale::Large;
            });
            until(1).await;
            let loaded = load(folder.path()).preferences;
            assert_eq!((loaded.allowed, loaded.scale), (Allowed::Off, Scale::Large));
            fs::create_dir(path.with_extension("toml.new")).expect("a folder in the way");
            route.send_modify(|now| now.relay = Some("relay.example".to_owned()));
            until(2).await;
        };
        tokio::select! {
            () = keep => {}
            () = change => {}
        }
        assert_eq!(*told.lock().expect("no panic"), [true, false]);
    }
}
