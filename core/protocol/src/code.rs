//! The access code: twelve digits, spoken `NNNN NSSS SSSC`.
//!
//! `N` is the [`Nameplate`] that the relay hands out, `S` the six-digit [`CodeSecret`] that the operator's side
//! makes and the relay never sees, `C` a check digit (Damm's algorithm) that catches every single wrong digit
//! and every swap of two neighbours before an attempt is spent.
//!
//! Neither the code nor its secret has a `Debug` or `Display` that shows the secret: what is printed by accident
//! shows dots. [`AccessCode::reveal`] is the one way to the digits, for the person who reads them out.

use std::fmt;

use wipe::Wipe;

use crate::ids::Nameplate;

/// Digits in a code.
pub const CODE_DIGITS: usize = 12;
/// Digits of the part that the relay knows.
pub const NAMEPLATE_DIGITS: usize = 5;
/// Digits of the secret part.
pub const SECRET_DIGITS: usize = 6;

/// The six digits of a code that only the two people know.
#[derive(Clone)]
pub struct CodeSecret([u8; SECRET_DIGITS]);

impl CodeSecret {
    /// Draws a secret from random bytes of the caller's, without bias.
    ///
    /// Takes three bytes at a time as a number below 2^24 and rejects those from 16 000 000 on (one in 21), the
    /// largest multiple of a million below. `None` when `entropy` runs out: 48 bytes fail less than once in 10^20
    /// draws.
    pub fn draw(entropy: &[u8]) -> Option<Self> {
        entropy.chunks_exact(3).find_map(|chunk| {
            let &[a, b, c] = chunk else { return None };
            let number = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
            (number < 16_000_000).then(|| Self(to_digits(number % 1_000_000)))
        })
    }

    /// The six digits in ASCII: the password of the proof, and nothing else.
    pub fn as_password(&self) -> [u8; SECRET_DIGITS] {
        self.0.map(|digit| digit + b'0')
    }
}

/// Looks at every digit, so that the time taken does not tell how many are right.
impl PartialEq for CodeSecret {
    fn eq(&self, other: &Self) -> bool {
        let differences = self
            .0
            .iter()
            .zip(&other.0)
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(differences) == 0
    }
}

impl Eq for CodeSecret {}

impl Drop for CodeSecret {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl fmt::Debug for CodeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeSecret(......)")
    }
}

/// A whole access code whose check digit is right.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessCode {
    nameplate: Nameplate,
    secret: CodeSecret,
}

/// Part of a code, for telling the person where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePart {
    /// The first group of four digits.
    First,
    /// The second group of four digits.
    Second,
    /// The third group of four digits.
    Third,
}

impl CodePart {
    /// Word for the part in messages: `first`, `second` or `third`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Third => "third",
        }
    }

    fn of_digit(index: usize) -> Self {
        match index {
            0..4 => Self::First,
            4..8 => Self::Second,
            _ => Self::Third,
        }
    }
}

/// Why digits are not an access code. Costs no attempt: nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeError {
    /// A group holds something that is not a digit.
    NotADigit(CodePart),
    /// Fewer than twelve digits; the group that is not complete.
    TooShort(CodePart),
    /// More than twelve digits.
    TooLong,
    /// Twelve digits, but at least one of them is wrong or two are swapped.
    CheckDigit,
}

impl CodeError {
    /// The group to look at again, where it is known.
    pub const fn part(self) -> Option<CodePart> {
        match self {
            Self::NotADigit(part) | Self::TooShort(part) => Some(part),
            Self::TooLong => Some(CodePart::Third),
            Self::CheckDigit => None,
        }
    }
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADigit(part) => write!(
                f,
                "the {} group of the code has something that is not a digit",
                part.as_str()
            ),
            Self::TooShort(part) => write!(
                f,
                "the {} group of the code is not complete: a code has {CODE_DIGITS} digits",
                part.as_str()
            ),
            Self::TooLong => write!(f, "the code is too long: a code has {CODE_DIGITS} digits"),
            Self::CheckDigit => f.write_str("one digit of the code is wrong, or two are swapped"),
        }
    }
}

impl std::error::Error for CodeError {}

impl AccessCode {
    /// Joins the relay's nameplate and a secret of our own.
    pub const fn new(nameplate: Nameplate, secret: CodeSecret) -> Self {
        Self { nameplate, secret }
    }

    /// Reads a code as a person writes it; spaces and dashes do not count.
    ///
    /// # Errors
    ///
    /// [`CodeError`] with the group that is wrong, or [`CodeError::CheckDigit`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let mut digits = [0; CODE_DIGITS];
        let parsed = read_digits(text, &mut digits).and_then(|()| Self::from_digits(&digits));
        digits.wipe();
        parsed
    }

    fn from_digits(digits: &[u8; CODE_DIGITS]) -> Result<Self, CodeError> {
        if damm(digits) != 0 {
            return Err(CodeError::CheckDigit);
        }
        let [n0, n1, n2, n3, n4, secret @ .., _check] = *digits;
        let number = [n0, n1, n2, n3, n4]
            .iter()
            .fold(0, |n, d| n * 10 + u32::from(*d));
        // Five digits always are a nameplate.
        let nameplate = Nameplate::new(number).ok_or(CodeError::CheckDigit)?;
        Ok(Self {
            nameplate,
            secret: CodeSecret(secret),
        })
    }

    /// The part that goes to the relay.
    pub const fn nameplate(&self) -> Nameplate {
        self.nameplate
    }

    /// The part that never leaves the two sides.
    pub const fn secret(&self) -> &CodeSecret {
        &self.secret
    }

    /// The twelve digits without spaces, for the person who reads them out. Never log it.
    pub fn reveal(&self) -> String {
        let mut digits = [0; CODE_DIGITS];
        let head: [u8; NAMEPLATE_DIGITS] = to_digits(self.nameplate.number());
        digits
            .iter_mut()
            .zip(head.iter().chain(&self.secret.0))
            .for_each(|(slot, digit)| *slot = *digit);
        // The last digit is still 0, so this is the check digit over the eleven others.
        let check = damm(digits.get(..CODE_DIGITS - 1).unwrap_or(&[]));
        if let Some(last) = digits.last_mut() {
            *last = check;
        }
        let text = digits
            .iter()
            .map(|digit| char::from(digit + b'0'))
            .collect();
        digits.wipe();
        text
    }
}

impl fmt::Debug for AccessCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessCode({} ......)", self.nameplate)
    }
}

/// Fills `digits` from text; spaces and dashes do not count.
fn read_digits(text: &str, digits: &mut [u8; CODE_DIGITS]) -> Result<(), CodeError> {
    let mut len = 0;
    for c in text.chars().filter(|c| !is_separator(*c)) {
        let Some(digit) = c.to_digit(10).and_then(|d| u8::try_from(d).ok()) else {
            return Err(CodeError::NotADigit(CodePart::of_digit(len)));
        };
        let slot = digits.get_mut(len).ok_or(CodeError::TooLong)?;
        *slot = digit;
        len += 1;
    }
    if len < CODE_DIGITS {
        return Err(CodeError::TooShort(CodePart::of_digit(len)));
    }
    Ok(())
}

/// White space and the dashes that keyboards, word processors and chats make of `-`.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Writes `number` in `N` decimal digits, leading zeros included.
fn to_digits<const N: usize>(mut number: u32) -> [u8; N] {
    let mut digits = [0; N];
    for slot in digits.iter_mut().rev() {
        *slot = (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// Check digit of Damm's algorithm (H. M. Damm, 2004) over `digits`; 0 for digits that end in their own.
fn damm(digits: &[u8]) -> u8 {
    /// The totally anti-symmetric quasigroup of order 10 that Damm's thesis gives.
    const TABLE: [[u8; 10]; 10] = [
        [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
        [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
        [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
        [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
        [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
        [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
        [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
        [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
        [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
        [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
    ];
    digits.iter().fold(0, |interim, digit| {
        let row = TABLE.get(usize::from(interim)).unwrap_or(&TABLE[0]);
        row.get(usize::from(*digit)).copied().unwrap_or(0)
    })
}

/// Overwriting without `unsafe` and without a dependency: `black_box` keeps the compiler from dropping the store.
mod wipe {
    pub(super) trait Wipe {
        fn wipe(&mut self);
    }

    impl<const N: usize> Wipe for [u8; N] {
        fn wipe(&mut self) {
            self.fill(0);
            std::hint::black_box(self);
        }
    }
}

#[cfg(test)]
mod tests;
