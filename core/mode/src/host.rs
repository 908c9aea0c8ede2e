//! The other side of the table: calling a module the way a session does.
//!
//! The agent, the sealed child and the test harness all call modes through this one [`Instance`], so what a test saw
//! is what a session does.
//!
//! What is unsafe here, and the loading of a module, its use and the end of its process, are gone through with
//!
//! ```sh
//! cargo +nightly miri test -p alongside-mode --lib
//! CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --error-exitcode=9" cargo test -p alongside-agent --test modes \
//!     -- --exact sessions::the_built_in_modes_run_a_session_as_libraries_in_this_process
//! ```

use std::fmt;

use crate::{
    abi,
    capability::{Capabilities, Side},
    manifest::{Manifest, ManifestError, Span},
};

mod instance;
mod staging;

pub use instance::{Instance, ModeFailure};
pub use staging::{LogLine, MAX_CALL_BYTES, MAX_CALL_EFFECTS, MAX_LOG_LINE_LEN, MAX_LOG_LINES};

/// A module whose table and manifest have been looked at and are in order.
#[derive(Clone, Debug)]
pub struct Vetted {
    table: &'static abi::Module,
    manifest: Manifest,
}

/// Why a module is not a mode that this host can run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unfit {
    /// Built for another major version of the ABI.
    Abi {
        /// The module's major version.
        major: u32,
        /// The module's minor version.
        minor: u32,
    },
    /// Its table is shorter than that of the version it names.
    Table {
        /// Size that it gives, in bytes.
        size: u32,
    },
    /// It does not speak the bodies of this host.
    WireSchema {
        /// Oldest that it speaks.
        oldest: u32,
        /// Newest that it speaks.
        newest: u32,
    },
    /// The manifest in it is not UTF-8.
    ManifestText,
    /// The manifest in it is wrong.
    Manifest(ManifestError),
    /// Manifest and table do not say the same.
    Disagrees {
        /// The manifest's key.
        key: &'static str,
    },
    /// It could not make an instance.
    Create {
        /// Which half.
        side: Side,
        /// What it logged.
        said: Option<String>,
    },
}

impl Vetted {
    /// Looks at a module; runs none of its code.
    ///
    /// # Errors
    ///
    /// [`Unfit`] for the first thing that is wrong.
    pub fn check(table: &'static abi::Module) -> Result<Self, Unfit> {
        let (major, minor) = (table.abi_version >> 16, table.abi_version & 0xffff);
        if major != abi::MAJOR {
            return Err(Unfit::Abi { major, minor });
        }
        if (table.struct_size as usize) < size_of::<abi::Module>() {
            return Err(Unfit::Table {
                size: table.struct_size,
            });
        }
        let (oldest, newest) = (table.wire_schema_min, table.wire_schema_max);
        if !(oldest..=newest).contains(&abi::WIRE_SCHEMA) {
            return Err(Unfit::WireSchema { oldest, newest });
        }
        let text = std::str::from_utf8(manifest_of(table)).map_err(|_| Unfit::ManifestText)?;
        let manifest = Manifest::parse(text).map_err(Unfit::Manifest)?;
        if manifest.abi != major {
            return Err(Unfit::Disagrees { key: "abi" });
        }
        let same =
            |span: Span| (u32::from(span.oldest()), u32::from(span.newest())) == (oldest, newest);
        if !same(manifest.wire) {
            return Err(Unfit::Disagrees { key: "wire" });
        }
        Ok(Self { table, manifest })
    }

    /// What the module says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The text of the manifest inside the module, to compare with the file beside it.
    pub fn manifest_text(&self) -> &'static [u8] {
        manifest_of(self.table)
    }

    /// Makes one half. It may do what is in both `granted` and the manifest.
    ///
    /// # Errors
    ///
    /// [`Unfit::Create`] if the module could not.
    pub fn start(&self, side: Side, granted: Capabilities) -> Result<Instance, Unfit> {
        Instance::create(self.table, self.manifest.capabilities, side, granted)
    }
}

#[expect(unsafe_code, reason = "the manifest crosses the ABI as a lent slice")]
fn manifest_of(table: &'static abi::Module) -> &'static [u8] {
    // SAFETY: a module's table and what it points to are constants, and a module is never unloaded.
    unsafe { table.manifest.as_bytes() }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abi { major, minor } => write!(
                f,
                "built for mode ABI {major}.{minor}, and this host speaks {}.{}; rebuild the mode with version {} of alongside-mode",
                abi::MAJOR,
                abi::MINOR,
                abi::MAJOR,
            ),
            Self::Table { size } => write!(
                f,
                "the module's table has {size} bytes, fewer than its ABI version says"
            ),
            Self::WireSchema { oldest, newest } => {
                write!(
                    f,
                    "speaks wire schemas {oldest} to {newest}, and this host speaks {}",
                    abi::WIRE_SCHEMA
                )
            }
            Self::ManifestText => f.write_str("the manifest inside the module is not text"),
            Self::Manifest(_) => f.write_str("the manifest inside the module is wrong"),
            Self::Disagrees { key } => write!(
                f,
                "the module and the manifest inside it disagree about `{key}`"
            ),
            Self::Create {
                side,
                said: Some(said),
            } => write!(f, "cannot make the {side:?} half: {said}"),
            Self::Create { side, said: None } => write!(
                f,
                "cannot make the {side:?} half, and the module says no more"
            ),
        }
    }
}

impl std::error::Error for Unfit {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Manifest(source) => Some(source),
            Self::Abi { .. }
            | Self::Table { .. }
            | Self::WireSchema { .. }
            | Self::ManifestText
            | Self::Disagrees { .. }
            | Self::Create { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
