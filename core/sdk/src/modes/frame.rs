//! What a sealed child and its parent say to each other: frames over one socket, each with its length in front.
//!
//! The parent trusts no byte of the child's: decoding is total and bounded, and an effect that comes out is one more
//! time held against what is granted.

#[cfg(test)]
#[path = "../../../fuzz/in_corpus.rs"]
mod in_corpus;

use std::time::Duration;

use alongside_mode::{
    Effect, HostEvent, Side, abi,
    host::{LogLine, MAX_CALL_BYTES, MAX_CALL_EFFECTS, MAX_LOG_LINE_LEN, MAX_LOG_LINES},
    manifest::MAX_MANIFEST_LEN,
};

/// Longest frame, in bytes: the effects and log lines of one call, with their heads.
pub(super) const MAX_FRAME: usize =
    MAX_CALL_BYTES + MAX_CALL_EFFECTS * 8 + MAX_LOG_LINES * (4 * MAX_LOG_LINE_LEN + 8) + 64;
/// Longest text that a child says about why it cannot start, in bytes.
const MAX_SAID: usize = 1_024;

/// A frame that is none, or says what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the module's process speaks out of turn")]
pub struct BadFrame;

/// What the parent says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Load the module, seal yourself and make this half.
    Start {
        side: Side,
        granted: u32,
        landlock: bool,
    },
    /// Tell the half of this.
    Event { at: Duration, event: HostEvent },
}

/// What the child says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The half is made; this is the manifest inside the module.
    Ready { manifest: Vec<u8> },
    /// It cannot be made.
    Refused(Reason),
    /// What the half wants, or how it failed.
    Answer(Answer),
}

/// What a half answered to one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: i32,
    /// Effects that were refused since the start, for want of a grant.
    pub(super) denied: u32,
    pub(super) effects: Vec<Effect>,
    pub(super) log: Vec<LogLine>,
}

/// Why a child cannot start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The loader does not take the file.
    Library(String),
    /// It has no version word.
    NotAMode,
    /// It is built for another ABI.
    Abi(u32),
    /// It has a version word and no table.
    NoTable,
    /// Its table is not in order, or it cannot make the half.
    Unfit(String),
    /// The box cannot be built.
    Box(String),
}

/// Puts the length in front of what `body` appends.
fn framed(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    body(out);
    let len = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(head) = out.get_mut(start..start + 4) {
        head.copy_from_slice(&len.to_le_bytes());
    }
}

/// The first whole frame in `bytes` without its head, and where the next one begins; `None` if it is not all there.
pub(super) fn split(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, BadFrame> {
    let Some(head) = bytes.first_chunk::<4>() else {
        return Ok(None);
    };
    let len = u32::from_le_bytes(*head) as usize;
    if len > MAX_FRAME {
        return Err(BadFrame);
    }
    Ok(bytes.get(4..4 + len).map(|body| (body, 4 + len)))
}

impl Order {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Start {
                side,
                granted,
                landlock,
            } => framed(out, |out| {
                out.extend_from_slice(&[1, side.number() as u8, u8::from(*landlock)]);
                out.extend_from_slice(&granted.to_le_bytes());
            }),
            Self::Event { at, event } => Self::encode_event(*at, event, out),
        }
    }

    /// As [`Order::encode`] of an event that somebody else has.
    pub(super) fn encode_event(at: Duration, event: &HostEvent, out: &mut Vec<u8>) {
        framed(out, |out| {
            out.push(2);
            let at = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
            out.extend_from_slice(&at.to_le_bytes());
            out.extend_from_slice(&event.kind().to_le_bytes());
            event.encode(out);
        });
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, BadFrame> {
        let mut from = Reader(body);
        match from.byte()? {
            1 => {
                let side = Side::from_number(u32::from(from.byte()?)).ok_or(BadFrame)?;
                let landlock = from.byte()? == 1;
                let granted = from.number()?;
                from.end()?;
                Ok(Self::Start {
                    side,
                    granted,
                    landlock,
                })
            }
            2 => {
                let at = Duration::from_micros(u64::from_le_bytes(from.array()?));
                let kind = from.number()?;
                let event = HostEvent::decode(kind, from.0).map_err(|_| BadFrame)?;
                Ok(Self::Event { at, event })
            }
            _ => Err(BadFrame),
        }
    }
}

impl Word {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        framed(out, |out| match self {
            Self::Ready { manifest } => {
                out.push(1);
                out.extend_from_slice(manifest);
            }
            Self::Refused(reason) => {
                out.push(2);
                reason.encode(out);
            }
            Self::Answer(answer) => {
                out.push(3);
                answer.encode(out);
            }
        });
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, BadFrame> {
        let mut from = Reader(body);
        match from.byte()? {
            1 if from.0.len() <= MAX_MANIFEST_LEN => Ok(Self::Ready {
                manifest: from.0.to_vec(),
            }),
            2 => Reason::decode(from).map(Self::Refused),
            3 => Answer::decode(from).map(Self::Answer),
            _ => Err(BadFrame),
        }
    }
}

impl Answer {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.status.to_le_bytes());
        out.extend_from_slice(&self.denied.to_le_bytes());
        out.extend_from_slice(&(self.effects.len() as u32).to_le_bytes());
        for effect in &self.effects {
            out.extend_from_slice(&effect.kind().to_le_bytes());
            framed(out, |out| effect.encode(out));
        }
        for line in &self.log {
            out.push(u8::try_from(line.level).unwrap_or(u8::MAX));
            framed(out, |out| out.extend_from_slice(line.text.as_bytes()));
        }
    }

    fn decode(mut from: Reader<'_>) -> Result<Self, BadFrame> {
        let status = i32::from_le_bytes(from.array()?);
        let denied = from.number()?;
        let count = from.number()? as usize;
        if count > MAX_CALL_EFFECTS || (status != abi::OK && count > 0) {
            return Err(BadFrame);
        }
        let mut effects = Vec::new();
        let mut bytes = 0;
        for _ in 0..count {
            let kind = from.number()?;
            let body = from.slice()?;
            bytes += body.len();
            if bytes > MAX_CALL_BYTES {
                return Err(BadFrame);
            }
            effects.push(Effect::decode(kind, body).map_err(|_| BadFrame)?);
        }
        let mut log = Vec::new();
        while !from.0.is_empty() {
            let level = u32::from(from.byte()?).clamp(abi::LOG_ERROR, abi::LOG_TRACE);
            let text = inert(from.slice()?, 4 * MAX_LOG_LINE_LEN);
            if log.len() == MAX_LOG_LINES {
                return Err(BadFrame);
            }
            log.push(LogLine { level, text });
        }
        Ok(Self {
            status,
            denied,
            effects,
            log,
        })
    }
}

impl Reason {
    fn encode(&self, out: &mut Vec<u8>) {
        let (code, number, said) = match self {
            Self::Library(said) => (1, 0, said.as_str()),
            Self::NotAMode => (2, 0, ""),
            Self::Abi(version) => (3, *version, ""),
            Self::NoTable => (4, 0, ""),
            Self::Unfit(said) => (5, 0, said.as_str()),
            Self::Box(said) => (6, 0, said.as_str()),
        };
        out.push(code);
        out.extend_from_slice(&u32::to_le_bytes(number));
        out.extend(said.bytes().take(MAX_SAID));
    }

    fn decode(mut from: Reader<'_>) -> Result<Self, BadFrame> {
        let code = from.byte()?;
        let number = from.number()?;
        let said = inert(from.0, MAX_SAID);
        Ok(match code {
            1 => Self::Library(said),
            2 => Self::NotAMode,
            3 => Self::Abi(number),
            4 => Self::NoTable,
            5 => Self::Unfit(said),
            6 => Self::Box(said),
            _ => return Err(BadFrame),
        })
    }
}

/// Text that can do nothing but be read.
fn inert(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(bytes.get(..most).unwrap_or(bytes));
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// Bytes that are being read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], BadFrame> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(BadFrame)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadFrame> {
        self.take(N)?.try_into().map_err(|_| BadFrame)
    }

    fn byte(&mut self) -> Result<u8, BadFrame> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u32, BadFrame> {
        self.array().map(u32::from_le_bytes)
    }

    fn slice(&mut self) -> Result<&'a [u8], BadFrame> {
        let len = self.number()? as usize;
        self.take(len)
    }

    fn end(&self) -> Result<(), BadFrame> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(BadFrame)
        }
    }
}

/// What fuzzers run: whatever a child sends, it is decoded or refused.
pub(super) fn fuzz(data: &[u8]) {
    let Ok(Some((body, next))) = split(data) else {
        return;
    };
    assert!(
        next <= data.len() && body.len() <= MAX_FRAME,
        "a frame lies within what came"
    );
    if let Ok(word) = Word::decode(body) {
        let mut again = Vec::new();
        word.encode(&mut again);
        let whole = split(&again).ok().flatten().map(|(body, _)| body);
        let same = whole.map(Word::decode) == Some(Ok(word.clone()));
        // Text that is cut at its bound may grow by a replaced character and be cut again.
        let has_text = match &word {
            Word::Refused(_) => true,
            Word::Answer(answer) => !answer.log.is_empty(),
            Word::Ready { .. } => false,
        };
        assert!(same || has_text, "a word changes on its way");
    }
    drop(Order::decode(body));
}

#[cfg(test)]
mod tests {
    use alongside_mode::{Delivery, HostEvent};
    use alongside_protocol::{Bytes, fuzzing::mutations};

    use super::*;

    fn words() -> Vec<Word> {
        let effects = vec![
            Effect::Peer {
                delivery: Delivery::Reliable,
                body: Bytes::from_static(b"hello"),
            },
            Effect::SetTimer {
                id: 3,
                after: Duration::from_millis(20),
            },
        ];
        let line = LogLine {
            level: 2,
            text: "a line".to_owned(),
        };
        vec![
            Word::Ready {
                manifest: b"{}".to_vec(),
            },
            Word::Refused(Reason::Abi(0x2_0000)),
            Word::Refused(Reason::Library("no such file".to_owned())),
            Word::Answer(Answer {
                status: 0,
                denied: 4,
                effects,
                log: vec![line],
            }),
            Word::Answer(Answer {
                status: abi::E_MODE,
                ..Answer::default()
            }),
        ]
    }

    fn seeds() -> Vec<Vec<u8>> {
        let encode = |word: &Word| {
            let mut out = Vec::new();
            word.encode(&mut out);
            out
        };
        words().iter().map(encode).collect()
    }

    #[test]
    fn words_and_orders_survive_the_way() {
        for (word, bytes) in words().iter().zip(seeds()) {
            let (body, next) = split(&bytes).expect("a frame").expect("whole");
            assert_eq!(next, bytes.len());
            assert_eq!(Word::decode(body).as_ref(), Ok(word));
        }
        let orders = [
            Order::Start {
                side: Side::Operator,
                granted: 3,
                landlock: true,
            },
            Order::Event {
                at: Duration::from_micros(77),
                event: HostEvent::Timer(9),
            },
        ];
        for order in orders {
            let mut bytes = Vec::new();
            order.encode(&mut bytes);
            let (body, _) = split(&bytes).expect("a frame").expect("whole");
            assert_eq!(Order::decode(body), Ok(order));
        }
    }

    #[test]
    fn a_frame_that_is_cut_off_is_waited_for_and_a_shorter_body_is_refused() {
        for bytes in seeds() {
            for len in 0..bytes.len() {
                assert_eq!(split(&bytes[..len]), Ok(None));
            }
            let (body, _) = split(&bytes).expect("a frame").expect("whole");
            if body[0] == 3 {
                let cut = (1..body.len()).filter(|len| Word::decode(&body[..*len]).is_ok());
                // All that may be missing is a whole line of the log.
                assert!(cut.count() <= 1);
            }
        }
    }

    #[test]
    fn a_frame_longer_than_allowed_is_refused_by_its_head() {
        let head = u32::try_from(MAX_FRAME + 1).expect("small").to_le_bytes();
        assert_eq!(split(&head), Err(BadFrame));
    }

    #[test]
    fn more_effects_than_a_call_may_have_are_refused() {
        let mut body = vec![3];
        body.extend_from_slice(&0i32.to_le_bytes());
        body.extend_from_slice(&0u32.to_le_bytes());
        body.extend_from_slice(&257u32.to_le_bytes());
        assert_eq!(Word::decode(&body), Err(BadFrame));
    }

    #[test]
    fn fuzzers_start_from_the_same_bytes() {
        let mut seeds = seeds();
        let order = Order::Event {
            at: Duration::from_micros(77),
            event: HostEvent::Timer(9),
        };
        let mut bytes = Vec::new();
        order.encode(&mut bytes);
        seeds.push(bytes);
        in_corpus::in_corpus("sdk_frame", &seeds);
    }

    #[test]
    fn no_bytes_of_a_child_break_the_parent() {
        let seeds = seeds();
        seeds.iter().for_each(|seed| fuzz(seed));
        mutations(&seeds, 10_000, fuzz);
    }
}
