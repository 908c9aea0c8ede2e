use alongside_protocol::{Nameplate, code::CodeSecret};

use super::*;

const OPERATOR_KEY: PublicKey = PublicKey([0xa1; 32]);
const DEVICE_KEY: PublicKey = PublicKey([0xb2; 32]);

/// One end-to-end connection: what both ends export, and the keys they show.
fn connection(exporter: u8, operator: PublicKey, device: PublicKey) -> (Binding, Binding) {
    let exporter = [exporter; 48];
    (
        Binding {
            exporter,
            local: operator,
            peer: device,
        },
        Binding {
            exporter,
            local: device,
            peer: operator,
        },
    )
}

fn code(nameplate: u32, seed: u8) -> AccessCode {
    let nameplate = Nameplate::new(nameplate).expect("below 100,000");
    AccessCode::new(
        nameplate,
        CodeSecret::draw(&[seed; 48]).expect("enough bytes"),
    )
}

fn entropy(seed: u8) -> Entropy {
    Entropy::new([seed; 32])
}

/// Runs the proof, with `tamper` between the two; what each side concludes.
fn run(
    operator: (&Binding, &AccessCode),
    device: (&Binding, &AccessCode),
    mut tamper: impl FnMut(&mut Vec<u8>),
) -> (Result<(), NotProved>, Result<(), NotProved>) {
    let mut wire = |proof: &Proof| {
        let mut bytes = proof.to_frame();
        tamper(&mut bytes);
        decode(&bytes)
    };
    let (a_side, a) = OperatorProof::begin(operator.0, operator.1, &entropy(1));
    let Some(Proof::A {
        share,
        version: PROOF_VERSION,
        method: METHOD_CODE,
    }) = wire(&a)
    else {
        return (Err(NotProved), Err(NotProved));
    };
    let Ok((b_side, b)) = DeviceProof::answer(device.0, device.1, &entropy(2), share) else {
        return (Err(NotProved), Err(NotProved));
    };
    let Some(Proof::B { share, tag }) = wire(&b) else {
        return (Err(NotProved), Err(NotProved));
    };
    let c = match a_side.check(share, tag) {
        Ok((Proved(_), c)) => c,
        Err(NotProved) => return (Err(NotProved), Err(NotProved)),
    };
    let Some(Proof::C { tag }) = wire(&c) else {
        return (Ok(()), Err(NotProved));
    };
    (Ok(()), b_side.check(tag).map(|Proved(_)| ()))
}

fn decode(frame: &[u8]) -> Option<Proof> {
    let mut reader = alongside_protocol::frame::FrameReader::new(64);
    reader.push(frame);
    let frame = reader.next_frame().ok()??;
    Proof::from_frame(frame.kind, &frame.body).ok()
}

const BOTH: (Result<(), NotProved>, Result<(), NotProved>) = (Ok(()), Ok(()));
const NEITHER: (Result<(), NotProved>, Result<(), NotProved>) = (Err(NotProved), Err(NotProved));

#[test]
fn two_sides_with_the_same_code_on_one_connection_prove_it() {
    let (operator, device) = connection(7, OPERATOR_KEY, DEVICE_KEY);
    assert_eq!(
        run((&operator, &code(81, 1)), (&device, &code(81, 1)), |_| ()),
        BOTH
    );
}

#[test]
fn another_secret_or_another_nameplate_proves_nothing() {
    let (operator, device) = connection(7, OPERATOR_KEY, DEVICE_KEY);
    assert_eq!(
        run((&operator, &code(81, 1)), (&device, &code(81, 2)), |_| ()),
        NEITHER
    );
    assert_eq!(
        run((&operator, &code(81, 1)), (&device, &code(82, 1)), |_| ()),
        NEITHER
    );
}

#[test]
fn someone_who_terminates_both_sides_and_passes_the_proof_on_is_refused() {
    let middle = PublicKey([0xee; 32]);
    let (operator, _) = connection(7, OPERATOR_KEY, middle);
    let (_, device) = connection(8, middle, DEVICE_KEY);
    assert_eq!(
        run((&operator, &code(81, 1)), (&device, &code(81, 1)), |_| ()),
        NEITHER
    );
}

#[test]
fn even_with_both_stolen_keys_the_exporter_alone_refuses_the_one_in_the_middle() {
    let (operator, _) = connection(7, OPERATOR_KEY, DEVICE_KEY);
    let (_, device) = connection(8, OPERATOR_KEY, DEVICE_KEY);
    assert_eq!(
        run((&operator, &code(81, 1)), (&device, &code(81, 1)), |_| ()),
        NEITHER
    );
}

#[test]
fn either_key_alone_refuses_on_an_equal_exporter() {
    let other = PublicKey([0xee; 32]);
    let (operator, _) = connection(7, OPERATOR_KEY, DEVICE_KEY);
    for device in [
        connection(7, other, DEVICE_KEY).1,
        connection(7, OPERATOR_KEY, other).1,
    ] {
        assert_eq!(
            run((&operator, &code(81, 1)), (&device, &code(81, 1)), |_| ()),
            NEITHER
        );
    }
}

#[test]
fn every_flipped_bit_of_the_three_frames_is_refused() {
    let (operator, device) = connection(7, OPERATOR_KEY, DEVICE_KEY);
    let lengths = [4 + 34, 4 + 64, 4 + 32];
    let mut tried = 0;
    for (frame, length) in lengths.into_iter().enumerate() {
        for bit in 0..length * 8 {
            let mut seen = 0;
            let outcome = run(
                (&operator, &code(81, 1)),
                (&device, &code(81, 1)),
                |bytes| {
                    if seen == frame {
                        assert_eq!(bytes.len(), length);
                        bytes[bit / 8] ^= 1 << (bit % 8);
                    }
                    seen += 1;
                },
            );
            assert_eq!(
                outcome.1,
                Err(NotProved),
                "frame {frame} bit {bit}: the device let it pass"
            );
            assert!(
                frame == 2 || outcome.0.is_err(),
                "frame {frame} bit {bit}: the operator let it pass"
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 8 * (38 + 68 + 36));
}

#[test]
fn a_reflected_share_and_tag_prove_nothing() {
    let (operator, device) = connection(7, OPERATOR_KEY, DEVICE_KEY);
    // The operator's own share comes back, with the tag that the device's half makes of it.
    let (side, a) = OperatorProof::begin(&operator, &code(81, 1), &entropy(1));
    let Proof::A { share, .. } = a else {
        panic!("A comes first")
    };
    assert!(side.check(share, [0; 32]).is_err());
    // The device's own tag comes back to it.
    let (_, a) = OperatorProof::begin(&operator, &code(81, 1), &entropy(1));
    let Proof::A { share, .. } = a else {
        panic!("A comes first")
    };
    let (side, b) =
        DeviceProof::answer(&device, &code(81, 1), &entropy(2), share).expect("an honest share");
    let Proof::B { tag, .. } = b else {
        panic!("B answers A")
    };
    assert!(side.check(tag).is_err());
}

#[test]
fn two_operators_cannot_be_played_against_each_other() {
    // A device that answers as an operator would: same code, same exporter, both as initiators.
    let (operator, device) = connection(7, OPERATOR_KEY, DEVICE_KEY);
    let (first, _) = OperatorProof::begin(&operator, &code(81, 1), &entropy(1));
    let (_, a) = OperatorProof::begin(&device, &code(81, 1), &entropy(3));
    let Proof::A { share, .. } = a else {
        panic!("A comes first")
    };
    assert!(first.check(share, [0; 32]).is_err());
}

#[test]
fn a_neutral_or_invalid_share_is_refused_before_any_tag_is_made() {
    let (_, device) = connection(7, OPERATOR_KEY, DEVICE_KEY);
    for share in [[0; 32], [0xff; 32]] {
        assert!(DeviceProof::answer(&device, &code(81, 1), &entropy(2), share).is_err());
    }
}

/// The three frames of one run, computed by a second implementation: Python's integers, after RFC 9496, RFC 5869 and
/// the draft's text.
#[test]
fn an_independent_implementation_sends_the_same_three_frames() {
    let mut exporter = [0; 48];
    exporter.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
    let operator = Binding {
        exporter,
        local: OPERATOR_KEY,
        peer: DEVICE_KEY,
    };
    let device = Binding {
        exporter,
        local: DEVICE_KEY,
        peer: OPERATOR_KEY,
    };
    let code = AccessCode::parse("0008 1123 4564").expect("a code");
    let mut frames = Vec::new();
    let outcome = run((&operator, &code), (&device, &code), |frame| {
        frames.push(
            frame
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        );
    });
    assert_eq!(outcome, BOTH);
    assert_eq!(
        frames,
        [
            "000022010101300673f6bac7d7845f1c655c662c5c21d1eb0959e57fcd7a5aac9ba1ceda2253",
            "00004002b2ba675ff3e03681babe152526552c2e1ddfe5286323703d99e03ca17f4af4444f0aff741038772f34e86b1c223f575aebe628fdfd2bf1bc405cf34c117352d0",
            "0000200367a2039daf8014267e6850b7904cad0dad562657cdddbd3476dccc8369f565b1",
        ]
    );
}
