use super::*;

/// Inputs of the draft's appendix B.3.
const PASSWORD: &[u8] = b"Password";
const CI: &[u8] = b"\nAinitiator\nBresponder";
const SID: &str = "7e4b4791d6a8ef019b936c79fb7f2c57";

fn hex<const N: usize>(text: &str) -> [u8; N] {
    alongside_protocol::ids::hex_to_bytes(text).expect("hexadecimal digits of the right length")
}

fn scalar(text: &str) -> Scalar {
    Scalar::from_canonical_bytes(hex(text)).expect("a canonical scalar")
}

fn initiator() -> Pake {
    let scalar = scalar("da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08");
    Pake::with_scalar(Turn::Initiator, PASSWORD, CI, hex(SID), scalar)
}

fn responder() -> Pake {
    let scalar = scalar("d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d");
    Pake::with_scalar(Turn::Responder, PASSWORD, CI, hex(SID), scalar)
}

#[test]
fn the_draft_s_generator_comes_out() {
    let sid: [u8; 16] = hex(SID);
    let expected: [u8; 32] =
        hex("5e25411ca1ad7c9debfd0b33ad987a95cefef2d3f15dcc8bd26415a5dfe2e15a");
    assert_eq!(
        generator(PASSWORD, CI, &sid).compress().to_bytes(),
        expected
    );
}

#[test]
fn the_draft_s_shares_and_key_come_out() {
    let (a, b) = (initiator(), responder());
    let (share_a, share_b) = (a.share(), b.share());
    assert_eq!(
        share_a,
        hex("383a85dd236978f17f8c8545b50dabc52a39fcdab2cf8bc531ce040ff77ca82d")
    );
    assert_eq!(
        share_b,
        hex("a6206309c0e8e5f579295e35997ac4300ab3fecec3c17f7b604f3e698fa1383c")
    );
    let key: [u8; 64] = hex(
        "e91ccb2c0f5e0d0993a33956e3be59754f3f2b07db57631f5394452ea2e7b4354674eb1f5686c078462bf83bec72e8743df440108e638f3526d9b90e85be096f",
    );
    assert_eq!(
        *a.finish(&share_b, b"ADa", b"ADb").expect("an honest share"),
        key
    );
    assert_eq!(
        *b.finish(&share_a, b"ADa", b"ADb").expect("an honest share"),
        key
    );
}

#[test]
fn an_invalid_or_neutral_share_aborts() {
    for bad in [
        "2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c",
        "0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        assert_eq!(
            initiator().finish(&hex(bad), b"", b"").err(),
            Some(BadShare)
        );
        assert_eq!(
            responder().finish(&hex(bad), b"", b"").err(),
            Some(BadShare)
        );
    }
}

#[test]
fn another_password_channel_session_or_word_gives_another_key() {
    let sid = hex(SID);
    let run = |password: &[u8], ci: &[u8], sid, word: &[u8]| {
        let a = Pake::start(Turn::Initiator, PASSWORD, CI, hex(SID), &[1; 64]);
        let b = Pake::start(Turn::Responder, password, ci, sid, &[2; 64]);
        let (share_a, share_b) = (a.share(), b.share());
        let key_a = a.finish(&share_b, b"operator", b"device").expect("a point");
        let key_b = b.finish(&share_a, word, b"device").expect("a point");
        key_a == key_b
    };
    assert!(run(PASSWORD, CI, sid, b"operator"));
    assert!(!run(b"password", CI, sid, b"operator"));
    assert!(!run(PASSWORD, b"", sid, b"operator"));
    assert!(!run(PASSWORD, CI, [0; 16], b"operator"));
    assert!(!run(PASSWORD, CI, sid, b"device"));
}
