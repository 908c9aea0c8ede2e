//! The twelve places of an access code while it is being typed.

use alongside::protocol::{
    AccessCode,
    code::{CODE_DIGITS, CodeError},
};

/// Digits in a group.
pub(super) const GROUP: usize = 4;

/// What has been typed of a code. Shows nothing of it in `Debug`, and overwrites it when cleared.
#[derive(Default)]
pub(super) struct CodeEntry {
    digits: [Option<u8>; CODE_DIGITS],
    /// The place that the next digit goes to; `CODE_DIGITS` when all are filled.
    at: usize,
    /// What the outside said about the code that was sent last.
    told: Option<CodeError>,
}

impl std::fmt::Debug for CodeEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeEntry").finish_non_exhaustive()
    }
}

/// What the customer should be told about what is typed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not all digits are there.
    Unfinished,
    /// All are there and can be a code.
    Ready,
    /// They cannot be a code.
    Wrong(CodeError),
}

impl CodeEntry {
    /// Types a digit into the next empty place.
    pub(super) fn digit(&mut self, digit: u8) {
        if let Some(place) = self.digits.get_mut(self.at) {
            *place = Some(digit);
            self.told = None;
            self.at = self.next_empty(self.at);
        }
    }

    /// Takes back the digit before the next empty place.
    pub(super) fn erase(&mut self) {
        self.told = None;
        let before = self.digits.get(..self.at).unwrap_or(&self.digits);
        if let Some(last) = before.iter().rposition(Option::is_some) {
            if let Some(place) = self.digits.get_mut(last) {
                *place = None;
            }
            self.at = last;
        }
    }

    /// Empties one group to type it again.
    pub(super) fn retype(&mut self, group: usize) {
        self.told = None;
        let start = group * GROUP;
        if let Some(places) = self.digits.get_mut(start..start + GROUP) {
            places.fill(None);
            self.at = start;
        }
    }

    /// Empties everything.
    pub(super) fn clear(&mut self) {
        self.digits.fill(None);
        std::hint::black_box(&mut self.digits);
        self.at = 0;
        self.told = None;
    }

    /// Keeps what the outside said about a code.
    pub(super) const fn tell(&mut self, error: CodeError) {
        self.told = Some(error);
    }

    /// The digits of a group.
    pub(super) fn group(&self, group: usize) -> &[Option<u8>] {
        self.digits
            .get(group * GROUP..(group + 1) * GROUP)
            .unwrap_or_default()
    }

    /// The place that the next digit goes to.
    pub(super) const fn cursor(&self) -> usize {
        self.at
    }

    /// Whether the digits can be a code.
    pub(super) fn verdict(&self) -> Verdict {
        if let Some(error) = self.told {
            return Verdict::Wrong(error);
        }
        match self.code() {
            None => Verdict::Unfinished,
            Some(Ok(_)) => Verdict::Ready,
            Some(Err(error)) => Verdict::Wrong(error),
        }
    }

    /// The code, once all places are filled.
    pub(super) fn code(&self) -> Option<Result<AccessCode, CodeError>> {
        let mut typed = [0; CODE_DIGITS];
        for (byte, digit) in typed.iter_mut().zip(self.digits) {
            *byte = digit? + b'0';
        }
        let code = AccessCode::parse(std::str::from_utf8(&typed).unwrap_or_default());
        typed.fill(0);
        std::hint::black_box(&mut typed);
        Some(code)
    }

    fn next_empty(&self, from: usize) -> usize {
        let empty_in = |from: usize| {
            self.digits
                .iter()
                .skip(from)
                .position(Option::is_none)
                .map(|n| from + n)
        };
        empty_in(from)
            .or_else(|| empty_in(0))
            .unwrap_or(CODE_DIGITS)
    }
}

#[cfg(test)]
mod tests {
    use alongside::protocol::{Nameplate, code::CodeSecret};

    use super::*;

    fn typed(digits: &str) -> CodeEntry {
        let mut entry = CodeEntry::default();
        digits.bytes().for_each(|b| entry.digit(b - b'0'));
        entry
    }

    fn right_code() -> String {
        let secret = CodeSecret::draw(&[7; 48]).expect("a secret");
        AccessCode::new(Nameplate::new(12_345).expect("a nameplate"), secret).reveal()
    }

    #[test]
    fn a_whole_right_code_is_ready_and_a_swap_is_told_at_once() {
        let code = right_code();
        assert_eq!(typed(&code[..11]).verdict(), Verdict::Unfinished);
        assert_eq!(typed(&code).verdict(), Verdict::Ready);
        let swapped = format!("{}{}{}", &code[1..2], &code[..1], &code[2..]);
        assert_eq!(
            typed(&swapped).verdict(),
            Verdict::Wrong(CodeError::CheckDigit)
        );
    }

    #[test]
    fn one_group_can_be_typed_again_and_the_rest_stays() {
        let code = right_code();
        let mut entry = typed(&format!("{}0000{}", &code[..4], &code[8..]));
        entry.retype(1);
        code[4..8].bytes().for_each(|b| entry.digit(b - b'0'));
        assert_eq!(entry.verdict(), Verdict::Ready);
    }

    #[test]
    fn erase_takes_back_one_digit_and_a_thirteenth_is_not_taken() {
        let code = right_code();
        let mut entry = typed(&code);
        entry.digit(9);
        assert_eq!(entry.verdict(), Verdict::Ready);
        entry.erase();
        assert_eq!((entry.verdict(), entry.cursor()), (Verdict::Unfinished, 11));
    }

    #[test]
    fn debug_shows_no_digit() {
        let shown = format!("{:?}", typed(&right_code()));
        assert!(!shown.contains(|c: char| c.is_ascii_digit()), "{shown}");
    }
}
