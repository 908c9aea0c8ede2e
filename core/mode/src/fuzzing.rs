//! What fuzzers run: every decoder of this crate as a plain function that panics only where a promise is broken.

use crate::{effect::Effect, event::HostEvent, manifest::Manifest};

/// An event and an effect of the kind that the first byte says, and the rest as a manifest.
///
/// What was decoded must survive being encoded and decoded again.
pub fn decode(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    let kind = u32::from(*kind);
    let mut again = Vec::new();
    if let Ok(event) = HostEvent::decode(kind, body) {
        event.encode(&mut again);
        assert_eq!(
            HostEvent::decode(event.kind(), &again),
            Ok(event),
            "an event changes on its way"
        );
    }
    again.clear();
    if let Ok(effect) = Effect::decode(kind, body) {
        effect.encode(&mut again);
        assert_eq!(
            Effect::decode(effect.kind(), &again),
            Ok(effect),
            "an effect changes on its way"
        );
    }
    match Manifest::parse(&String::from_utf8_lossy(body)) {
        Ok(manifest) => {
            let written = serde_json::to_string(&manifest).unwrap_or_default();
            // Written without spaces it is shorter, so it still fits.
            assert_eq!(
                Manifest::parse(&written).ok(),
                Some(manifest),
                "a manifest changes on its way"
            );
        }
        Err(error) => drop(error.to_string()),
    }
}
