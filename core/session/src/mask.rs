//! What the operator must not see of a picture is covered before anything else looks at it.

use std::borrow::Cow;

use alongside_panel::Frame;
use alongside_protocol::units::PanelRect;

/// The one flat colour of what is covered (our choice: a grey that is neither light nor dark).
const COVER: u32 = 0x0080_8080;

/// The picture with `masked` covered; whatever of it lies outside is left alone.
pub(crate) fn cover<'a>(frame: &'a Frame, masked: &[PanelRect]) -> Cow<'a, Frame> {
    if masked.is_empty() {
        return Cow::Borrowed(frame);
    }
    let mut covered = frame.clone();
    let width = usize::from(frame.size().width());
    for rect in masked {
        let left = usize::from(rect.x).min(width);
        let right = (left + usize::from(rect.width)).min(width);
        let rows = covered.pixels_mut().chunks_exact_mut(width);
        for row in rows.skip(rect.y.into()).take(rect.height.into()) {
            if let Some(pixels) = row.get_mut(left..right) {
                pixels.fill(COVER);
            }
        }
    }
    Cow::Owned(covered)
}

#[cfg(test)]
mod tests {
    use alongside_protocol::PanelSize;

    use super::*;

    #[test]
    fn what_is_masked_is_flat_and_the_rest_untouched() {
        let size = PanelSize::new(4, 3).expect("a size");
        let rect = |x, y, width, height| PanelRect {
            x,
            y,
            width,
            height,
        };
        let frame = Frame::new(size, (0..12).collect()).expect("a frame");
        let covered = cover(&frame, &[rect(1, 1, 2, 1), rect(3, 2, 900, 900)]);
        let c = COVER;
        assert_eq!(covered.pixels(), [0, 1, 2, 3, 4, c, c, 7, 8, 9, 10, c]);
        assert!(matches!(cover(&frame, &[]), Cow::Borrowed(_)));
    }
}
