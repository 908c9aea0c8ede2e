//! The modes of a device or an operator: what is linked in, and what is loaded.
//!
//! Every mode goes through one door, the C table of [`alongside_mode`], wherever its code comes from:
//!
//! | | where it runs | what keeps it in bounds |
//! | --- | --- | --- |
//! | the agent's own modes, and those that you [link in](Modes::with_linked) | in this process | they are your code |
//! | packages (feature `dynamic-modes`) | in a [sealed child](run_child_if_asked) of their own | landlock, two seccomp filters, limits, and deadlines |
//! | packages of a signer whom the owner's policy names for that | in this process | nothing: they are trusted |
//!
//! A half only ever asks. What it asks for is held against the customer's live grant by the session, and recorded before
//! it happens, no matter where the half runs.
//!
//! # A package
//!
//! A folder with `mode.json`, one `.so` file, the console panel that `mode.json` names, if it names one, and a file
//! `signature`. It is judged without running any of it: owner and permissions, signature, manifest, versions, and
//! whether the module is a library for this machine. Each [`Refusal`] is a sentence that says what to do.
//!
//! # Versions
//!
//! A module is never unloaded, and the bytes that were judged are the bytes that run, even if the file changes
//! meanwhile. A session keeps the modes that it began with; the next one finds what is installed by then. So a new
//! build is put beside the old one, or in its place, without a restart.
#[cfg(feature = "dynamic-modes")]
mod child;
#[cfg(feature = "dynamic-modes")]
pub mod conformance;
#[cfg(feature = "dynamic-modes")]
mod elf;
#[cfg(feature = "dynamic-modes")]
mod frame;
mod hosting;
#[cfg(feature = "dynamic-modes")]
mod library;
#[cfg(feature = "dynamic-modes")]
mod loader;
#[cfg(feature = "dynamic-modes")]
mod package;
#[cfg(feature = "dynamic-modes")]
mod policy;
#[cfg(feature = "dynamic-modes")]
mod refusal;
mod running;
#[cfg(feature = "dynamic-modes")]
mod sealed;
mod shelf;
#[cfg(feature = "dynamic-modes")]
mod signature;

use std::{fmt, sync::Arc, time::Instant};

use alongside_mode::{
    abi::Module,
    host::{Unfit, Vetted},
};
#[cfg(feature = "builtin-modes")]
use alongside_protocol::ids::ModeId;

#[cfg(feature = "dynamic-modes")]
pub use child::run_child_if_asked;
pub(crate) use hosting::{Answer, ModeError, ModeHost};
#[cfg(feature = "dynamic-modes")]
pub use loader::{Found, Loader};
#[cfg(feature = "dynamic-modes")]
pub use package::{MAX_FILE, MAX_FILES, MAX_MODULE, Package, sign};
#[cfg(feature = "dynamic-modes")]
pub use policy::{Policy, Rule, Signer, Version};
#[cfg(feature = "dynamic-modes")]
pub use refusal::{PanelFault, Refusal};
pub use running::{RunFailure, Running};
#[cfg(feature = "dynamic-modes")]
pub use sealed::{HARD, SOFT, SealedFailure};
pub(crate) use shelf::Shelf;

/// Where a loaded mode runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Boxing {
    /// Inside this process: nothing can be kept from it. Only for signers whom the owner's policy names for that.
    InProcess,
    /// In a process of its own, under landlock and two filters.
    Sealed,
    /// In a process of its own under the two filters: this kernel has no landlock.
    SealedWithoutLandlock,
}

/// In a few words, for a list.
impl fmt::Display for Boxing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProcess => "in this process, not sealed",
            Self::Sealed => "sealed: landlock and seccomp",
            Self::SealedWithoutLandlock => "sealed: seccomp alone, this kernel has no landlock",
        })
    }
}

/// What a device has that its modes work with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Means {
    /// Whether it has settings to offer.
    pub(crate) settings: bool,
    /// Whether it has a service surface.
    pub(crate) surface: bool,
    /// Until when its owner lets this operator work in sleep, if at all.
    pub(crate) sleeps_until: Option<Instant>,
}

/// What modes a device or an operator has.
///
/// ```
/// use alongside::modes::Modes;
///
/// // Those that come with Alongside, which is also what a device or an operator has by itself.
/// let modes = Modes::built_in();
/// ```
#[derive(Clone, Debug)]
pub struct Modes {
    linked: Vec<&'static Module>,
    #[cfg(feature = "dynamic-modes")]
    loader: Option<Loader>,
}

impl Default for Modes {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Modes {
    /// The modes that come with Alongside, as far as the feature `builtin-modes` links them in.
    pub fn built_in() -> Self {
        Self {
            linked: linked().collect(),
            #[cfg(feature = "dynamic-modes")]
            loader: None,
        }
    }

    /// Adds a mode that your program links in: `static MODULE: Module = alongside_mode::module::<MyMode>();`.
    ///
    /// # Errors
    ///
    /// [`Unfit`] if its table or manifest is not in order.
    pub fn with_linked(mut self, module: &'static Module) -> Result<Self, Unfit> {
        Vetted::check(module)?;
        self.linked.push(module);
        Ok(self)
    }

    /// Adds the modes that `loader` finds, anew at the beginning of each session.
    #[cfg(feature = "dynamic-modes")]
    #[must_use]
    pub fn with_loader(mut self, loader: Loader) -> Self {
        self.loader = Some(loader);
        self
    }

    /// What there is for a session that begins now.
    pub(crate) async fn shelf(&self) -> Arc<Shelf> {
        let linked = Shelf::linked(self.linked.iter().copied());
        #[cfg(feature = "dynamic-modes")]
        if let Some(loader) = &self.loader {
            let loader = loader.clone();
            let found = tokio::task::spawn_blocking(move || linked.with_found(&loader));
            return Arc::new(
                found
                    .await
                    .unwrap_or_else(|_| Shelf::linked(self.linked.iter().copied())),
            );
        }
        Arc::new(linked)
    }
}

/// The modules of the modes that are linked in with the feature `builtin-modes`.
pub fn linked() -> impl Iterator<Item = &'static Module> {
    BUILTINS.iter().map(|(_, module)| *module)
}

/// What fuzzers run: the frames of a sealed child's process.
#[cfg(feature = "dynamic-modes")]
pub mod fuzzing {
    /// Bytes as a child might send them; they are decoded or refused.
    pub fn frame(data: &[u8]) {
        super::frame::fuzz(data);
    }
}

/// The modes that are linked in, by their names.
static BUILTINS: &[(&str, &Module)] = &[
    #[cfg(feature = "builtin-modes")]
    (ModeId::USER_GUIDE, &alongside_user_guide::MODULE),
    #[cfg(feature = "builtin-modes")]
    (ModeId::ENGINEER_CONFIG, &alongside_engineer_config::MODULE),
    #[cfg(feature = "builtin-modes")]
    (
        ModeId::OPERATOR_CONTROL,
        &alongside_operator_control::MODULE,
    ),
];

#[cfg(all(test, feature = "builtin-modes"))]
mod tests {
    use alongside_session::Consent;

    use super::*;
    use crate::operator::Asks;

    const MEANS: Means = Means {
        settings: true,
        surface: false,
        sleeps_until: None,
    };

    #[test]
    fn every_mode_that_is_linked_in_is_in_order_and_named_as_it_names_itself() {
        for (name, module) in BUILTINS {
            let vetted = Vetted::check(module).expect("a mode in order");
            assert_eq!(vetted.manifest().id.as_str(), *name);
        }
    }

    #[tokio::test]
    async fn what_touches_the_panel_wants_the_administrators_id() {
        let offers = Modes::built_in().shelf().await.offers(MEANS);
        let control = offers
            .iter()
            .find(|offer| offer.id.as_str() == ModeId::OPERATOR_CONTROL);
        let consent = control.map(|offer| offer.consent);
        assert_eq!(consent, Some(Consent::Ask { admin_id: true }));
    }

    #[tokio::test]
    async fn the_operator_hears_whose_word_a_mode_takes() {
        let shelf = Modes::built_in().shelf().await;
        let asks = |id| {
            let mode = shelf.mode(&ModeId::new(id).expect("a name"));
            mode.map(|mode| mode.asks)
        };
        assert_eq!(asks(ModeId::OPERATOR_CONTROL), Some(Asks::Administrator));
        assert_eq!(asks(ModeId::USER_GUIDE), Some(Asks::Code));
    }

    #[tokio::test]
    async fn a_device_without_settings_offers_none_and_only_engineer_config_sleeps() {
        let none = Means {
            settings: false,
            ..MEANS
        };
        let shelf = Modes::built_in().shelf().await;
        let ids = |means| {
            let offers = shelf.offers(means).into_iter();
            offers.map(|offer| offer.id).collect::<Vec<_>>()
        };
        let config = ModeId::new(ModeId::ENGINEER_CONFIG).expect("a name");
        assert!(!ids(none).contains(&config) && ids(MEANS).contains(&config));
        let sleeping = Means {
            sleeps_until: Some(crate::clock::now()),
            ..MEANS
        };
        for offer in shelf.offers(sleeping) {
            let sleeps = offer.consent == Consent::Silent;
            assert_eq!(sleeps, offer.id == config);
            assert!(!sleeps || !offer.granted.contains(alongside_mode::Capabilities::VIEW));
        }
    }
}
