//! What modes the other side has, and which version of the halves' own protocol both speak.

use alongside_mode::manifest::Span;
use alongside_protocol::{
    control::{Control, Modes, Spoken},
    ids::ModeId,
};

/// The version of a mode that says nothing else.
const FIRST: Span = match Span::new(1, 1) {
    Some(span) => span,
    None => unreachable!(),
};

/// What the other side has said of its modes.
#[derive(Debug, Default)]
pub(crate) struct Theirs(Option<Vec<Spoken>>);

impl Theirs {
    pub(crate) fn said(modes: Modes) -> Self {
        Self(Some(modes.modes))
    }

    /// The newest version of `mode` that both sides speak; `None` if there is none, or the other side has no such mode.
    ///
    /// A side that has said nothing has the first version of whatever there is.
    pub(crate) fn newest_common(&self, mode: &ModeId, ours: Span) -> Option<u16> {
        let theirs = match &self.0 {
            None => FIRST,
            Some(modes) => {
                let spoken = modes.iter().find(|spoken| spoken.mode == *mode)?;
                Span::new(spoken.oldest, spoken.newest)?
            }
        };
        ours.newest_common(theirs)
    }
}

/// Tells the other side of our modes; nothing if there is none beside the user guide.
pub(crate) fn announce<'a>(modes: impl Iterator<Item = (&'a ModeId, Span)>) -> Option<Control> {
    let spoken = |(mode, span): (&ModeId, Span)| Spoken {
        mode: mode.clone(),
        oldest: span.oldest(),
        newest: span.newest(),
    };
    let modes: Vec<_> = modes.map(spoken).take(Modes::MOST).collect();
    (!modes.is_empty()).then(|| Modes { modes }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(oldest: u16, newest: u16) -> Span {
        Span::new(oldest, newest).expect("a span")
    }

    #[test]
    fn the_newest_version_that_both_speak_is_chosen() {
        let mode = ModeId::new("acme.counter").expect("an id");
        let other = ModeId::new("acme.other").expect("an id");
        let ranges = [(&mode, span(2, 4))];
        let Some(Control::Modes(modes)) = announce(ranges.into_iter()) else {
            panic!("there is a mode");
        };
        let theirs = Theirs::said(modes);
        assert_eq!(theirs.newest_common(&mode, span(1, 3)), Some(3));
        assert_eq!(theirs.newest_common(&mode, span(1, 1)), None);
        assert_eq!(theirs.newest_common(&other, span(1, 1)), None);
        assert_eq!(Theirs::default().newest_common(&mode, span(1, 3)), Some(1));
        assert_eq!(announce(std::iter::empty()), None);
    }
}
