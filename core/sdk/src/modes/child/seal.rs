//! The walls of the box, one function each.
#![expect(unsafe_code, reason = "closing descriptors that nobody owns")]

use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd, FromRawFd, OwnedFd},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// Most memory of a module's own, in bytes (our choice: far more than any state machine needs).
const MEMORY: u64 = 64 * 1024 * 1024;
/// Most address space of the whole process, in bytes: this program, the libraries and the module's memory.
const ADDRESSES: u64 = 512 * 1024 * 1024;
/// Most processor time in a session, in seconds; what ends a module whose parent died while it spun.
const SECONDS: u64 = 600;
/// Where the loader finds what a module is linked with.
const LIBRARIES: [&str; 7] = [
    "/lib",
    "/lib64",
    "/lib32",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
];

/// Whether a descriptor is a socket.
pub(super) fn is_socket(fd: impl AsFd) -> bool {
    rustix::fs::fstat(fd).is_ok_and(|stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Socket
    })
}

/// Standard input as a file of one's own, after everything beyond standard error is closed.
pub(super) fn stdin_alone() -> OwnedFd {
    // SAFETY: closes descriptors that the program which started us has left open; this process has just begun, has no
    // thread and owns nothing beyond the three.
    unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32) };
    // SAFETY: standard input is open, the parent gave it, and nobody else in this process uses it.
    unsafe { OwnedFd::from_raw_fd(0) }
}

/// Limits on what the process may use, and no way to more.
pub(super) fn limits() -> io::Result<()> {
    if std::env::vars_os().next().is_some() {
        return Err(io::Error::other("the environment is not empty"));
    }
    let most = [
        (Resource::As, ADDRESSES),
        (Resource::Data, MEMORY),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 32),
        (Resource::Nproc, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
        (Resource::Cpu, SECONDS),
    ];
    for (resource, most) in most {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        rustix::process::setrlimit(resource, limit)?;
    }
    // The kernel ends this process before any other when memory runs out. Where it may not say so, the limit stands.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

/// Whoever was root is nobody from now on: what only root may read, no module reads.
pub(super) fn nobody() -> io::Result<()> {
    /// The user and group that own nothing, by convention.
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (user, group) = (
        rustix::process::Uid::from_raw(NOBODY),
        rustix::process::Gid::from_raw(NOBODY),
    );
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)?;
    Ok(())
}

/// No file but the system's libraries, and those only to read and map; no network, no other process.
pub(super) fn files() -> Result<(), String> {
    let say = |error: &dyn std::error::Error| error.to_string();
    let newest = ABI::V6;
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .map_err(|error| say(&error))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(newest))
        .map_err(|error| say(&error))?
        .handle_access(AccessNet::from_all(newest))
        .map_err(|error| say(&error))?
        .scope(Scope::from_all(newest))
        .map_err(|error| say(&error))?
        .create()
        .map_err(|error| say(&error))?;
    let there = LIBRARIES
        .into_iter()
        .filter(|path| std::fs::exists(path).unwrap_or(false));
    let status = ruleset
        .add_rules(path_beneath_rules(there, AccessFs::from_read(ABI::V1)))
        .map_err(|error| say(&error))?
        .restrict_self()
        .map_err(|error| say(&error))?;
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err("not enforced".to_owned());
    }
    Ok(())
}

/// Whether this kernel can keep files from a process.
pub(in crate::modes) fn has_landlock() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create)
        .is_ok()
}

/// What any module needs: memory, its own signals, the time, the socket to the parent.
const ALWAYS: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What the loader needs besides.
const LOADING: &[i64] = &[
    libc::SYS_pread64,
    libc::SYS_lseek,
    libc::SYS_newfstatat,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
];

/// Nothing but loading a library: no socket, no other program, no other process; files are opened to be read alone.
///
/// What a module's initialisers do is held by this one and by landlock. They share this process with whoever puts the
/// second filter in place, and could keep it from that; so nothing rests on the second filter alone.
pub(super) fn calls_while_loading() -> Result<(), String> {
    let mut rules = always()?;
    rules.extend(LOADING.iter().map(|call| (*call, Vec::new())));
    // Opening to read: neither write access nor a new file.
    let writes = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND;
    let reads = condition(
        2,
        SeccompCmpOp::MaskedEq(writes as u64),
        libc::O_RDONLY as u64,
    )?;
    rules.insert(libc::SYS_openat, vec![rule(reads)?]);
    #[cfg(target_arch = "x86_64")]
    {
        let reads = condition(
            1,
            SeccompCmpOp::MaskedEq(writes as u64),
            libc::O_RDONLY as u64,
        )?;
        rules.insert(libc::SYS_open, vec![rule(reads)?]);
        for call in [libc::SYS_access, libc::SYS_stat, libc::SYS_readlink] {
            rules.insert(call, Vec::new());
        }
    }
    rules.insert(libc::SYS_mmap, Vec::new());
    rules.insert(libc::SYS_mprotect, Vec::new());
    // To look at its own limits, not to change anybody's.
    let looks = condition(2, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![rule(looks)?]);
    // For the second filter.
    let privileges = condition(0, SeccompCmpOp::Eq, libc::PR_SET_NO_NEW_PRIVS as u64)?;
    let filter = condition(0, SeccompCmpOp::Eq, u64::from(libc::PR_SET_SECCOMP as u32))?;
    rules.insert(libc::SYS_prctl, vec![rule(privileges)?, rule(filter)?]);
    rules.insert(libc::SYS_seccomp, Vec::new());
    apply(rules)
}

/// Nothing but being called: no file is opened any more, and no memory becomes code.
pub(super) fn calls_from_now_on() -> Result<(), String> {
    let mut rules = always()?;
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        let is_data = condition(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0)?;
        rules.insert(call, vec![rule(is_data)?]);
    }
    apply(rules)
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn always() -> Result<Rules, String> {
    let mut rules: Rules = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    // Signals to itself: that is how a process aborts.
    let own = u64::from(std::process::id());
    rules.insert(
        libc::SYS_tgkill,
        vec![rule(condition(0, SeccompCmpOp::Eq, own)?)?],
    );
    Ok(rules)
}

fn condition(argument: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, op, value)
        .map_err(|error| error.to_string())
}

fn rule(condition: SeccompCondition) -> Result<SeccompRule, String> {
    SeccompRule::new(vec![condition]).map_err(|error| error.to_string())
}

/// Everything else fails as not permitted, and a call in another processor's convention ends the process.
fn apply(rules: Rules) -> Result<(), String> {
    let arch = std::env::consts::ARCH
        .try_into()
        .map_err(|_| "this processor has no filter".to_owned())?;
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch);
    let program: Result<BpfProgram, _> = filter.and_then(TryInto::try_into);
    let program = program.map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}
