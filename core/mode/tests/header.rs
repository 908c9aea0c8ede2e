//! The C header says what the Rust mirror says: a C compiler is asked, for sizes, offsets and numbers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests"
)]

use std::{
    fmt::Write as _,
    io::{ErrorKind, Write as _},
    mem::offset_of,
    process::{Command, Stdio},
};

use alongside_mode::{Capabilities, Side, abi, effect, event};

macro_rules! layout {
    ($out:ident, $c:literal, $rust:ty { $($field:ident),* }) => {
        writeln!($out, "SAME(sizeof({}), {});", $c, size_of::<$rust>()).unwrap();
        $(writeln!($out, "SAME(offsetof({}, {}), {});", $c, stringify!($field), offset_of!($rust, $field)).unwrap();)*
    };
}

/// A C file that compiles only if the header has the numbers of the mirror.
fn assertions() -> String {
    let mut out = String::from(
        "#include \"alongside_mode.h\"\n#define SAME(a, b) _Static_assert((a) == (b), #a)\n",
    );
    layout!(out, "alongside_slice", abi::Slice { ptr, len });
    layout!(
        out,
        "alongside_event",
        abi::Event {
            abi_version,
            struct_size,
            at_us,
            kind,
            reserved,
            body
        }
    );
    layout!(
        out,
        "alongside_host",
        abi::Host {
            abi_version,
            struct_size,
            wire_schema,
            reserved,
            ctx,
            emit,
            log,
            extension
        }
    );
    layout!(
        out,
        "alongside_module",
        abi::Module {
            abi_version,
            struct_size,
            wire_schema_min,
            wire_schema_max,
            manifest,
            create,
            on_event,
            destroy,
            extension
        }
    );
    let numbers = [
        ("ABI_MAJOR", abi::MAJOR),
        ("ABI_MINOR", abi::MINOR),
        ("ABI_VERSION", abi::VERSION),
        ("WIRE_SCHEMA", abi::WIRE_SCHEMA),
        ("SIDE_DEVICE", Side::Device.number()),
        ("SIDE_OPERATOR", Side::Operator.number()),
        ("CAP_VIEW", Capabilities::VIEW.bits()),
        ("CAP_ANNOTATE", Capabilities::ANNOTATE.bits()),
        ("CAP_INPUT", Capabilities::INPUT.bits()),
        ("CAP_SETTINGS_READ", Capabilities::SETTINGS_READ.bits()),
        ("CAP_SETTINGS_WRITE", Capabilities::SETTINGS_WRITE.bits()),
        ("CAP_SILENT", Capabilities::SILENT.bits()),
        ("LOG_ERROR", abi::LOG_ERROR),
        ("LOG_WARN", abi::LOG_WARN),
        ("LOG_INFO", abi::LOG_INFO),
        ("LOG_DEBUG", abi::LOG_DEBUG),
        ("LOG_TRACE", abi::LOG_TRACE),
        ("EV_START", event::kind::START),
        ("EV_STOP", event::kind::STOP),
        ("EV_PEER", event::kind::PEER),
        ("EV_GRANT", event::kind::GRANT),
        ("EV_POINTER", event::kind::POINTER),
        ("EV_KEY", event::kind::KEY),
        ("EV_TEXT", event::kind::TEXT),
        ("EV_DRAW", event::kind::DRAW),
        ("EV_TIMER", event::kind::TIMER),
        ("EV_CONSOLE", event::kind::CONSOLE),
        ("EV_LINK", event::kind::LINK),
        ("EV_SETTINGS", event::kind::SETTINGS),
        ("FX_PEER", effect::kind::PEER),
        ("FX_ANNOTATE", effect::kind::ANNOTATE),
        ("FX_POINTER", effect::kind::POINTER),
        ("FX_KEY", effect::kind::KEY),
        ("FX_TEXT", effect::kind::TEXT),
        ("FX_SET_TIMER", effect::kind::SET_TIMER),
        ("FX_CONSOLE", effect::kind::CONSOLE),
        ("FX_NOTICE", effect::kind::NOTICE),
        ("FX_AUDIT", effect::kind::AUDIT),
        ("FX_FINISH", effect::kind::FINISH),
        ("FX_SETTINGS_SCHEMA", effect::kind::SETTINGS_SCHEMA),
        ("FX_SETTINGS_READ", effect::kind::SETTINGS_READ),
        ("FX_SETTINGS_PROPOSE", effect::kind::SETTINGS_PROPOSE),
        ("FX_SETTINGS_UNDO", effect::kind::SETTINGS_UNDO),
        ("FX_SETTINGS_CONFIRM", effect::kind::SETTINGS_CONFIRM),
    ];
    for (name, number) in numbers {
        writeln!(out, "SAME(ALONGSIDE_{name}, {number}u);").unwrap();
    }
    let answers = [
        ("OK", abi::OK),
        ("E_ARGUMENT", abi::E_ARGUMENT),
        ("E_UNSUPPORTED", abi::E_UNSUPPORTED),
        ("E_DENIED", abi::E_DENIED),
        ("E_FULL", abi::E_FULL),
        ("E_MODE", abi::E_MODE),
        ("E_PANICKED", abi::E_PANICKED),
    ];
    for (name, number) in answers {
        writeln!(out, "SAME(ALONGSIDE_{name}, {number});").unwrap();
    }
    out
}

/// What the compiler says of `source`; `None` if there is no such compiler.
fn compile(compiler: &str, language: &[&str], source: &str) -> Option<Result<(), String>> {
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/include");
    let started = Command::new(compiler)
        .args(language)
        .args([
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-fsyntax-only",
            "-I",
            include,
            "-",
        ])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: there is no `{compiler}` here to ask");
            return None;
        }
        Err(error) => panic!("{compiler}: {error}"),
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(source.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() {
        Ok(())
    } else {
        Err(said)
    })
}

#[test]
fn the_header_and_the_mirror_have_the_same_layout_and_numbers() {
    if let Some(answer) = compile("cc", &["-x", "c", "-std=c11"], &assertions()) {
        assert_eq!(answer, Ok(()));
    }
}

#[test]
fn the_comparison_notices_a_difference() {
    let wrong = assertions() + "SAME(sizeof(alongside_slice), 1);\n";
    if let Some(answer) = compile("cc", &["-x", "c", "-std=c11"], &wrong) {
        assert!(answer.unwrap_err().contains("alongside_slice"));
    }
}

/// A module in C, as small as it gets.
const SMALLEST: &str = r#"
#include "alongside_mode.h"
struct alongside_instance { const alongside_host *host; };
static struct alongside_instance only;
static alongside_instance *create(const alongside_host *host, uint32_t side) {
  only.host = host;
  return side == ALONGSIDE_SIDE_DEVICE ? &only : NULL;
}
static int32_t on_event(alongside_instance *it, const alongside_event *event) {
  if (event->kind != ALONGSIDE_EV_PEER) return ALONGSIDE_E_UNSUPPORTED;
  return it->host->emit(it->host->ctx, ALONGSIDE_FX_ANNOTATE, event->body.ptr, event->body.len);
}
static void destroy(alongside_instance *it) { it->host = NULL; }
static const alongside_module module = { ALONGSIDE_ABI_VERSION, sizeof(alongside_module), 1, 1,
  { (const uint8_t *)"{}", 2 }, create, on_event, destroy, NULL };
const uint32_t alongside_mode_abi = ALONGSIDE_ABI_VERSION;
const alongside_module *alongside_mode_entry_v1(void) { return &module; }
"#;

#[test]
fn the_header_compiles_without_warnings_in_every_language_it_is_for() {
    for (compiler, language) in [
        ("cc", ["-x", "c", "-std=c99"]),
        ("cc", ["-x", "c", "-std=c11"]),
        ("c++", ["-x", "c++", "-std=c++17"]),
    ] {
        if let Some(answer) = compile(compiler, &language, SMALLEST) {
            assert_eq!(answer, Ok(()), "{compiler} {language:?}");
        }
    }
}
