//! Somebody else's words, cut to what a person reads.

use alongside_protocol::label::Label;

/// The first 64 bytes of `text` as a label; `None` if they could do harm, or say nothing.
pub(crate) fn inert(text: &str) -> Option<Label<64>> {
    let mut end = text.len().min(64);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    Label::new(text.get(..end)?).ok()
}
