//! Loading a module that was judged: the one place where foreign code enters a process.
#![expect(
    unsafe_code,
    reason = "loading a library runs its initialisers, and its symbols are taken at their word"
)]

use std::os::fd::{AsRawFd, BorrowedFd};

use alongside_mode::abi;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// `RTLD_NODELETE` of Linux (`dlfcn.h`): the library stays, whatever is closed.
const RTLD_NODELETE: i32 = 0x1000;

/// Why a file that looked like a library gave no module.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoModule {
    /// The loader does not take it.
    Library(String),
    /// It has no version word: it is some other library.
    NotAMode,
    /// Its version word is of another major version.
    Abi(u32),
    /// It has no table, or an empty one.
    NoTable,
}

/// Loads the module in the file `open`, and gives its table. It is never unloaded: a mode may have left anything behind.
///
/// The loader takes one name for one library, and the name is the number of the descriptor. So where more than one
/// module is loaded, `open` must stay open for ever.
pub(super) fn load(open: BorrowedFd<'_>) -> Result<&'static abi::Module, NoModule> {
    let path = format!("/proc/self/fd/{}", open.as_raw_fd());
    let flags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    // SAFETY: runs the library's initialisers. The caller has judged whose code it is: it runs in a process that is
    // sealed, or the owner's policy names its signer as one whose code may run here.
    let library = unsafe { Library::open(Some(path), flags) };
    let library = library.map_err(|error| NoModule::Library(chain(&error)))?;
    let name = format!("{}\0", abi::VERSION_SYMBOL);
    // SAFETY: the symbol, where there is one, is a `u32` in every version of the ABI; it is only read.
    let version = unsafe { library.get::<*const u32>(name.as_bytes()) };
    let version = version.map_err(|_| NoModule::NotAMode)?;
    if version.is_null() || !version.is_aligned() {
        return Err(NoModule::NotAMode);
    }
    // SAFETY: not null and aligned; it lies in the library, which stays loaded.
    let version = unsafe { version.read() };
    if version >> 16 != abi::MAJOR {
        std::mem::forget(library);
        return Err(NoModule::Abi(version));
    }
    let name = format!("{}\0", abi::ENTRY_SYMBOL);
    type Entry = unsafe extern "C" fn() -> *const abi::Module;
    // SAFETY: a module of this major version has this function under this name.
    let entry = unsafe { library.get::<Entry>(name.as_bytes()) };
    let entry = entry.map_err(|_| NoModule::NoTable)?;
    // SAFETY: the function of this version takes nothing and gives a pointer to a constant.
    let table = unsafe { entry() };
    std::mem::forget(library);
    if table.is_null() || !table.is_aligned() {
        return Err(NoModule::NoTable);
    }
    // SAFETY: not null and aligned, a constant of a library that is never unloaded; how much of it there is, its size
    // says, and `Vetted::check` looks at that before anything else is read.
    Ok(unsafe { &*table })
}

/// What the loader says, and what the system said to it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        said.push_str(": ");
        said.push_str(&error.to_string());
        source = error.source();
    }
    // The loader repeats the name that it was given, which nobody knows.
    match said.split_once("/proc/self/fd/") {
        Some((before, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}the module{rest}")
        }
        None => said,
    }
}
