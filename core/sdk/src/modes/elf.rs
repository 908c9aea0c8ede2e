//! Whether a file is a shared library for this machine, told from its bytes without running any of them.

use std::fmt;

/// What a file is that cannot be loaded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotLoadable {
    /// Not ELF, the format of libraries on Linux.
    NotElf,
    /// It ends before its own table of contents says.
    Truncated,
    /// For another kind of processor.
    Machine {
        /// ELF's number for the kind.
        machine: u16,
        /// 32 or 64.
        bits: u8,
    },
    /// A program or an object file.
    NotShared,
}

impl fmt::Display for NotLoadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf => f.write_str("is not a library at all: copy the .so file that the build made"),
            Self::Truncated => f.write_str("ends in the middle: copy the file again"),
            Self::Machine { machine, bits } => {
                let name = match machine {
                    3 => "x86",
                    40 => "ARM",
                    62 => "x86-64",
                    183 => "AArch64",
                    243 => "RISC-V",
                    _ => "another processor",
                };
                write!(
                    f,
                    "is built for {name}, {bits} bit, and this machine is {}: build it for this machine",
                    std::env::consts::ARCH
                )
            }
            Self::NotShared => f.write_str(
                "is a program or an object file: build a shared library (crate-type cdylib, or cc -shared)",
            ),
        }
    }
}

/// ELF's number for the processor that this is built for (`e_machine`), where we know it.
const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else if cfg!(target_arch = "riscv64") {
    243
} else if cfg!(target_arch = "arm") {
    40
} else {
    0
};
/// `e_type` of a shared library.
const SHARED: u16 = 3;
/// Least size of an entry of the 64-bit program header table.
const SEGMENT: usize = 56;
/// Most entries of the table that are looked at; linkers write about a dozen.
const MAX_SEGMENTS: usize = 256;

/// Looks at a file's head and at where its segments lie.
pub(super) fn check(bytes: &[u8]) -> Result<(), NotLoadable> {
    let Some(rest) = bytes.strip_prefix(b"\x7fELF") else {
        return Err(NotLoadable::NotElf);
    };
    let [class, order, ..] = *rest else {
        return Err(NotLoadable::Truncated);
    };
    let bits = match class {
        1 => 32,
        2 => 64,
        _ => return Err(NotLoadable::NotElf),
    };
    let machine = number::<2>(bytes, 18).ok_or(NotLoadable::Truncated)? as u16;
    let is_native = (order == 1) == cfg!(target_endian = "little");
    if !is_native || bits != usize::BITS as u8 || (MACHINE != 0 && machine != MACHINE) {
        return Err(NotLoadable::Machine { machine, bits });
    }
    if number::<2>(bytes, 16) != Some(u64::from(SHARED)) {
        return Err(NotLoadable::NotShared);
    }
    if bits != 64 {
        // The table of a 32-bit file looks otherwise; the loader itself finds what is wrong there.
        return Ok(());
    }
    segments(bytes).ok_or(NotLoadable::Truncated)
}

/// Whether every segment lies within the file.
fn segments(bytes: &[u8]) -> Option<()> {
    let at = usize::try_from(number::<8>(bytes, 32)?).ok()?;
    let size = usize::try_from(number::<2>(bytes, 54)?).ok()?;
    let count = usize::try_from(number::<2>(bytes, 56)?).ok()?;
    if size < SEGMENT || count == 0 || count > MAX_SEGMENTS {
        return None;
    }
    for n in 0..count {
        let entry = at.checked_add(n.checked_mul(size)?)?;
        let offset = number::<8>(bytes, entry.checked_add(8)?)?;
        let length = number::<8>(bytes, entry.checked_add(32)?)?;
        if offset.checked_add(length)? > bytes.len() as u64 {
            return None;
        }
    }
    Some(())
}

/// An unsigned number of `N` bytes at `at`, in this machine's order.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(N)?)?;
    let mut whole = [0; 8];
    if cfg!(target_endian = "little") {
        whole.get_mut(..N)?.copy_from_slice(field);
        Some(u64::from_le_bytes(whole))
    } else {
        whole.get_mut(8 - N..)?.copy_from_slice(field);
        Some(u64::from_be_bytes(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This very test: a position independent program, which is a shared library to ELF.
    fn own() -> Vec<u8> {
        std::fs::read("/proc/self/exe").expect("this program")
    }

    #[test]
    fn what_the_linker_made_for_this_machine_is_let_through() {
        assert_eq!(check(&own()), Ok(()));
    }

    #[test]
    fn what_is_no_library_is_named_as_what_it_is() {
        assert_eq!(check(b"{ \"id\": 1 }"), Err(NotLoadable::NotElf));
        assert_eq!(check(b""), Err(NotLoadable::NotElf));
        let mut program = own();
        program[16] = 2;
        assert_eq!(check(&program), Err(NotLoadable::NotShared));
        let mut foreign = own();
        foreign[18] ^= 1;
        assert!(matches!(
            check(&foreign),
            Err(NotLoadable::Machine { bits: 64, .. })
        ));
        let mut small = own();
        small[4] = 1;
        assert!(matches!(
            check(&small),
            Err(NotLoadable::Machine { bits: 32, .. })
        ));
    }

    #[test]
    fn a_file_that_ends_early_is_found_out_wherever_it_ends() {
        let own = own();
        // Beyond the segments there may be symbols, which nobody loads.
        for len in (4..64).chain([1_000, 64 * 1024]) {
            assert_eq!(check(&own[..len]), Err(NotLoadable::Truncated), "{len}");
        }
    }
}
