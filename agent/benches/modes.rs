//! What an event costs a mode, by where it runs; how fast a sealed child starts; how large modules are.
//!
//! ```sh
//! cargo bench -p alongside-agent --bench modes
//! ```
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use alongside::{
    Identity,
    mode::{Capabilities, HostEvent, Side, Start},
    modes::{self, Loader, Package, Policy, Running},
    protocol::{
        PanelPoint, PanelSize,
        ids::ModeId,
        input::{Buttons, PointerEvent, PointerPhase},
        label::Label,
        units::Pressure,
    },
};

const AGENT: &str = env!("CARGO_BIN_EXE_alongside-agent");
const GRANTED: Capabilities = Capabilities::VIEW.with(Capabilities::ANNOTATE);

/// What asks this program to send back what it is sent.
const ECHO: &str = "echo";

fn main() {
    if std::env::args().nth(1).is_some_and(|first| first == ECHO) {
        return echo();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let identity = Arc::new(Identity::generate().unwrap());
    let rust = rust_package(folder.path(), &identity);
    let c = c_package(folder.path(), &identity);
    let name = || Label::new("bench").unwrap();
    let guide = ModeId::user_guide();
    let sealed = Policy::default()
        .with_signer(name(), identity.public_key())
        .with_rule(guide.clone(), |rule| rule.replaces = true);
    let trusted = Policy::default()
        .danger_with_in_process_signer(name(), identity.public_key())
        .with_rule(guide, |rule| rule.replaces = true);
    let loader = |policy: &Policy| Loader::new(policy.clone()).with_program(AGENT);
    let (sealed, trusted) = (loader(&sealed), loader(&trusted));

    println!("the operator half, a pointer event in and one message out:");
    let linked = modes::linked().next().unwrap();
    here(
        "built in",
        Running::linked(linked, Side::Operator, GRANTED).unwrap(),
    );
    for (what, path) in [("Rust .so in process", &rust), ("C .so in process", &c)] {
        let package = Arc::new(trusted.open(path).unwrap());
        here(
            what,
            Running::loaded(&package, &trusted, Side::Operator, GRANTED).unwrap(),
        );
    }
    floor();
    runtime.block_on(floor_async());
    runtime.block_on(async {
        for (what, path) in [("Rust", &rust), ("C", &c)] {
            let package = Arc::new(sealed.open(path).unwrap());
            for batch in [1, 16] {
                away(what, batch, &package, &sealed).await;
            }
            let mut times = Vec::new();
            for _ in 0..21 {
                let begun = now();
                let mut running =
                    Running::loaded(&package, &sealed, Side::Operator, GRANTED).unwrap();
                assert!(running.tell(0, Duration::ZERO, &start()).is_none());
                running.answer().await.1.unwrap();
                times.push(begun.elapsed());
            }
            times.sort();
            println!(
                "  {what} sealed, start to first answer: median {:.1} ms, best {:.1} ms",
                ms(times[10]),
                ms(times[0])
            );
        }
    });
    for path in [&rust, &c] {
        let package = trusted.open(path).unwrap();
        let manifest = package.manifest();
        println!("  {}: {} KiB", manifest.id, kib(package.module_len()));
    }
    let counter = fs::metadata(new_module(folder.path())).unwrap().len();
    println!("  what `mode new` makes, in Rust: {} KiB", kib(counter));
}

/// The one clock of this program.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

/// Events in a round within this process: short enough to fall between two turns of whatever else the machine does.
const HERE: u32 = 1_000;
/// Events in a round to another process.
const AWAY: u32 = 64;
/// How often such a round is measured; the best one counts.
const ROUNDS_AWAY: u32 = 600;

fn per_event(round: Duration, events: u32) -> f64 {
    round.as_secs_f64() * 1e6 / f64::from(events)
}

fn kib(bytes: u64) -> u64 {
    bytes.div_ceil(1024)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn start() -> HostEvent {
    HostEvent::Start(Start {
        side: Side::Operator,
        granted: GRANTED,
        protocol: 1,
        panel: PanelSize::new(1024, 600).unwrap(),
        locale: "en".to_owned(),
    })
}

fn pointer(n: u64) -> HostEvent {
    HostEvent::Pointer(PointerEvent {
        at: PanelPoint::from_pixels((n % 1024) as u16, 300),
        phase: PointerPhase::Hover,
        buttons: Buttons::NONE,
        pressure: Pressure::FULL,
    })
}

fn here(what: &str, mut running: Running) {
    running.tell(0, Duration::ZERO, &start()).unwrap().unwrap();
    let events: Vec<_> = (0..1024).map(pointer).collect();
    let mut best = Duration::MAX;
    for _ in 0..1_500 {
        let begun = now();
        for n in 0..HERE {
            let event = &events[n as usize % events.len()];
            let effects = running
                .tell(1, Duration::from_millis(u64::from(n) * 10), event)
                .unwrap()
                .unwrap();
            assert_eq!(effects.len(), 1);
        }
        best = best.min(begun.elapsed());
    }
    println!("  {what}: {:.3} us", per_event(best, HERE));
}

async fn away(what: &str, batch: u64, package: &Arc<Package>, loader: &Loader) {
    let mut running = Running::loaded(package, loader, Side::Operator, GRANTED).unwrap();
    let _later = running.tell(0, Duration::ZERO, &start());
    running.answer().await.1.unwrap();
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS_AWAY {
        let begun = now();
        for n in 0..u64::from(AWAY) / batch {
            for k in 0..batch {
                let _later = running.tell(k, Duration::from_millis(n * 10), &pointer(n + k));
            }
            for _ in 0..batch {
                assert_eq!(running.answer().await.1.unwrap().len(), 1);
            }
        }
        best = best.min(begun.elapsed());
    }
    println!(
        "  {what} sealed, {batch} at a time: {:.2} us",
        per_event(best, AWAY)
    );
}

/// Bytes of a pointer event on its way to a sealed half, about as many as its answer has.
const FRAME: usize = 32;

/// What a round trip between two processes costs on this machine when nothing is done: no sealed half can be faster.
fn floor() {
    let (mut ours, mut child) = start_echo();
    let mut frame = [7; FRAME];
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS_AWAY {
        let begun = now();
        for _ in 0..AWAY {
            ours.write_all(&frame).unwrap();
            ours.read_exact(&mut frame).unwrap();
        }
        best = best.min(begun.elapsed());
    }
    println!(
        "  nothing, in another process: {:.2} us",
        per_event(best, AWAY)
    );
    drop(ours);
    child.wait().unwrap();
}

/// The same from within a tokio runtime, where a session's other work goes on meanwhile.
async fn floor_async() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (ours, mut child) = start_echo();
    ours.set_nonblocking(true).unwrap();
    let mut ours = tokio::net::UnixStream::from_std(ours).unwrap();
    let mut frame = [7; FRAME];
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS_AWAY {
        let begun = now();
        for _ in 0..AWAY {
            ours.write_all(&frame).await.unwrap();
            ours.read_exact(&mut frame).await.unwrap();
        }
        best = best.min(begun.elapsed());
    }
    println!(
        "  nothing, in another process, from a tokio runtime: {:.2} us",
        per_event(best, AWAY)
    );
    drop(ours);
    child.wait().unwrap();
}

fn start_echo() -> (UnixStream, std::process::Child) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .arg(ECHO)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .spawn();
    (ours, child.unwrap())
}

/// Sends back what comes, until there is nobody any more.
fn echo() {
    let socket = io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut socket = File::from(socket);
    let mut chunk = [0; 16 * 1024];
    while let Ok(len @ 1..) = socket.read(&mut chunk) {
        if socket.write_all(&chunk[..len]).is_err() {
            return;
        }
    }
}

/// The user guide as a library, built as this program was.
fn rust_package(folder: &Path, identity: &Arc<Identity>) -> PathBuf {
    let built = Path::new(AGENT).parent().unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args([
        "build",
        "--quiet",
        "-p",
        "alongside-user-guide-so",
        "--target-dir",
    ]);
    build.arg(built.parent().unwrap());
    if built.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success());
    let manifest = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../plugins/user-guide/mode.json"
    );
    let package = folder.join("user-guide");
    fs::create_dir(&package).unwrap();
    fs::copy(manifest, package.join("mode.json")).unwrap();
    fs::copy(
        built.join("libalongside_user_guide_so.so"),
        package.join("module.so"),
    )
    .unwrap();
    plain(&package.join("module.so"));
    modes::sign(&package, identity).unwrap();
    package
}

/// The module of a mode as `mode new` makes it, built with its own profile.
fn new_module(folder: &Path) -> PathBuf {
    let checkout = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let made = Command::new(AGENT)
        .args(["mode", "new", "bench.counter", "--alongside", checkout])
        .current_dir(folder)
        .stdout(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let target = Path::new(AGENT).parent().unwrap().parent().unwrap();
    let target = target.join("kit");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--offline", "--target-dir"])
        .arg(&target)
        .current_dir(folder.join("bench.counter"))
        .status();
    assert!(built.unwrap().success());
    target.join("release/libbench_counter_so.so")
}

/// The smallest module in C that does the same.
fn c_package(folder: &Path, identity: &Arc<Identity>) -> PathBuf {
    const MANIFEST: &str = r#"{"id":"bench.echo","name":"Echo","version":"1","vendor":"Bench","abi":1,"wire":[1,1],"peer":[1,1],"capabilities":["view","annotate"],"consent":"notice","why":{"view":"v","annotate":"a"}}"#;
    let package = folder.join("bench.echo");
    fs::create_dir(&package).unwrap();
    fs::write(package.join("mode.json"), MANIFEST).unwrap();
    let source = format!(
        "#include \"alongside_mode.h\"\n#include <string.h>\nstruct alongside_instance {{ const alongside_host *host; }};\n\
         static struct alongside_instance one;\n\
         static alongside_instance *create(const alongside_host *host, uint32_t side) {{ (void)side; one.host = host; return &one; }}\n\
         static void destroy(alongside_instance *it) {{ (void)it; }}\n\
         static int32_t on_event(alongside_instance *it, const alongside_event *event) {{\n\
           uint8_t body[64]; size_t len = event->body.len < 63 ? event->body.len : 63;\n\
           if (event->kind != ALONGSIDE_EV_POINTER) return ALONGSIDE_OK;\n\
           body[0] = 1; memcpy(body + 1, event->body.ptr, len);\n\
           return it->host->emit(it->host->ctx, ALONGSIDE_FX_PEER, body, len + 1); }}\n\
         static const char M[] = {MANIFEST:?};\n\
         static const alongside_module module = {{ ALONGSIDE_ABI_VERSION, sizeof(alongside_module), 1, 1, {{ (const uint8_t *)M, sizeof M - 1 }}, create, on_event, destroy, NULL }};\n\
         ALONGSIDE_EXPORT const uint32_t alongside_mode_abi = ALONGSIDE_ABI_VERSION;\n\
         ALONGSIDE_EXPORT const alongside_module *alongside_mode_entry_v1(void) {{ return &module; }}\n"
    );
    let file = folder.join("echo.c");
    fs::write(&file, source).unwrap();
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/mode/include");
    let built = Command::new("cc")
        .args([
            "-O2",
            "-shared",
            "-fPIC",
            "-fvisibility=hidden",
            "-I",
            header,
            "-o",
        ])
        .args([&package.join("module.so"), &file])
        .status();
    assert!(built.unwrap().success());
    plain(&package.join("module.so"));
    modes::sign(&package, identity).unwrap();
    package
}

fn plain(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
