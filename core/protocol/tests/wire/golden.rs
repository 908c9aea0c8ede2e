//! One sample at least of every message, with its bytes on the wire.

use std::{collections::BTreeSet, fmt::Debug};

use alongside_protocol::{
    LegToken, Nameplate, PanelPoint, PanelSize, PublicKey, RendezvousId, Serial, SessionId,
    annotation::{Annotation, Stroke, StrokeId, StrokePoint, StrokeWidth},
    control::{
        Check, Control, Countersigned, End, HelloDevice, HelloOperator, IdleWarning, ModeAsk,
        ModeState, Modes, Resumed, Seal, Spoken, StillHere,
    },
    frame::HEADER_LEN,
    ids::ModeId,
    input::{Buttons, KeyEvent, KeyMotion, KeyName, PointerEvent, PointerPhase},
    label::{Label, Name, Ticket},
    mode::{Latest, ModeMessage, Peer as ModePeer},
    proof::{METHOD_CODE, PROOF_VERSION, Proof, ProofFailure},
    reason::{EndReason, ModePhase, Party, Refusal},
    relay::{
        Allocate, Allocated, Auth, Challenge, Claim, Closing, Departure, FromRelay, LegCheck,
        Moved, OperatorCard, PairingTicket, Peer, PeerGone, Prepare, Refused, RelayRefusal,
        Release, ReleaseReason, Role, Seat, Signature, ToRelay, Welcome,
    },
    units::{Color, Pressure},
    wire::DecodeError,
};
use serde::{Serialize, de::DeserializeOwned};

/// A message of one channel.
pub(crate) trait Message: Sized + PartialEq + Debug {
    /// Type bytes of the channel.
    const KINDS: &'static [u8];
    fn to_frame(&self) -> Vec<u8>;
    fn from_frame(kind: u8, body: &[u8]) -> Result<Self, DecodeError>;
}

macro_rules! message {
    ($($name:ident: $kinds:expr),*) => {$(
        impl Message for $name {
            const KINDS: &'static [u8] = $kinds;
            fn to_frame(&self) -> Vec<u8> {
                self.to_frame()
            }
            fn from_frame(kind: u8, body: &[u8]) -> Result<Self, DecodeError> {
                Self::from_frame(kind, body)
            }
        }
    )*};
}
message!(
    Control: Control::KINDS,
    ModeMessage: ModeMessage::KINDS,
    ToRelay: ToRelay::KINDS,
    FromRelay: FromRelay::KINDS,
    Proof: Proof::KINDS
);

/// A message and its whole frame in hexadecimal: `a1*32` is 32 times `a1`, spaces do not count.
pub(crate) type Golden<M> = (M, &'static str);

pub(crate) fn proof() -> Vec<Golden<Proof>> {
    vec![
        (
            Proof::A {
                version: PROOF_VERSION,
                method: METHOD_CODE,
                share: [0xa1; 32],
            },
            "000022 01 0101 a1*32",
        ),
        (
            Proof::B {
                share: [0xb1; 32],
                tag: [0xb2; 32],
            },
            "000040 02 b1*32 b2*32",
        ),
        (Proof::C { tag: [0xc1; 32] }, "000020 03 c1*32"),
        (
            Proof::ResumeA {
                session: SessionId([0x5e; 16]),
                epoch: 258,
                nonce: [0xa1; 16],
                tag: [0xa2; 32],
            },
            "000044 04 5e*16 00000102 a1*16 a2*32",
        ),
        (
            Proof::ResumeB {
                nonce: [0xb1; 16],
                tag: [0xb2; 32],
            },
            "000030 05 b1*16 b2*32",
        ),
        (
            Proof::Fail(ProofFailure::Wrong { tries_left: 2 }),
            "000002 0f 0102",
        ),
        (Proof::Fail(ProofFailure::Burnt), "000002 0f 0200"),
        (Proof::Fail(ProofFailure::Expired), "000002 0f 0300"),
        (Proof::Fail(ProofFailure::Unsupported), "000002 0f 0400"),
    ]
}

pub(crate) fn control() -> Vec<Golden<Control>> {
    vec![
        (
            HelloDevice {
                session: SessionId([0x5e; 16]),
                serial: serial("A4K9-00317"),
                model: label("MX-4070"),
                panel: label("mfd"),
                size: size(1024, 600),
            }
            .into(),
            "00002b 10 5e*16 0a41344b392d3030333137074d582d34303730036d66648008d804",
        ),
        (
            HelloOperator {
                name: Some(name("J. Doe")),
            }
            .into(),
            "000008 11 01064a2e20446f65",
        ),
        (HelloOperator { name: None }.into(), "000001 11 00"),
        (Check { n: 1 }.into(), "000001 12 01"),
        (Check { n: u32::MAX }.into(), "000005 12 ffffffff0f"),
        (
            ModeAsk {
                mode: ModeId::user_guide(),
            }
            .into(),
            "00000b 13 0a757365722d6775696465",
        ),
        (
            ModeState {
                mode: mode(ModeId::OPERATOR_CONTROL),
                activation: 2,
                phase: ModePhase::Asked,
                refusal: None,
                expires_in_s: Some(60),
            }
            .into(),
            "000016 14 106f70657261746f722d636f6e74726f6c020000013c",
        ),
        (
            ModeState {
                mode: mode("com.example.checkup"),
                activation: 300,
                phase: ModePhase::Refused,
                refusal: Some(Refusal::NoAdminId),
                expires_in_s: None,
            }
            .into(),
            "00001a 14 13636f6d2e6578616d706c652e636865636b7570ac0203010200",
        ),
        (
            End {
                by: Party::Customer,
                reason: EndReason::StopKey,
            }
            .into(),
            "000002 15 0001",
        ),
        (IdleWarning { ends_in_s: 60 }.into(), "000001 16 3c"),
        (StillHere {}.into(), "000000 17"),
        (
            Resumed {
                mode: Some((mode("user-guide"), 2)),
                granted: 3,
                picture: Some((7, 300)),
            }
            .into(),
            "000012 18 010a757365722d6775696465020301 07ac02",
        ),
        (
            Resumed {
                mode: None,
                granted: 0,
                picture: None,
            }
            .into(),
            "000003 18 000000",
        ),
        (
            Seal {
                index: 300,
                previous: [0x4a; 32],
                line: (&b"{}"[..]).into(),
                signature: Signature::from_bytes([0xd5; 64]),
            }
            .into(),
            "000065 19 ac02 4a*32 02 7b7d d5*64",
        ),
        (
            Countersigned {
                index: 300,
                signature: Signature::from_bytes([0x05; 64]),
            }
            .into(),
            "000042 1a ac02 05*64",
        ),
        (
            Modes {
                modes: vec![Spoken {
                    mode: mode("acme.x"),
                    oldest: 1,
                    newest: 2,
                }],
            }
            .into(),
            "00000a 1f 0106 61636d652e78 0102",
        ),
    ]
}

pub(crate) fn mode_messages() -> Vec<Golden<ModeMessage>> {
    vec![
        (
            ModePeer {
                activation: 1,
                body: (&b"stroke"[..]).into(),
            }
            .into(),
            "000008 20 01067374726f6b65",
        ),
        (
            ModePeer {
                activation: u16::MAX,
                body: (&b""[..]).into(),
            }
            .into(),
            "000004 20 ffff0300",
        ),
        (
            Latest {
                activation: 1,
                n: 128,
                body: (&[0xff, 0x00][..]).into(),
            }
            .into(),
            "000006 21 01800102ff00",
        ),
    ]
}

pub(crate) fn to_relay() -> Vec<Golden<ToRelay>> {
    vec![
        (
            Auth {
                version: 1,
                role: Role::Operator,
                key: PublicKey([0x0b; 32]),
                token: LegToken([0x0c; 8]),
                signature: Signature::from_bytes([0x0d; 64]),
            }
            .into(),
            "00006a 40 0101 0b*32 0c*8 0d*64",
        ),
        (
            Allocate {
                ttl_s: 600,
                ticket: Some(ticket("T-1041")),
            }
            .into(),
            "00000a 41 d8040106542d31303431",
        ),
        (
            Allocate {
                ttl_s: 3600,
                ticket: None,
            }
            .into(),
            "000003 41 901c00",
        ),
        (
            Claim {
                nameplate: nameplate(99_999),
                serial: serial("A4K9-00317"),
            }
            .into(),
            "00000e 42 9f8d060a41344b392d3030333137",
        ),
        (
            Release {
                rendezvous: RendezvousId([7; 16]),
                reason: ReleaseReason::WrongCode,
            }
            .into(),
            "000011 43 07*16 00",
        ),
        (
            Release {
                rendezvous: RendezvousId([7; 16]),
                reason: ReleaseReason::SessionEnded,
            }
            .into(),
            "000011 43 07*16 02",
        ),
        (LegCheck { n: 300 }.into(), "000002 44 ac02"),
        (Moved {}.into(), "000000 45"),
        (
            ToRelay::Rejoin(pairing()),
            "00009d 46 07*16 0c*8 0b*32 d1*8 d0*32 0a41344b392d3030333137 0106542d31303431 8089b9d706 80acbed706 5e*32",
        ),
    ]
}

fn pairing() -> PairingTicket {
    PairingTicket {
        rendezvous: RendezvousId([7; 16]),
        operator: Seat {
            token: LegToken([0x0c; 8]),
            key: PublicKey([0x0b; 32]),
        },
        device: Seat {
            token: LegToken([0xd1; 8]),
            key: PublicKey([0xd0; 32]),
        },
        serial: serial("A4K9-00317"),
        matter: Some(ticket("T-1041")),
        started: 1_794_000_000,
        expires: 1_794_086_400,
        seal: [0x5e; 32],
    }
}

pub(crate) fn from_relay() -> Vec<Golden<FromRelay>> {
    vec![
        (
            Challenge {
                version: 1,
                nonce: [0xee; 32],
                time: 1_794_000_000,
            }
            .into(),
            "000026 60 01 ee*32 8089b9d706",
        ),
        (
            Welcome {
                observed: "192.0.2.7:50000".parse().expect("address"),
                relay: label("relay.example"),
            }
            .into(),
            "000016 61 00c0000207d086030d72656c61792e6578616d706c65",
        ),
        (
            Welcome {
                observed: "[2001:db8::7]:443".parse().expect("address"),
                relay: label("relay.example"),
            }
            .into(),
            "000021 61 0120010db8 00*11 07bb030d72656c61792e6578616d706c65",
        ),
        (
            Allocated {
                nameplate: nameplate(417),
                rendezvous: RendezvousId([7; 16]),
                expires_in_s: 600,
            }
            .into(),
            "000014 62 a103 07*16 d804",
        ),
        (
            Prepare {
                rendezvous: RendezvousId([7; 16]),
                operator: OperatorCard {
                    key: PublicKey([0x0b; 32]),
                    name: Some(name("J. Doe")),
                    organisation: Some(name("Acme Support")),
                },
                token: LegToken([0x0c; 8]),
                expires_in_s: 599,
            }
            .into(),
            "000050 63 07*16 0b*32 01064a2e20446f65010c41636d6520537570706f7274 0c*8 d704",
        ),
        (
            Peer {
                rendezvous: RendezvousId([7; 16]),
                serial: serial("A4K9-00317"),
                key: PublicKey([0xd0; 32]),
                token: LegToken([0xd1; 8]),
            }
            .into(),
            "000043 64 07*16 0a41344b392d3030333137 d0*32 d1*8",
        ),
        (
            Refused {
                reason: RelayRefusal::UnknownOperator,
                retry_after_s: None,
            }
            .into(),
            "000002 65 0300",
        ),
        (
            Refused {
                reason: RelayRefusal::TooManyClaims,
                retry_after_s: Some(600),
            }
            .into(),
            "000004 65 0801d804",
        ),
        (LegCheck { n: 300 }.into(), "000002 66 ac02"),
        (
            PeerGone {
                rendezvous: RendezvousId([7; 16]),
                how: Departure::Released(ReleaseReason::CodeDead),
            }
            .into(),
            "000012 67 07*16 0001",
        ),
        (
            PeerGone {
                rendezvous: RendezvousId([7; 16]),
                how: Departure::LegLost,
            }
            .into(),
            "000011 67 07*16 01",
        ),
        (Closing {}.into(), "000000 68"),
        (
            FromRelay::Paired(pairing()),
            "00009d 69 07*16 0c*8 0b*32 d1*8 d0*32 0a41344b392d3030333137 0106542d31303431 8089b9d706 80acbed706 5e*32",
        ),
    ]
}

/// Frames of a channel, for whoever damages them.
pub(crate) fn frames<M: Message>(goldens: &[Golden<M>]) -> Vec<Vec<u8>> {
    goldens
        .iter()
        .map(|(message, _)| message.to_frame())
        .collect()
}

#[test]
fn every_message_has_the_bytes_it_always_had() {
    check(&proof());
    check(&control());
    check(&mode_messages());
    check(&to_relay());
    check(&from_relay());
}

fn check<M: Message>(goldens: &[Golden<M>]) {
    let mut seen = BTreeSet::new();
    for (message, golden) in goldens {
        let frame = message.to_frame();
        assert_eq!(hex(&frame), written_out(golden), "{message:?}");
        let (header, body) = frame.split_first_chunk::<HEADER_LEN>().expect("header");
        let [a, b, c, kind] = *header;
        assert_eq!(
            u32::from_be_bytes([0, a, b, c]) as usize,
            body.len(),
            "{message:?}"
        );
        assert_eq!(M::from_frame(kind, body).as_ref(), Ok(message));
        seen.insert(kind);
    }
    assert!(
        seen.iter().eq(M::KINDS),
        "a message of {:?} has no sample: {seen:02x?}",
        M::KINDS
    );
}

#[test]
fn a_datagram_is_channel_type_and_body() {
    let message = ModeMessage::from(Latest {
        activation: 1,
        n: 128,
        body: (&[0xff, 0x00][..]).into(),
    });
    assert_eq!(
        hex(&message.to_datagram()),
        "0221018001 02ff00".replace(' ', "")
    );
    assert_eq!(
        ModeMessage::from_datagram(&message.to_datagram()),
        Ok(message)
    );
    assert_eq!(
        ModeMessage::from_datagram(&[3, 0x21, 1]),
        Err(DecodeError::UnknownType(3))
    );
    assert_eq!(
        ModeMessage::from_datagram(&[2]),
        Err(DecodeError::Malformed { kind: 0 })
    );
    assert_eq!(
        ModeMessage::from_datagram(&[]),
        Err(DecodeError::Malformed { kind: 0 })
    );
}

#[test]
fn reasons_keep_their_place_on_the_wire() {
    // A number here is a number in somebody's records: new reasons go to the end.
    let place = |words: &[&str]| words.join(" ");
    assert_eq!(
        place(&Party::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()),
        "customer operator policy network relay device"
    );
    assert_eq!(
        place(
            &EndReason::ALL
                .iter()
                .map(|w| w.as_str())
                .collect::<Vec<_>>()
        ),
        "exit stop-key operator-ended idle session-cap peer-lost peer-closed relay-closed record-failed protocol \
         panel-failed shutdown code-not-proved"
    );
    assert_eq!(
        place(&Refusal::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()),
        "customer timeout no-admin-id locked policy busy interrupted versions"
    );
    assert_eq!(
        place(
            &ModePhase::ALL
                .iter()
                .map(|w| w.as_str())
                .collect::<Vec<_>>()
        ),
        "asked active paused refused ended"
    );
    for (number, reason) in (0..).zip(EndReason::ALL) {
        let frame = Control::from(End {
            by: Party::Customer,
            reason: *reason,
        })
        .to_frame();
        assert_eq!(frame.last(), Some(&number), "{reason}");
    }
}

#[test]
fn refusals_of_the_relay_keep_their_place_on_the_wire() {
    use RelayRefusal::*;
    let all = [
        BadSignature,
        Version,
        TokenTaken,
        UnknownOperator,
        Quota,
        CodeUnknown,
        CodeExpired,
        CodeBurnt,
        TooManyClaims,
        OperatorGone,
        Full,
        NotAllowed,
        BadTicket,
        TicketExpired,
    ];
    for (number, reason) in (0..).zip(all) {
        let frame = FromRelay::from(Refused {
            reason,
            retry_after_s: None,
        })
        .to_frame();
        assert_eq!(hex(&frame), format!("00000265{number:02x}00"), "{reason:?}");
    }
}

#[test]
fn events_and_annotations_have_the_bytes_they_always_had() {
    let at = PanelPoint::from_pixels(512, 300);
    let color = Color::rgb(0xd0, 0x20, 0x21);
    let points = vec![StrokePoint {
        at,
        pressure: Pressure::FULL,
    }];
    let stroke = Stroke {
        id: StrokeId(7),
        color,
        width: StrokeWidth::new(4).expect("width"),
        points,
        done: true,
    };
    let pointer = PointerEvent {
        at,
        phase: PointerPhase::Down,
        buttons: Buttons::LEFT,
        pressure: Pressure::FULL,
    };
    postcard_is(&pointer, "808001 804b 01 01 ff07");
    postcard_is(
        &PointerEvent {
            phase: PointerPhase::Leave,
            ..pointer
        },
        "808001 804b 04 01 ff07",
    );
    postcard_is(
        &KeyEvent {
            key: KeyName::new("#").expect("key"),
            motion: KeyMotion::Down,
        },
        "0123 00",
    );
    postcard_is(
        &KeyEvent {
            key: KeyName::new("Stop").expect("key"),
            motion: KeyMotion::Up,
        },
        "0453746f70 01",
    );
    postcard_is(&Annotation::Pointer { at, color }, "00 808001 804b d02021");
    postcard_is(&Annotation::PointerGone, "01");
    postcard_is(
        &Annotation::Stroke(stroke),
        "02 07 d02021 04 01 808001 804b ff07 01",
    );
    postcard_is(&Annotation::Undo(None), "03 00");
    postcard_is(&Annotation::Undo(Some(StrokeId(7))), "03 01 07");
    postcard_is(&Annotation::Clear, "04");
}

fn postcard_is<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, golden: &str) {
    let bytes = postcard::to_allocvec(value).expect("encodes");
    assert_eq!(hex(&bytes), written_out(golden), "{value:?}");
    assert_eq!(postcard::from_bytes::<T>(&bytes).as_ref(), Ok(value));
    for len in 0..bytes.len() {
        assert!(
            postcard::from_bytes::<T>(&bytes[..len]).is_err(),
            "{value:?} at {len}"
        );
    }
}

fn written_out(golden: &str) -> String {
    let word = |word: &str| match word.split_once('*') {
        Some((byte, times)) => byte.repeat(times.parse().expect("times")),
        None => word.to_owned(),
    };
    golden.split_whitespace().map(word).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn label<const MAX: usize>(text: &str) -> Label<MAX> {
    Label::new(text).expect("label")
}

pub(crate) fn name(text: &str) -> Name {
    label(text)
}

pub(crate) fn ticket(text: &str) -> Ticket {
    label(text)
}

pub(crate) fn serial(text: &str) -> Serial {
    Serial::new(text).expect("serial")
}

pub(crate) fn nameplate(number: u32) -> Nameplate {
    Nameplate::new(number).expect("nameplate")
}

pub(crate) fn mode(name: &str) -> ModeId {
    ModeId::new(name).expect("mode")
}

pub(crate) fn size(width: u16, height: u16) -> PanelSize {
    PanelSize::new(width, height).expect("size")
}
