//! Where packages are looked for, and what comes of each.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use alongside_mode::{Manifest, abi::Module, host::Vetted};
use alongside_protocol::ids::ModeId;

use super::{
    Boxing, Policy, Refusal, RunFailure,
    child::seal,
    library::{self, NoModule},
    package::{self, Judge, Package},
    policy::Version,
};

/// Finds packages in folders, judges them by the owner's policy, and loads their modules.
///
/// Each folder of the search path holds packages, one folder each. Of two packages of one mode the one in the earlier
/// folder counts, and in one folder the one with the higher version.
#[derive(Clone, Debug)]
pub struct Loader(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    paths: Vec<PathBuf>,
    policy: Policy,
    program: Option<PathBuf>,
    has_landlock: bool,
    /// What was loaded into this process, by the hash of the module. It is never unloaded.
    loaded: Mutex<BTreeMap<[u8; 32], &'static Module>>,
}

/// A package that was found.
#[derive(Debug)]
pub struct Found {
    /// Its folder.
    pub folder: PathBuf,
    /// Which mode, as far as its manifest can be read.
    pub mode: Option<ModeId>,
    /// The package, or why it is refused.
    pub package: Result<Arc<Package>, Refusal>,
    /// The folder of another package of the same mode, which counts in the place of this one.
    pub behind: Option<PathBuf>,
}

impl Loader {
    /// Looks into no folder yet.
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(Shared {
            paths: Vec::new(),
            policy,
            program: None,
            has_landlock: seal::has_landlock(),
            loaded: Mutex::default(),
        }))
    }

    /// Looks into `folder` as well, after those before it. It need not exist.
    #[must_use]
    pub fn search(self, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        self.change(|shared| shared.paths.push(folder))
    }

    /// Starts sealed halves from `program` and not from the one that runs. Its `main` has to call
    /// [`run_child_if_asked`](super::run_child_if_asked) first.
    #[must_use]
    pub fn with_program(self, program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        self.change(|shared| shared.program = Some(program))
    }

    /// Does as on a kernel without landlock: only signed modules are let in, and files are kept from them by the
    /// filters alone.
    #[must_use]
    pub fn danger_without_landlock(self) -> Self {
        self.change(|shared| shared.has_landlock = false)
    }

    fn change(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Shared {
            paths: self.0.paths.clone(),
            policy: self.0.policy.clone(),
            program: self.0.program.clone(),
            has_landlock: self.0.has_landlock,
            loaded: Mutex::default(),
        };
        change(&mut shared);
        Self(Arc::new(shared))
    }

    /// The folders, in their order.
    pub fn paths(&self) -> &[PathBuf] {
        &self.0.paths
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Whether this kernel keeps files from a sealed module by landlock.
    pub fn has_landlock(&self) -> bool {
        self.0.has_landlock
    }

    pub(super) fn program(&self) -> Option<&Path> {
        self.0.program.as_deref()
    }

    /// Looks for packages now. Reads files, and so may block.
    pub fn find(&self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for path in &self.0.paths {
            let mut here = self.find_in(path);
            here.sort_by(|a, b| {
                version_of(b)
                    .cmp(&version_of(a))
                    .then(a.folder.cmp(&b.folder))
            });
            found.append(&mut here);
        }
        let mut first: BTreeMap<ModeId, PathBuf> = BTreeMap::new();
        for one in &mut found {
            let (Some(mode), Ok(_)) = (&one.mode, &one.package) else {
                continue;
            };
            match first.get(mode) {
                Some(before) => one.behind = Some(before.clone()),
                None => drop(first.insert(mode.clone(), one.folder.clone())),
            }
        }
        found
    }

    fn find_in(&self, path: &Path) -> Vec<Found> {
        let Ok(entries) = std::fs::read_dir(path) else {
            return Vec::new();
        };
        let judged = std::fs::File::open(path)
            .map_err(|source| Refusal::Read {
                path: path.to_owned(),
                source,
            })
            .and_then(|folder| package::judge_owner(&folder, path));
        if let Err(refusal) = judged {
            return vec![Found {
                folder: path.to_owned(),
                mode: None,
                package: Err(refusal),
                behind: None,
            }];
        }
        let folders = entries.filter_map(Result::ok).map(|entry| entry.path());
        folders
            .filter(|folder| folder.is_dir())
            .map(|folder| self.look(folder))
            .collect()
    }

    fn look(&self, folder: PathBuf) -> Found {
        let package = self.open(&folder).map(Arc::new);
        let mode = match &package {
            Ok(package) => Some(package.manifest().id.clone()),
            Err(_) => std::fs::read_to_string(folder.join("mode.json"))
                .ok()
                .and_then(|text| Manifest::parse(&text).ok())
                .map(|manifest| manifest.id),
        };
        Found {
            folder,
            mode,
            package,
            behind: None,
        }
    }

    /// Reads and judges the one package in `folder`.
    ///
    /// # Errors
    ///
    /// [`Refusal`], with what to do about it.
    pub fn open(&self, folder: &Path) -> Result<Package, Refusal> {
        self.judge(folder, true)
    }

    /// As [`Loader::open`] for the package's own maker, who need not be trusted: it always runs sealed.
    ///
    /// # Errors
    ///
    /// [`Refusal`], for all reasons but those of trust.
    pub fn open_untrusted(&self, folder: &Path) -> Result<Package, Refusal> {
        let alone = Self::new(Policy::default());
        alone.judge(folder, false)
    }

    fn judge(&self, folder: &Path, asks_trust: bool) -> Result<Package, Refusal> {
        let judge = Judge {
            policy: &self.0.policy,
            has_landlock: self.0.has_landlock,
            asks_trust,
        };
        Package::read(folder, judge)
    }

    /// The module of a package that runs inside this process. Loaded once.
    pub(super) fn in_process(&self, package: &Arc<Package>) -> Result<&'static Module, RunFailure> {
        debug_assert_eq!(package.boxing(), Boxing::InProcess);
        let mut loaded = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = loaded.get(&package.module_hash()) {
            return Ok(module);
        }
        let name = package.module_name();
        let failed = |why: String| RunFailure::Loaded {
            module: name.to_owned(),
            why,
        };
        let open = package.module().try_clone_to_owned();
        let open = open.map_err(|error| failed(error.to_string()))?;
        let module =
            library::load(std::os::fd::AsFd::as_fd(&open)).map_err(|no| failed(said(&no)))?;
        // The loader knows the library by this number: it must never be another file's.
        std::mem::forget(open);
        let vetted = Vetted::check(module).map_err(RunFailure::Unfit)?;
        if vetted.manifest_text() != package.manifest_text() {
            return Err(failed(
                "the manifest inside it is not the mode.json beside it: build the module again after changing mode.json"
                    .to_owned(),
            ));
        }
        loaded.insert(package.module_hash(), module);
        Ok(module)
    }
}

/// What is wrong with a library that gave no module, and what to do.
fn said(no: &NoModule) -> String {
    match no {
        NoModule::Library(said) => format!("cannot be loaded ({said}): build it for this system"),
        NoModule::NotAMode => {
            "is no session mode, it exports no `alongside_mode_abi`: add `export_mode!`".to_owned()
        }
        NoModule::Abi(version) => format!(
            "is built for mode ABI {}.{}: rebuild the mode with the version of alongside-mode that belongs to this program",
            version >> 16,
            version & 0xffff
        ),
        NoModule::NoTable => "has no table: export `alongside_mode_entry_v1`".to_owned(),
    }
}

fn version_of(found: &Found) -> Option<Version> {
    let package = found.package.as_ref().ok()?;
    Version::parse(package.manifest().version.as_str())
}
