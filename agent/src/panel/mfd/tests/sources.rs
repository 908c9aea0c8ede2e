//! Reads the panels' sources: nothing that a customer can see may be written there.

use std::path::Path;

/// Words in quotes that nobody sees: names of keys, of kinds, of files, of types in `Debug`.
const NOT_SHOWN: &[&str] = &[
    "Start",
    "Stop",
    "Clear",
    "Reset",
    "mfd",
    "x11",
    "CodeEntry",
    "HardKey(..)",
    "Mfd",
    "place",
    "MfdPanel",
    "Typed(..)",
    "X11Panel",
    "IdPad",
    "NewId",
    "none",
    "../../../../fonts/NotoSansTC-Regular-subset.ttf",
    "../../../../fonts/NotoSansTC-Bold-subset.ttf",
];
/// Files that draw nothing: tests, states and people of the gallery, the reading of X11 screens.
const NOT_SCREENS: &[&str] = &[
    "tests.rs",
    "sources.rs",
    "layer.rs",
    "gallery.rs",
    "people.rs",
    "differences.rs",
    "administrator.rs",
    "x11.rs",
    "grab.rs",
    "watch.rs",
    "inject.rs",
    "keymap.rs",
    "keysym.rs",
    "ledger.rs",
    "leftover.rs",
    "listen.rs",
    "saver.rs",
    "stop.rs",
    "windows.rs",
];

#[test]
fn no_sentence_is_written_outside_the_catalogue() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/panel");
    let mut found = Vec::new();
    let mut files = 0;
    walk(&root, &mut |path, source| {
        files += 1;
        for literal in literals(source).filter(|literal| is_visible(literal)) {
            found.push(format!("{}: {literal:?}", path.display()));
        }
    });
    assert!(files >= 20, "only {files} files under {}", root.display());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_scan_finds_what_it_should() {
    let source = "let a = \"Press here\"; // \"not this\"\n#[error(\"nor this\")]\nlet b = ('\"', \"{name}\\u{b7}{x}\", \"Start\");\n";
    let found: Vec<_> = literals(source)
        .filter(|literal| is_visible(literal))
        .collect();
    assert_eq!(found, ["Press here"]);
}

fn walk(directory: &Path, visit: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            walk(&path, visit);
        } else if name.ends_with(".rs") && !NOT_SCREENS.contains(&name) {
            let source = std::fs::read_to_string(&path).expect("a source");
            visit(&path, &source);
        }
    }
}

/// Whether a literal has words: two letters in a row besides its slots and escapes.
fn is_visible(literal: &str) -> bool {
    let mut depth = 0_i32;
    let bare: String = literal
        .chars()
        .map(|c| {
            depth += i32::from(c == '{');
            let shown = if depth > 0 { ' ' } else { c };
            depth -= i32::from(c == '}');
            shown
        })
        .collect();
    let has_words = bare
        .split(|c: char| !c.is_alphabetic())
        .any(|word| word.chars().count() >= 2);
    has_words && !NOT_SHOWN.contains(&literal)
}

/// The string literals of a source, without comments, attributes, log lines and the tests at its end.
fn literals(source: &str) -> impl Iterator<Item = String> {
    let source = source
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let mut open = 0;
    source
        .lines()
        .filter(move |line| !is_attribute(line, &mut open) && !line.contains("tracing::"))
        .flat_map(in_line)
}

/// Whether a line is of an attribute; `open` carries its open brackets from line to line.
fn is_attribute(line: &str, open: &mut usize) -> bool {
    let begins = line.trim_start().starts_with("#[") || line.trim_start().starts_with("#![");
    if *open == 0 && !begins {
        return false;
    }
    *open =
        (*open + line.matches(['[', '(']).count()).saturating_sub(line.matches([']', ')']).count());
    true
}

fn in_line(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => break,
            // A character: skip it and its end, but not a lifetime.
            '\'' => {
                let mut ahead = chars.clone();
                let escaped = ahead.next() == Some('\\');
                if escaped || ahead.next() == Some('\'') {
                    chars.next();
                    while chars.next().is_some_and(|c| c != '\'') {}
                }
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => {
                            // An escape is no word, whatever letter it has.
                            chars.next();
                            literal.push(' ');
                        }
                        c => literal.push(c),
                    }
                }
                found.push(literal);
            }
            _ => {}
        }
    }
    found
}
