//! Where each setting comes from, and what is refused.

use std::{os::unix::fs::PermissionsExt as _, path::PathBuf};

use alongside::transport::Paths;

use super::*;
use crate::config::device_link;

/// Settings as three sources give them.
#[derive(Default)]
struct Given {
    folder: Option<tempfile::TempDir>,
    args: LinkArgs,
    file: String,
    environment: Vec<(&'static str, &'static str)>,
}

impl Given {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().ok(),
            ..Self::default()
        }
    }

    fn flag(mut self, proxy: &str) -> Self {
        self.args.proxy = proxy.parse().ok();
        self
    }

    fn file(mut self, text: &str) -> Self {
        self.file = text.to_owned();
        self
    }

    fn environment(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// A file in the folder, readable for nobody else unless `mode` says so.
    fn path(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.folder.as_ref().expect("a folder").path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        path
    }

    fn load(mut self) -> Result<Link, ConfigError> {
        let text = format!("relay = 'relay.example'\n{}", self.file);
        self.args.config = Some(self.path("agent.toml", &text, 0o644));
        let variables = self.environment.clone();
        let around = Surroundings {
            proxy: ProxyVariables::read(|name| {
                let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
                Some((*value).to_owned())
            }),
            ..Surroundings::default()
        };
        let file = File::load(self.args.config.as_deref())?;
        let way = (Meeting::AtRelay, &Route::default());
        Link::resolve(&self.args, &file, &around, way)
    }

    fn proxy(self) -> Option<String> {
        let link = self.load().expect("valid");
        link.relay.proxy().map(ToString::to_string)
    }

    fn refused(self) -> String {
        crate::exit::chain(&self.load().expect_err("refused"))
    }
}

#[test]
fn a_proxy_that_is_named_here_wins_over_one_that_is_named_for_every_program() {
    let all = || {
        Given::new()
            .flag("flag:1")
            .file("proxy = 'http://file:2'")
            .environment("HTTPS_PROXY", "http://machine:3")
    };
    assert_eq!(all().proxy().as_deref(), Some("http://flag:1"));
    let mut without_flag = all();
    without_flag.args.proxy = None;
    assert_eq!(without_flag.proxy().as_deref(), Some("http://file:2"));
    let machine = Given::new().environment("HTTPS_PROXY", "http://machine:3");
    assert_eq!(machine.proxy().as_deref(), Some("http://machine:3"));
    assert_eq!(all().flag("none").proxy(), None);
    assert_eq!(Given::new().proxy(), None);
    let excepted = Given::new()
        .environment("HTTPS_PROXY", "http://machine:3")
        .environment("NO_PROXY", ".example");
    assert_eq!(excepted.proxy(), None);
}

#[test]
fn a_password_is_taken_from_a_file_of_ones_own_and_from_nowhere_that_others_see() {
    for given in [
        Given::new().flag("http://kim:s3cret@proxy.lab"),
        Given::new().file("proxy = 'http://kim:s3cret@proxy.lab'"),
    ] {
        let words = given.refused();
        assert!(
            words.contains("0600") && !words.contains("s3cret"),
            "{words}"
        );
    }
    let with_file = |mode| {
        let mut given = Given::new().flag("proxy.lab:3128");
        given.args.proxy_credentials_file = Some(given.path("credentials", "kim:s3cret\n", mode));
        given
    };
    let words = with_file(0o644).refused();
    assert!(
        words.contains("chmod 600") && !words.contains("s3cret"),
        "{words}"
    );
    let link = with_file(0o600).load().expect("valid");
    let proxy = link.relay.proxy().expect("a proxy");
    assert!(proxy.has_credentials());
    assert!(!format!("{link:?} {proxy}").contains("s3cret"));

    let of_machine = Given::new().environment("ALL_PROXY", "http://kim:s3cret@machine:3");
    let link = of_machine.load().expect("valid");
    assert!(link.relay.proxy().expect("a proxy").has_credentials());
    assert!(!format!("{link:?}").contains("s3cret"));
}

#[test]
fn ways_are_all_allowed_unless_named_and_must_lead_to_the_relay() {
    let all = Given::new().load().expect("valid").relay.paths();
    assert_eq!(all, Paths::default());
    let streams = Given::new().file("proxy = 'a:1'\npaths = ['relay-tls', 'relay-proxy']");
    assert_eq!(
        streams.load().expect("valid").relay.paths(),
        Paths {
            direct: false,
            relay_quic: false,
            relay_tls: true,
            relay_proxy: true,
        }
    );
    let mut flag = Given::new().file("paths = ['relay-tls']");
    flag.args.paths = Some(vec![Way::RelayQuic]);
    assert!(flag.load().expect("valid").relay.paths().relay_quic);
    for nowhere in [
        "paths = []",
        "paths = ['direct']",
        "paths = ['relay-proxy']",
    ] {
        let words = Given::new().file(nowhere).refused();
        assert!(words.contains("`paths`"), "{nowhere}: {words}");
    }
    let words = Given::new().file("paths = ['relay-udp']").refused();
    assert!(
        words.contains("relay-quic") && words.contains("line 2"),
        "{words}"
    );
}

#[test]
fn the_doctor_tries_what_was_chosen_on_the_panel_unless_it_is_told_otherwise() {
    let state = tempfile::tempdir().expect("a folder");
    let panel =
        "relay = 'chosen.example'\ninterface = 'eth1'\nproxy = 'http://chosen.example:3128'\n";
    fs::write(state.path().join("panel.toml"), panel).expect("written");
    let around = Surroundings::default();
    let mut args = LinkArgs::default();
    let (link, chosen) = device_link(&args, Some(state.path()), &around).expect("usable");
    assert_eq!(link.relay.host(), Some("chosen.example"));
    assert_eq!(link.interface.as_deref(), Some("eth1"));
    assert!(link.relay.proxy().is_some());
    assert!(chosen.relay.is_some() && chosen.interface.is_some() && chosen.proxy.is_some());

    args.relay = Some("named.example".to_owned());
    let (link, chosen) = device_link(&args, Some(state.path()), &around).expect("usable");
    assert_eq!(link.relay.host(), Some("named.example"));
    assert!(chosen.relay.is_none() && chosen.proxy.is_some());

    let (link, chosen) = device_link(&args, None, &around).expect("needs no state");
    assert_eq!((link.interface, chosen), (None, Route::default()));
}
