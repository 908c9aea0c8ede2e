//! The sizes that are promised: small enough for a modem, and for one packet.

use alongside_protocol::{
    LegToken, PublicKey, RendezvousId, SessionId,
    annotation::{Annotation, MAX_POINTS, Stroke, StrokeId, StrokePoint, StrokeWidth},
    control::{Check, Control, HelloDevice, MAX_LINE, ModeState, Seal},
    frame::{Channel, HEADER_LEN},
    mode::{Latest, MAX_LATEST_LEN, MAX_PEER_LEN, ModeMessage, Peer},
    reason::{ModePhase, Refusal},
    relay::{
        Claim, FromRelay, LegCheck, OperatorCard, PairingTicket, Prepare, Seat, Signature, ToRelay,
    },
    units::{Color, PanelPoint, Pressure},
};

use crate::golden::{label, mode, name, nameplate, serial, size};

#[test]
fn what_prepares_a_device_fits_into_a_kilobyte() {
    let longest = name(&"n".repeat(64));
    let prepare = Prepare {
        rendezvous: RendezvousId([0xff; 16]),
        operator: OperatorCard {
            key: PublicKey([0xff; 32]),
            name: Some(longest.clone()),
            organisation: Some(longest),
        },
        token: LegToken([0xff; 8]),
        expires_in_s: u16::MAX,
    };
    let seat = Seat {
        token: LegToken([0xff; 8]),
        key: PublicKey([0xff; 32]),
    };
    let paired = FromRelay::Paired(PairingTicket {
        rendezvous: RendezvousId([0xff; 16]),
        operator: seat,
        device: seat,
        serial: serial(&"S".repeat(32)),
        matter: Some(label(&"m".repeat(64))),
        started: u64::MAX,
        expires: u64::MAX,
        seal: [0xff; 32],
    });
    let len = FromRelay::from(prepare).to_frame().len() + paired.to_frame().len();
    println!("prepare, and the pairing's ticket: at most {len} bytes");
    assert!(len <= 1_000, "{len} bytes");
}

#[test]
fn a_claim_with_the_longest_serial_number_fits_into_125_bytes() {
    let claim = Claim {
        nameplate: nameplate(99_999),
        serial: serial(&"S".repeat(32)),
    };
    let len = ToRelay::from(claim).to_frame().len();
    println!("claim: at most {len} bytes");
    assert!(len <= 125, "{len} bytes");
}

#[test]
fn an_accessible_check_is_a_few_bytes() {
    // QUIC adds at most 46 (short header with 12 bytes of ID, tag, stream header), UDP and IPv6 add 48.
    let end_to_end = Control::from(Check { n: u32::MAX }).to_frame().len();
    let leg = ToRelay::from(LegCheck { n: u32::MAX }).to_frame().len();
    println!("accessible check: at most {end_to_end} bytes end to end, {leg} on the leg");
    assert!(end_to_end <= 9, "{end_to_end} bytes");
    assert!(leg <= 9, "{leg} bytes");
}

#[test]
fn the_longest_control_messages_fit_their_channel() {
    let hello = HelloDevice {
        session: SessionId([0xff; 16]),
        serial: serial(&"S".repeat(32)),
        model: label(&"m".repeat(64)),
        panel: label(&"p".repeat(16)),
        size: size(4096, 4096),
    };
    let state = ModeState {
        mode: mode(&"m".repeat(64)),
        activation: u16::MAX,
        phase: ModePhase::Ended,
        refusal: Some(Refusal::Busy),
        expires_in_s: Some(u16::MAX),
    };
    for message in [Control::from(hello), state.into()] {
        let len = message.to_frame().len();
        assert!(len <= 256, "{message:?} takes {len} bytes");
    }
}

#[test]
fn the_longest_mode_messages_fit_their_channel_and_their_packet() {
    let body = vec![0xff; MAX_PEER_LEN].into();
    let reliable = ModeMessage::from(Peer {
        activation: u16::MAX,
        body,
    })
    .to_frame();
    assert!(
        reliable.len() <= HEADER_LEN + Channel::Mode.max_body(),
        "{} bytes",
        reliable.len()
    );
    let body = vec![0xff; MAX_LATEST_LEN].into();
    let datagram = ModeMessage::from(Latest {
        activation: u16::MAX,
        n: u32::MAX,
        body,
    })
    .to_datagram();
    // A packet of 1,200 bytes less its header, tag and frame header, with room to spare.
    assert!(datagram.len() <= 1_100, "{} bytes", datagram.len());
    assert_eq!(
        ModeMessage::from_datagram(&datagram).map(|m| m.to_datagram()),
        Ok(datagram)
    );
}

#[test]
fn a_record_to_be_countersigned_has_a_longest_line() {
    let seal = |len| {
        Control::from(Seal {
            index: u64::MAX,
            previous: [0xff; 32],
            line: vec![b'x'; len].into(),
            signature: Signature::from_bytes([0xff; 64]),
        })
    };
    let frame = seal(MAX_LINE).to_frame();
    assert!(frame.len() <= HEADER_LEN + Channel::Control.max_body());
    let longest = Control::from_frame(frame[3], &frame[HEADER_LEN..]);
    assert_eq!(longest, Ok(seal(MAX_LINE)));
    let frame = seal(MAX_LINE + 1).to_frame();
    assert!(Control::from_frame(frame[3], &frame[HEADER_LEN..]).is_err());
}

#[test]
fn a_mode_message_beyond_its_cap_is_refused() {
    let peer = ModeMessage::from(Peer {
        activation: 1,
        body: vec![0; MAX_PEER_LEN + 1].into(),
    })
    .to_frame();
    assert!(ModeMessage::from_frame(peer[3], &peer[HEADER_LEN..]).is_err());
    let latest = ModeMessage::from(Latest {
        activation: 1,
        n: 1,
        body: vec![0; MAX_LATEST_LEN + 1].into(),
    });
    assert!(ModeMessage::from_datagram(&latest.to_datagram()).is_err());
}

#[test]
fn the_longest_stroke_fits_into_a_mode_message() {
    let edge = PanelPoint::MAX_PIXELS * PanelPoint::PER_PIXEL;
    let point = StrokePoint {
        at: PanelPoint { x: -edge, y: edge },
        pressure: Pressure::FULL,
    };
    let stroke = |points| {
        Annotation::Stroke(Stroke {
            id: StrokeId(u32::MAX),
            color: Color::rgb(255, 255, 255),
            width: StrokeWidth::new(32).expect("width"),
            points: vec![point; points],
            done: true,
        })
    };
    let bytes = postcard::to_allocvec(&stroke(MAX_POINTS)).expect("encodes");
    assert!(bytes.len() <= MAX_PEER_LEN, "{} bytes", bytes.len());
    assert_eq!(postcard::from_bytes(&bytes), Ok(stroke(MAX_POINTS)));
    let bytes = postcard::to_allocvec(&stroke(MAX_POINTS + 1)).expect("encodes");
    assert!(postcard::from_bytes::<Annotation>(&bytes).is_err());
}
