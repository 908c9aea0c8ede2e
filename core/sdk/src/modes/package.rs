//! One package of a mode: a folder with `mode.json`, one `.so` file, perhaps a console panel, perhaps `signature`.
//!
//! It is read once, judged without running any of it, and from then on only the bytes that were judged are used: the
//! module is kept in a sealed memory file, which nobody can change, and is loaded from there.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
};

use alongside_mode::{Capabilities, Manifest, manifest::Trust};
use alongside_protocol::{PublicKey, ids::ModeId, label::Label};
use alongside_transport::Identity;
use rustix::fs::{self, FileType, MemfdFlags, Mode, OFlags, SealFlags};

use super::{
    Boxing, elf,
    policy::{Policy, Version},
    refusal::{PanelFault, Refusal},
    signature::{self, Hash, Signed},
};

/// Most files of a package (our choice: a mode needs four).
pub const MAX_FILES: usize = 64;
/// Longest module, in bytes (our choice: a Rust module with debug information has a few MiB).
pub const MAX_MODULE: u64 = 64 * 1024 * 1024;
/// Longest file of any other kind, in bytes (our choice: a console panel is a few KiB).
pub const MAX_FILE: u64 = 256 * 1024;

/// A package that was judged and let in.
#[derive(Debug)]
pub struct Package {
    folder: PathBuf,
    manifest: Manifest,
    manifest_text: Vec<u8>,
    module: OwnedFd,
    module_name: String,
    module_hash: Hash,
    module_len: u64,
    panel: Option<Vec<u8>>,
    signer: Option<(Label<64>, PublicKey)>,
    boxing: Boxing,
    allowed: Capabilities,
    is_silent: bool,
}

/// What a package is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'a> {
    pub(super) policy: &'a Policy,
    /// Whether the kernel keeps files from a module.
    pub(super) has_landlock: bool,
    /// Whether the trust of its maker is asked for. Its own maker tries a package out without.
    pub(super) asks_trust: bool,
}

impl Package {
    /// Reads and judges the package in `folder`.
    pub(super) fn read(folder: &Path, judge: Judge<'_>) -> Result<Self, Refusal> {
        let mut files = read_all(folder)?;
        let signed = files.remove(signature::FILE);
        let hashes = hashes(&files);
        let manifest_text = files.remove("mode.json").ok_or(Refusal::NoManifest)?;
        let text = std::str::from_utf8(&manifest_text).map_err(|_| Refusal::ManifestText)?;
        let manifest = Manifest::parse(text).map_err(Refusal::Manifest)?;
        Refusal::of_versions(&manifest)?;
        let signer = match &signed {
            Some(bytes) => {
                let signed = Signed::parse(bytes)?;
                signed.verify(&hashes)?;
                Some(signed.signer)
            }
            None => None,
        };
        let (signer, in_process) = judge.of_signer(signer)?;
        let rule = judge.policy.rule(&manifest.id);
        judge.of_rule(&manifest)?;
        let boxing = match (in_process, judge.has_landlock) {
            (true, _) => Boxing::InProcess,
            (false, true) => Boxing::Sealed,
            (false, false) if signer.is_some() => Boxing::SealedWithoutLandlock,
            (false, false) => return Err(Refusal::NeedsLandlock),
        };
        let (module_name, module) = take_module(&mut files)?;
        elf::check(&module).map_err(|why| Refusal::Library {
            file: module_name.clone(),
            why,
        })?;
        let panel = take_panel(&manifest, &mut files)?;
        let asked = manifest.capabilities;
        Ok(Self {
            folder: folder.to_owned(),
            allowed: rule.allow.map_or(asked, |allow| allow & asked),
            is_silent: asked.contains(Capabilities::SILENT),
            module_hash: hashes.get(&module_name).copied().unwrap_or([0; 32]),
            module_len: module.len() as u64,
            module: keep(&module_name, &module)?,
            module_name,
            manifest,
            manifest_text,
            panel,
            signer,
            boxing,
        })
    }

    /// The folder that it was read from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the mode says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The very text of `mode.json`; the module carries the same.
    pub fn manifest_text(&self) -> &[u8] {
        &self.manifest_text
    }

    /// Name of the module's file.
    pub fn module_name(&self) -> &str {
        &self.module_name
    }

    /// Length of the module, in bytes.
    pub fn module_len(&self) -> u64 {
        self.module_len
    }

    /// SHA-256 of the module.
    pub fn module_hash(&self) -> [u8; 32] {
        self.module_hash
    }

    /// The one file of its part of the console.
    pub fn panel(&self) -> Option<&str> {
        std::str::from_utf8(self.panel.as_deref()?).ok()
    }

    /// Who has signed it: their name in the policy, and their key.
    pub fn signer(&self) -> Option<(&Label<64>, PublicKey)> {
        self.signer.as_ref().map(|(name, key)| (name, *key))
    }

    /// Where its module runs.
    pub fn boxing(&self) -> Boxing {
        self.boxing
    }

    /// The most that it may do here: what its manifest asks for, as far as the owner's policy goes.
    pub fn allowed(&self) -> Capabilities {
        self.allowed
    }

    /// Whether it runs without asking the customer; the policy allows that by name.
    pub fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// The sealed memory file with the module.
    pub(super) fn module(&self) -> BorrowedFd<'_> {
        self.module.as_fd()
    }
}

impl Judge<'_> {
    fn of_signer(
        self,
        key: Option<PublicKey>,
    ) -> Result<(Option<(Label<64>, PublicKey)>, bool), Refusal> {
        let known = key.and_then(|key| self.policy.signer(key));
        match (key, known) {
            (_, Some(signer)) => Ok((Some((signer.name.clone(), signer.key)), signer.in_process)),
            (None, None) if !self.asks_trust || self.policy.unsigned => Ok((None, false)),
            (Some(_), None) if !self.asks_trust => Ok((None, false)),
            (Some(key), None) => Err(Refusal::Signer { key }),
            (None, None) => Err(Refusal::Unsigned),
        }
    }

    fn of_rule(self, manifest: &Manifest) -> Result<(), Refusal> {
        const BUILT_IN: [&str; 3] = [
            ModeId::USER_GUIDE,
            ModeId::OPERATOR_CONTROL,
            ModeId::ENGINEER_CONFIG,
        ];
        let mode = manifest.id.clone();
        let rule = self.policy.rule(&mode);
        if rule.off {
            return Err(Refusal::Off { mode });
        }
        if !rule.replaces && BUILT_IN.contains(&mode.as_str()) {
            return Err(Refusal::Name { mode });
        }
        if let Some(floor) = rule.at_least {
            let text = manifest.version.as_str();
            let version = Version::parse(text).ok_or_else(|| Refusal::VersionText {
                version: text.to_owned(),
            })?;
            if version < floor {
                return Err(Refusal::TooOld { version, floor });
            }
        }
        let is_silent = manifest.capabilities.contains(Capabilities::SILENT);
        if is_silent && self.asks_trust && !rule.silent {
            return Err(Refusal::Silent);
        }
        Ok(())
    }
}

/// Signs the package in `folder` as it is now: writes its file `signature`.
///
/// # Errors
///
/// [`Refusal`] if the folder cannot be read or written, or is no package.
pub fn sign(folder: &Path, identity: &Arc<Identity>) -> Result<(), Refusal> {
    let mut files = read_all(folder)?;
    files.remove(signature::FILE);
    if !files.contains_key("mode.json") {
        return Err(Refusal::NoManifest);
    }
    let text = signature::write(&hashes(&files), identity);
    let path = folder.join(signature::FILE);
    std::fs::write(&path, text).map_err(|source| Refusal::Read { path, source })
}

/// Whether a path inside a package is plain: no step up, nothing hidden, no surprising character.
pub(super) fn is_plain_path(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    path.len() <= 128 && path.split('/').all(plain)
}

fn hashes(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Hash> {
    files
        .iter()
        .map(|(path, bytes)| (path.clone(), signature::hash(bytes)))
        .collect()
}

/// The module, and its name: the one file at the top whose name ends in `.so`.
fn take_module(files: &mut BTreeMap<String, Vec<u8>>) -> Result<(String, Vec<u8>), Refusal> {
    let is_module = |path: &&String| path.ends_with(".so") && !path.contains('/');
    let mut modules = files.keys().filter(is_module);
    let first = modules.next().ok_or(Refusal::NoModule)?.clone();
    if let Some(second) = modules.next() {
        let second = second.clone();
        return Err(Refusal::TwoModules { first, second });
    }
    let bytes = files.remove(&first).unwrap_or_default();
    Ok((first, bytes))
}

/// The console panel that the manifest names, if it can be put into a frame.
fn take_panel(
    manifest: &Manifest,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(console) = &manifest.console else {
        return Ok(None);
    };
    let file = console.panel.as_str();
    let wrong = |why| Refusal::Panel {
        file: file.to_owned(),
        why,
    };
    if console.trust == Trust::Page {
        return Err(wrong(PanelFault::Page));
    }
    let bytes = files
        .remove(file)
        .ok_or_else(|| wrong(PanelFault::Missing))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong(PanelFault::Text))?;
    let lower = text.to_ascii_lowercase();
    if lower.contains("</script") || lower.contains("<!--") {
        return Err(wrong(PanelFault::Script));
    }
    if !text.contains(console.element.as_str()) || !text.contains("customElements.define") {
        return Err(wrong(PanelFault::Element));
    }
    Ok(Some(bytes))
}

/// Keeps bytes where nobody can change them any more.
fn keep(name: &str, bytes: &[u8]) -> Result<OwnedFd, Refusal> {
    let kept = || -> std::io::Result<OwnedFd> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(fs::memfd_create(name, flags)?);
        file.write_all(bytes)?;
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fs::fcntl_add_seals(&file, seals)?;
        Ok(file.into())
    };
    kept().map_err(Refusal::Memory)
}

/// All files of the package by their path in it.
fn read_all(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = fs::open(folder, flags, Mode::empty()).map_err(|error| Refusal::Read {
        path: folder.to_owned(),
        source: error.into(),
    })?;
    let mut files = BTreeMap::new();
    read_folder(&top, folder, "", &mut files)?;
    Ok(files)
}

fn read_folder(
    at: &OwnedFd,
    folder: &Path,
    below: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Refusal> {
    let fail = |path: PathBuf| {
        move |error: rustix::io::Errno| Refusal::Read {
            path,
            source: error.into(),
        }
    };
    judge_owner(at, folder)?;
    for entry in fs::Dir::read_from(at).map_err(fail(folder.to_owned()))? {
        let entry = entry.map_err(fail(folder.to_owned()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "." || name == ".." {
            continue;
        }
        let inner = format!("{below}{name}");
        if !is_plain_path(&inner) {
            return Err(Refusal::FileName);
        }
        let path = folder.join(&name);
        // Not to follow a link, and not to wait for the other end of a pipe.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = fs::openat(at, entry.file_name(), flags, Mode::empty());
        let opened = match opened {
            Err(rustix::io::Errno::LOOP) => return Err(Refusal::NotPlain { path }),
            opened => opened.map_err(fail(path.clone()))?,
        };
        let stat = fs::fstat(&opened).map_err(fail(path.clone()))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => read_folder(&opened, &path, &format!("{inner}/"), files)?,
            FileType::RegularFile => {
                judge_owner(&opened, &path)?;
                if files.len() == MAX_FILES {
                    return Err(Refusal::TooManyFiles);
                }
                let bytes = read_file(opened, &path, &inner)?;
                files.insert(inner, bytes);
            }
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => return Err(Refusal::NotPlain { path }),
        }
    }
    Ok(())
}

fn read_file(opened: OwnedFd, path: &Path, inner: &str) -> Result<Vec<u8>, Refusal> {
    let most = if inner.ends_with(".so") {
        MAX_MODULE
    } else {
        MAX_FILE
    };
    let mut bytes = Vec::new();
    let file = File::from(opened);
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|source| Refusal::Read {
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > most {
        return Err(Refusal::TooLong {
            file: inner.to_owned(),
            most,
        });
    }
    Ok(bytes)
}

/// Whether nobody but root and this user can change what is open here.
pub(super) fn judge_owner(opened: impl AsFd, path: &Path) -> Result<(), Refusal> {
    let stat = fs::fstat(opened).map_err(|error| Refusal::Read {
        path: path.to_owned(),
        source: error.into(),
    })?;
    let own = rustix::process::geteuid().as_raw();
    if stat.st_uid != 0 && stat.st_uid != own {
        return Err(Refusal::Owner {
            path: path.to_owned(),
            owner: stat.st_uid,
        });
    }
    if stat.st_mode & 0o022 != 0 {
        return Err(Refusal::Writable {
            path: path.to_owned(),
            mode: stat.st_mode & 0o7777,
        });
    }
    Ok(())
}
