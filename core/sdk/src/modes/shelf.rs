//! The modes that one session can have: those that are linked in, and those that were found.

#[cfg(feature = "dynamic-modes")]
use std::sync::Arc;

use alongside_mode::{Capabilities, Line, Manifest, Side, abi::Module, host::Vetted, manifest};
use alongside_protocol::ids::ModeId;
use alongside_session::{Consent, Offer, operator::Known};

use super::{Means, RunFailure, Running};
#[cfg(feature = "dynamic-modes")]
use super::{loader::Loader, package::Package};
#[cfg(feature = "dynamic-modes")]
use crate::operator::ConsolePanel;
use crate::{
    operator::{Asks, Mode},
    status::ModeName,
};

const SETTINGS: Capabilities = Capabilities::SETTINGS_READ.with(Capabilities::SETTINGS_WRITE);

/// The modes of one session, looked at when it begins.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    books: Vec<Book>,
    #[cfg(feature = "dynamic-modes")]
    loader: Option<Loader>,
}

#[derive(Debug)]
struct Book {
    manifest: Manifest,
    allowed: Capabilities,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Linked(&'static Module),
    #[cfg(feature = "dynamic-modes")]
    Loaded(Arc<Package>),
}

impl Shelf {
    /// Those that are linked in. One that is not in order is left out, and a test sees to it that none is.
    pub(super) fn linked(modules: impl IntoIterator<Item = &'static Module>) -> Self {
        let book = |module| {
            let vetted = Vetted::check(module).ok()?;
            Some(Book {
                manifest: vetted.manifest().clone(),
                allowed: vetted.manifest().capabilities,
                source: Source::Linked(module),
            })
        };
        Self {
            books: modules.into_iter().filter_map(book).collect(),
            #[cfg(feature = "dynamic-modes")]
            loader: None,
        }
    }

    /// Adds those that a loader finds; one that replaces a linked mode does.
    #[cfg(feature = "dynamic-modes")]
    pub(super) fn with_found(mut self, loader: &Loader) -> Self {
        for found in loader.find() {
            let folder = found.folder.display();
            match (found.package, found.behind) {
                (Ok(package), None) => self.add(package),
                (Ok(_), Some(other)) => {
                    tracing::info!(%folder, other = %other.display(), "another package of this mode counts");
                }
                (Err(refusal), _) => {
                    let why = crate::session_io::chain(&refusal).to_string();
                    tracing::warn!(%folder, why, "mode refused");
                }
            }
        }
        self.loader = Some(loader.clone());
        self
    }

    #[cfg(feature = "dynamic-modes")]
    fn add(&mut self, package: Arc<Package>) {
        let manifest = package.manifest().clone();
        self.books.retain(|book| book.manifest.id != manifest.id);
        self.books.push(Book {
            allowed: package.allowed(),
            manifest,
            source: Source::Loaded(package),
        });
    }

    /// What a device offers beside the user guide.
    pub(crate) fn offers(&self, means: Means) -> Vec<Offer> {
        let above = self.books.iter().filter(|book| !book.is_user_guide());
        let fits = above.filter(|book| means.settings || (book.allowed & SETTINGS).is_empty());
        fits.map(|book| book.offer(means)).collect()
    }

    /// What people call them.
    pub(crate) fn names(&self) -> Vec<ModeName> {
        let named =
            |book: &Book| ModeName::new(book.manifest.id.clone(), book.manifest.name.clone());
        self.books.iter().map(named).collect()
    }

    /// The modes whose operator's half is here, beside the user guide.
    pub(crate) fn known(&self) -> Vec<Known> {
        let above = self.books.iter().filter(|book| !book.is_user_guide());
        let known = |book: &Book| Known {
            id: book.manifest.id.clone(),
            capabilities: book.allowed,
            peer: book.manifest.peer,
        };
        above.map(known).collect()
    }

    /// What an operator is told of a mode; `None` if it is not here.
    pub(super) fn mode(&self, mode: &ModeId) -> Option<Mode> {
        let book = self.books.iter().find(|book| book.manifest.id == *mode)?;
        let panel = match &book.source {
            Source::Linked(_) => None,
            #[cfg(feature = "dynamic-modes")]
            Source::Loaded(package) => {
                let script = package.panel().map(str::to_owned);
                let element = book
                    .manifest
                    .console
                    .as_ref()
                    .map(|console| console.element.clone());
                script
                    .zip(element)
                    .map(|(script, element)| ConsolePanel { element, script })
            }
        };
        Some(Mode {
            id: book.manifest.id.clone(),
            name: book.manifest.name.clone(),
            asks: match book.consent() {
                Consent::Code => Asks::Code,
                Consent::Ask { admin_id: false } => Asks::Customer,
                Consent::Ask { admin_id: true } => Asks::Administrator,
                Consent::Silent => Asks::Policy,
            },
            panel,
        })
    }

    /// What the record says of a loaded mode: version, signer, box. Nothing of one that is linked in.
    pub(super) fn describe(&self, mode: &ModeId) -> Option<Line> {
        let book = self.books.iter().find(|book| book.manifest.id == *mode)?;
        match &book.source {
            Source::Linked(_) => None,
            #[cfg(feature = "dynamic-modes")]
            Source::Loaded(package) => {
                let signer = package.signer().map_or_else(
                    || "unsigned".to_owned(),
                    |(name, _)| format!("signed by {}", name.as_str()),
                );
                let version = book.manifest.version.as_str();
                let text = format!("host: version {version}, {signer}, {}", package.boxing());
                Line::new(&text).ok()
            }
        }
    }

    /// Makes one half of a mode; `None` if there is no such mode.
    pub(super) fn start(
        &self,
        mode: &ModeId,
        side: Side,
        granted: Capabilities,
    ) -> Option<Result<Running, RunFailure>> {
        let book = self.books.iter().find(|book| book.manifest.id == *mode)?;
        let granted = granted & book.allowed;
        match &book.source {
            Source::Linked(module) => Some(Running::linked(module, side, granted)),
            #[cfg(feature = "dynamic-modes")]
            Source::Loaded(package) => {
                let loader = self.loader.as_ref()?;
                Some(Running::loaded(package, loader, side, granted))
            }
        }
    }
}

impl Book {
    fn is_user_guide(&self) -> bool {
        self.manifest.id.as_str() == ModeId::USER_GUIDE
    }

    /// Whose word it takes.
    ///
    /// Whatever touches the panel or changes a setting wants the system administrator's ID besides the customer's word.
    /// What only sees and draws has that word already, by the code, if its manifest says that a notice will do.
    fn consent(&self) -> Consent {
        let strong = Capabilities::INPUT | Capabilities::SETTINGS_WRITE;
        let plain = Capabilities::VIEW | Capabilities::ANNOTATE;
        let ask = Consent::Ask {
            admin_id: !(self.allowed & strong).is_empty(),
        };
        match self.manifest.consent {
            manifest::Consent::Notice if plain.contains(self.allowed) => Consent::Code,
            #[cfg(feature = "dynamic-modes")]
            manifest::Consent::None if self.is_silent() => Consent::Silent,
            manifest::Consent::Notice
            | manifest::Consent::None
            | manifest::Consent::Ask
            | manifest::Consent::AskEach => ask,
        }
    }

    /// What a device offers of it. Engineer config is offered in sleep where the owner's policy names the operator.
    fn offer(&self, means: Means) -> Offer {
        let can_sleep = self.manifest.id.as_str() == ModeId::ENGINEER_CONFIG;
        let lapses = means.sleeps_until.filter(|_| can_sleep);
        let consent = lapses.map_or_else(|| self.consent(), |_| Consent::Silent);
        let granted = match consent {
            // Without a service surface there is nothing that the operator could look at unseen.
            Consent::Silent if means.surface => self.allowed.with(Capabilities::SILENT),
            Consent::Silent => self
                .allowed
                .with(Capabilities::SILENT)
                .without(Capabilities::VIEW),
            Consent::Code | Consent::Ask { .. } => self.allowed.without(Capabilities::SILENT),
        };
        Offer {
            id: self.manifest.id.clone(),
            granted,
            consent,
            peer: self.manifest.peer,
            lapses,
        }
    }

    /// Whether the owner's policy lets it run unasked, by its name.
    #[cfg(feature = "dynamic-modes")]
    fn is_silent(&self) -> bool {
        match &self.source {
            Source::Linked(_) => false,
            Source::Loaded(package) => package.is_silent(),
        }
    }
}
