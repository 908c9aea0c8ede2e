//! The pseudo-locale: English made longer and stranger, still readable.

/// Accents every letter that has a look-alike, adds two fifths to the length and puts brackets around it.
///
/// What stands in braces stays as it is. The padding repeats vowels within the sentence's own words, so that lines
/// break where they would in a language with longer words.
pub(super) fn stretch(english: &str) -> String {
    let letters = english.chars().count();
    // Brackets count as two letters.
    let mut owed = (letters * 2).div_ceil(5).saturating_sub(2);
    let vowels = vowels_outside_braces(english).max(1);
    let per_vowel = owed.div_ceil(vowels);
    let mut out = String::from("[");
    let mut inside = false;
    for c in english.chars() {
        inside = (inside || c == '{') && c != '}';
        if inside || c == '}' {
            out.push(c);
            continue;
        }
        let accented = accent(c);
        out.push(accented);
        if is_vowel(c) {
            let now = per_vowel.min(owed);
            out.extend(std::iter::repeat_n(
                accented.to_lowercase().next().unwrap_or(accented),
                now,
            ));
            owed -= now;
        }
    }
    out.extend(std::iter::repeat_n('~', owed));
    out.push(']');
    out
}

fn vowels_outside_braces(text: &str) -> usize {
    let mut inside = false;
    text.chars()
        .filter(|c| {
            inside = (inside || *c == '{') && *c != '}';
            !inside && is_vowel(*c)
        })
        .count()
}

const fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'A' | 'E' | 'I' | 'O' | 'U')
}

const fn accent(c: char) -> char {
    match c {
        'a' => 'å',
        'e' => 'é',
        'i' => 'ï',
        'o' => 'ö',
        'u' => 'ü',
        'c' => 'ç',
        'n' => 'ñ',
        's' => 'š',
        'y' => 'ý',
        'z' => 'ž',
        'A' => 'Å',
        'E' => 'É',
        'I' => 'Ï',
        'O' => 'Ö',
        'U' => 'Ü',
        'C' => 'Ç',
        'N' => 'Ñ',
        'S' => 'Š',
        other => other,
    }
}
