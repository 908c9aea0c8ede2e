//! Whether much of the picture keeps changing.

use alongside_protocol::units::Millis;

/// Share of the tiles that is much: one in so many.
const MUCH: usize = 4;
/// Pictures in a row that make a commotion.
const PICTURES: u8 = 3;
/// Milliseconds without a change after which it is over.
const CALM: u64 = 125;

#[derive(Default)]
pub(super) struct Commotion {
    pictures: u8,
    changed_at: Millis,
    sent_at: Millis,
}

impl Commotion {
    /// Takes in that so many of all tiles changed. Gives the milliseconds to wait before anything of it is sent, if a
    /// message every `rest` is enough.
    pub(super) fn at(&mut self, now: Millis, news: usize, all: usize, rest: u64) -> Option<u64> {
        let since = |then: Millis| now.as_u64().saturating_sub(then.as_u64());
        if news * MUCH > all {
            self.pictures = self.pictures.saturating_add(1);
            self.changed_at = now;
        } else if news > 0 || since(self.changed_at) >= CALM {
            self.pictures = 0;
        }
        let left = rest.saturating_sub(since(self.sent_at));
        (self.pictures >= PICTURES && left > 0).then(|| left.min(CALM))
    }

    pub(super) fn sent(&mut self, now: Millis) {
        self.sent_at = now;
    }
}
