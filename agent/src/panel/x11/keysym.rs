//! Names and characters of keys, and their numbers in X (the protocol's appendix A, and `keysymdef.h`).

/// A key symbol.
pub(super) type Keysym = u32;

/// Symbols of characters outside Latin-1 are their code points beyond this.
const UNICODE: Keysym = 0x0100_0000;

/// Keys that are no characters.
const NAMED: &[(&str, Keysym)] = &[
    ("BackSpace", 0xff08),
    ("Tab", 0xff09),
    ("Linefeed", 0xff0a),
    ("Clear", 0xff0b),
    ("Return", 0xff0d),
    ("Pause", 0xff13),
    ("Scroll_Lock", 0xff14),
    ("Sys_Req", 0xff15),
    ("Escape", 0xff1b),
    ("Delete", 0xffff),
    ("Multi_key", 0xff20),
    ("Home", 0xff50),
    ("Left", 0xff51),
    ("Up", 0xff52),
    ("Right", 0xff53),
    ("Down", 0xff54),
    ("Prior", 0xff55),
    ("Page_Up", 0xff55),
    ("Next", 0xff56),
    ("Page_Down", 0xff56),
    ("End", 0xff57),
    ("Begin", 0xff58),
    ("Select", 0xff60),
    ("Print", 0xff61),
    ("Execute", 0xff62),
    ("Insert", 0xff63),
    ("Undo", 0xff65),
    ("Redo", 0xff66),
    ("Menu", 0xff67),
    ("Find", 0xff68),
    ("Cancel", 0xff69),
    ("Help", 0xff6a),
    ("Break", 0xff6b),
    ("Mode_switch", 0xff7e),
    ("Num_Lock", 0xff7f),
    ("KP_Space", 0xff80),
    ("KP_Tab", 0xff89),
    ("KP_Enter", 0xff8d),
    ("KP_F1", 0xff91),
    ("KP_F2", 0xff92),
    ("KP_F3", 0xff93),
    ("KP_F4", 0xff94),
    ("KP_Home", 0xff95),
    ("KP_Left", 0xff96),
    ("KP_Up", 0xff97),
    ("KP_Right", 0xff98),
    ("KP_Down", 0xff99),
    ("KP_Prior", 0xff9a),
    ("KP_Next", 0xff9b),
    ("KP_End", 0xff9c),
    ("KP_Begin", 0xff9d),
    ("KP_Insert", 0xff9e),
    ("KP_Delete", 0xff9f),
    ("KP_Equal", 0xffbd),
    ("KP_Multiply", 0xffaa),
    ("KP_Add", 0xffab),
    ("KP_Separator", 0xffac),
    ("KP_Subtract", 0xffad),
    ("KP_Decimal", 0xffae),
    ("KP_Divide", 0xffaf),
    ("Shift_L", 0xffe1),
    ("Shift_R", 0xffe2),
    ("Control_L", 0xffe3),
    ("Control_R", 0xffe4),
    ("Caps_Lock", 0xffe5),
    ("Shift_Lock", 0xffe6),
    ("Meta_L", 0xffe7),
    ("Meta_R", 0xffe8),
    ("Alt_L", 0xffe9),
    ("Alt_R", 0xffea),
    ("Super_L", 0xffeb),
    ("Super_R", 0xffec),
    ("Hyper_L", 0xffed),
    ("Hyper_R", 0xffee),
    ("ISO_Level3_Shift", 0xfe03),
    ("ISO_Left_Tab", 0xfe20),
    ("EuroSign", 0x20ac),
    // What browsers call the same keys.
    ("Backspace", 0xff08),
    ("Enter", 0xff0d),
    ("ArrowLeft", 0xff51),
    ("ArrowUp", 0xff52),
    ("ArrowRight", 0xff53),
    ("ArrowDown", 0xff54),
    ("PageUp", 0xff55),
    ("PageDown", 0xff56),
    ("PrintScreen", 0xff61),
    ("ContextMenu", 0xff67),
    ("Shift", 0xffe1),
    ("Control", 0xffe3),
    ("CapsLock", 0xffe5),
    ("NumLock", 0xff7f),
    ("ScrollLock", 0xff14),
    ("Alt", 0xffe9),
    ("AltGraph", 0xfe03),
    ("Meta", 0xffeb),
];

/// Names of the characters of ASCII that are neither letters nor digits.
const ASCII: &[(&str, char)] = &[
    ("space", ' '),
    ("exclam", '!'),
    ("quotedbl", '"'),
    ("numbersign", '#'),
    ("dollar", '$'),
    ("percent", '%'),
    ("ampersand", '&'),
    ("apostrophe", '\''),
    ("quoteright", '\''),
    ("parenleft", '('),
    ("parenright", ')'),
    ("asterisk", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("minus", '-'),
    ("period", '.'),
    ("slash", '/'),
    ("colon", ':'),
    ("semicolon", ';'),
    ("less", '<'),
    ("equal", '='),
    ("greater", '>'),
    ("question", '?'),
    ("at", '@'),
    ("bracketleft", '['),
    ("backslash", '\\'),
    ("bracketright", ']'),
    ("asciicircum", '^'),
    ("underscore", '_'),
    ("grave", '`'),
    ("quoteleft", '`'),
    ("braceleft", '{'),
    ("bar", '|'),
    ("braceright", '}'),
    ("asciitilde", '~'),
];

/// Names of the upper half of Latin-1, from U+00A0 on.
const LATIN: [&str; 96] = [
    "nobreakspace",
    "exclamdown",
    "cent",
    "sterling",
    "currency",
    "yen",
    "brokenbar",
    "section",
    "diaeresis",
    "copyright",
    "ordfeminine",
    "guillemotleft",
    "notsign",
    "hyphen",
    "registered",
    "macron",
    "degree",
    "plusminus",
    "twosuperior",
    "threesuperior",
    "acute",
    "mu",
    "paragraph",
    "periodcentered",
    "cedilla",
    "onesuperior",
    "masculine",
    "guillemotright",
    "onequarter",
    "onehalf",
    "threequarters",
    "questiondown",
    "Agrave",
    "Aacute",
    "Acircumflex",
    "Atilde",
    "Adiaeresis",
    "Aring",
    "AE",
    "Ccedilla",
    "Egrave",
    "Eacute",
    "Ecircumflex",
    "Ediaeresis",
    "Igrave",
    "Iacute",
    "Icircumflex",
    "Idiaeresis",
    "ETH",
    "Ntilde",
    "Ograve",
    "Oacute",
    "Ocircumflex",
    "Otilde",
    "Odiaeresis",
    "multiply",
    "Oslash",
    "Ugrave",
    "Uacute",
    "Ucircumflex",
    "Udiaeresis",
    "Yacute",
    "THORN",
    "ssharp",
    "agrave",
    "aacute",
    "acircumflex",
    "atilde",
    "adiaeresis",
    "aring",
    "ae",
    "ccedilla",
    "egrave",
    "eacute",
    "ecircumflex",
    "ediaeresis",
    "igrave",
    "iacute",
    "icircumflex",
    "idiaeresis",
    "eth",
    "ntilde",
    "ograve",
    "oacute",
    "ocircumflex",
    "otilde",
    "odiaeresis",
    "division",
    "oslash",
    "ugrave",
    "uacute",
    "ucircumflex",
    "udiaeresis",
    "yacute",
    "thorn",
    "ydiaeresis",
];

/// Key for Return.
pub(super) const RETURN: Keysym = 0xff0d;
/// The left shift key.
pub(super) const SHIFT: Keysym = 0xffe1;

/// The symbol of this name: one of X, one of a browser, a single character, or `U` and its code point.
pub(super) fn from_name(name: &str) -> Option<Keysym> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return from_char(c);
    }
    let named = NAMED.iter().find(|(known, _)| *known == name);
    let ascii = || ASCII.iter().find(|(known, _)| *known == name);
    let latin = || LATIN.iter().zip(0xa0..).find(|(known, _)| **known == name);
    named
        .map(|(_, keysym)| *keysym)
        .or_else(|| ascii().map(|(_, c)| u32::from(*c)))
        .or_else(|| latin().map(|(_, keysym)| keysym))
        .or_else(|| numbered(name))
}

/// Function keys, digits of the keypad, and code points.
fn numbered(name: &str) -> Option<Keysym> {
    if let Some(n) = name.strip_prefix('F').and_then(|n| n.parse::<u32>().ok()) {
        return (1..=35).contains(&n).then_some(0xffbd + n);
    }
    if let Some(n) = name.strip_prefix("KP_").and_then(|n| n.parse::<u32>().ok()) {
        return (0..=9).contains(&n).then_some(0xffb0 + n);
    }
    let digits = name.strip_prefix('U').filter(|hex| hex.len() >= 4)?;
    let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    from_char(c)
}

/// The symbol that types `c`; a line break is Return. None for other control characters.
pub(super) fn from_char(c: char) -> Option<Keysym> {
    match c {
        '\n' | '\r' => Some(RETURN),
        '\t' => Some(0xff09),
        ' '..='~' | '\u{a0}'..='\u{ff}' => Some(c.into()),
        _ if c.is_control() => None,
        _ => Some(UNICODE + u32::from(c)),
    }
}

/// The character that a symbol types, keypad included.
pub(super) fn to_char(keysym: Keysym) -> Option<char> {
    match keysym {
        0x20..=0x7e | 0xa0..=0xff => char::from_u32(keysym),
        0xffaa..=0xffaf | 0xffb0..=0xffb9 | 0xffbd => char::from_u32(keysym - 0xff80),
        0x0100_0100..=0x0110_ffff => char::from_u32(keysym - UNICODE),
        _ => None,
    }
}

/// Whether upper and lower case of a symbol are on one key, so that Caps Lock turns them around.
pub(super) fn has_case(keysym: Keysym) -> bool {
    to_char(keysym).is_some_and(|c| c.is_lowercase() != c.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_x_and_of_browsers_and_characters_are_found() {
        let cases = [
            ("numbersign", 0x23),
            ("#", 0x23),
            ("a", 0x61),
            ("A", 0x41),
            ("Return", 0xff0d),
            ("Enter", 0xff0d),
            ("F12", 0xffc9),
            ("KP_7", 0xffb7),
            ("adiaeresis", 0xe4),
            ("ä", 0xe4),
            ("ydiaeresis", 0xff),
            ("€", 0x0100_20ac),
            ("U20AC", 0x0100_20ac),
            ("中", 0x0100_4e2d),
        ];
        for (name, keysym) in cases {
            assert_eq!(from_name(name), Some(keysym), "{name}");
        }
        for none in ["", "Start", "Stop", "Reset", "F99", "KP_77", "Up ", "\u{7}"] {
            assert_eq!(from_name(none), None, "{none}");
        }
    }

    #[test]
    fn what_a_character_types_is_that_character() {
        for c in (' '..='~').chain(['ä', 'ß', '中', '€']) {
            assert_eq!(from_char(c).and_then(to_char), Some(c));
        }
        assert_eq!(to_char(0xffb4), Some('4'), "the keypad's");
        assert_eq!(to_char(RETURN), None);
    }
}
