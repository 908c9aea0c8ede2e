//! Why a package is not let in, each reason with what to do about it.

use std::{fmt, io, path::PathBuf};

use alongside_mode::{Manifest, ManifestError, abi, manifest::Span};
use alongside_protocol::{PublicKey, ids::ModeId};

use super::{package, policy::Version};

/// Why a package is refused. Nothing of it has run.
///
/// Each sentence names the file or key that is wrong and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A file or folder cannot be read.
    #[error("cannot read {}: see that it exists and that this user may read it", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something in the package is neither a file nor a folder: a link, a pipe, a device.
    #[error("{} is not a plain file or folder: copy the real file there", path.display())]
    NotPlain {
        /// Which.
        path: PathBuf,
    },
    /// A file or folder belongs to somebody who is neither root nor this user.
    #[error("{} belongs to user {owner}, who could change it at any time: give it to root or to this user with `chown`", path.display())]
    Owner {
        /// Which.
        path: PathBuf,
        /// The number of its owner.
        owner: u32,
    },
    /// Others than the owner may write to a file or folder.
    #[error("{} can be changed by others than its owner (mode {mode:04o}): take that away with `chmod go-w`", path.display())]
    Writable {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file is longer than files of its kind may be.
    #[error("{file} has more than {most} bytes: make it smaller")]
    TooLong {
        /// The file's path in the package.
        file: String,
        /// Most bytes allowed.
        most: u64,
    },
    /// More files than a package may have.
    #[error(
        "there are more than {} files in it: leave out what the mode does not need",
        package::MAX_FILES
    )]
    TooManyFiles,
    /// A file's name is no plain text.
    #[error(
        "a file in it has a name of other characters than letters, digits, `.`, `-` and `_`: rename it"
    )]
    FileName,
    /// There is no manifest.
    #[error("there is no mode.json in it: a package is a folder with mode.json and one .so file")]
    NoManifest,
    /// The manifest is wrong.
    #[error(
        "mode.json is wrong: correct it, and build the module again, which carries the same text"
    )]
    Manifest(#[source] ManifestError),
    /// The manifest is no text.
    #[error("mode.json is not UTF-8 text: save it as UTF-8")]
    ManifestText,
    /// There is no module.
    #[error("there is no .so file in it: build the module and copy it there")]
    NoModule,
    /// There is more than one module.
    #[error("{first} and {second} are both in it: leave the one that is to be loaded")]
    TwoModules {
        /// One.
        first: String,
        /// Another.
        second: String,
    },
    /// The module was built for another major version of the ABI.
    #[error(
        "built for mode ABI {major}, and this program speaks {}.{}: rebuild the mode with version {} of alongside-mode",
        abi::MAJOR,
        abi::MINOR,
        abi::MAJOR
    )]
    Abi {
        /// The version that the manifest names.
        major: u32,
    },
    /// The module speaks other bodies of events and effects.
    #[error(
        "speaks wire schemas {wire}, and this program speaks {}: rebuild the mode with the version of alongside-mode that belongs to this program",
        abi::WIRE_SCHEMA
    )]
    Wire {
        /// What it speaks.
        wire: Span,
    },
    /// The module is not a shared library for this machine.
    #[error("{file}: {why}")]
    Library {
        /// The module's file.
        file: String,
        /// What it is instead.
        why: super::elf::NotLoadable,
    },
    /// The package is not signed.
    #[error(
        "it is not signed: sign it with `alongside-agent mode sign` and name the signer in the owner's policy, or let unsigned modes in there with `unsigned = true`"
    )]
    Unsigned,
    /// The signature file cannot be read as one.
    #[error("its file `signature` is damaged (line {line}): sign the package again")]
    SignatureText {
        /// The first line that is wrong, from 1.
        line: usize,
    },
    /// Nobody in the policy has this key.
    #[error(
        "it is signed by {key}, whom the owner's policy does not name: if you trust them, add them there with `alongside-agent mode trust {key} --name NAME`"
    )]
    Signer {
        /// The signer.
        key: PublicKey,
    },
    /// The signature was not made by the key that it names.
    #[error("its signature is not one of {key}: get the package from its maker again")]
    Forged {
        /// The key.
        key: PublicKey,
    },
    /// A file is not as it was when it was signed.
    #[error(
        "{file} is not as it was signed: get the package from its maker again, or sign it again"
    )]
    Changed {
        /// The file's path in the package.
        file: String,
    },
    /// A file came after the signature.
    #[error("{file} is not covered by the signature: remove it, or sign the package again")]
    Added {
        /// The file's path in the package.
        file: String,
    },
    /// A file is gone that was there when it was signed.
    #[error("{file} is missing: get the package from its maker again, or sign it again")]
    Missing {
        /// The file's path in the package.
        file: String,
    },
    /// The policy wants a newer version.
    #[error(
        "version {version} is older than {floor}, the oldest that the owner's policy allows: install a newer one"
    )]
    TooOld {
        /// The version of the package.
        version: Version,
        /// The oldest that is allowed.
        floor: Version,
    },
    /// The policy has a floor, and the version cannot be compared with it.
    #[error(
        "its version {version:?} cannot be compared with the owner's floor: use numbers with dots, such as 1.2.0"
    )]
    VersionText {
        /// The version.
        version: String,
    },
    /// The policy turns the mode off.
    #[error("the owner's policy turns {mode} off: remove `off` there to use it")]
    Off {
        /// Which mode.
        mode: ModeId,
    },
    /// It calls itself as a mode that is linked in.
    #[error(
        "{mode} is the name of a mode that this program brings: give the mode a name of your own with a dot, or allow it in the owner's policy with `replaces = true`"
    )]
    Name {
        /// The name.
        mode: ModeId,
    },
    /// It wants to run unseen, and the policy does not say that it may.
    #[error(
        "it wants to run without asking the customer: the owner's policy has to allow that with `silent = true`"
    )]
    Silent,
    /// It needs a box that this kernel does not have.
    #[error(
        "it is not signed, and this kernel has no landlock to keep an unsigned module from files: sign it, or use a kernel from 5.13 on with landlock turned on"
    )]
    NeedsLandlock,
    /// Its part of the console is not one file that can be shown.
    #[error("its console panel {file} {why}")]
    Panel {
        /// The file's path in the package.
        file: String,
        /// What is wrong, and what to do.
        why: PanelFault,
    },
    /// There is no memory to keep the module in.
    #[error(
        "the module cannot be kept in memory: see that there is memory left, and that the kernel has memfd"
    )]
    Memory(#[source] io::Error),
}

/// What is wrong with a panel's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanelFault {
    /// It is not there.
    Missing,
    /// It is no text.
    Text,
    /// It would end the element that it is put into.
    Script,
    /// It wants to live in the console's page.
    Page,
    /// It does not define the element that the manifest names.
    Element,
}

impl fmt::Display for PanelFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is not in the package: add it, or take `console` out of mode.json",
            Self::Text => "is not UTF-8 text: save it as UTF-8",
            Self::Script => "contains `</script` or `<!--`: write these characters apart",
            Self::Page => "wants to live in the console's page, which is for built-in modes: set `trust` to `sandbox`",
            Self::Element => "does not define the element that mode.json names: call customElements.define with it",
        })
    }
}

impl Refusal {
    /// Whether `manifest` is of an ABI and a wire schema that this program speaks.
    pub(super) fn of_versions(manifest: &Manifest) -> Result<(), Self> {
        if manifest.abi != abi::MAJOR {
            return Err(Self::Abi {
                major: manifest.abi,
            });
        }
        let (oldest, newest) = (manifest.wire.oldest(), manifest.wire.newest());
        if !(u32::from(oldest)..=u32::from(newest)).contains(&abi::WIRE_SCHEMA) {
            return Err(Self::Wire {
                wire: manifest.wire,
            });
        }
        Ok(())
    }
}
