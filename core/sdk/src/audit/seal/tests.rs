//! What an operator countersigns and what not.

use super::*;
use crate::audit::GENESIS;

const SESSION: SessionId = SessionId([0x5e; 16]);

struct Pair {
    device: Identity,
    operator: Identity,
    countersigner: Countersigner,
}

impl Pair {
    fn new() -> Self {
        let device = Identity::generate().expect("a key");
        let mut countersigner = Countersigner::new(device.public_key());
        countersigner.begin(SESSION);
        Self {
            device,
            operator: Identity::generate().expect("a key"),
            countersigner,
        }
    }

    fn seal(&self, index: u64, record: &str) -> Seal {
        let line = format!(
            "{{\"i\":{index},\"t\":7,\"session\":\"{SESSION}\",\"record\":\"{record}\",\"mode\":\"user-guide\""
        );
        self.seal_line(index, &line)
    }

    fn seal_line(&self, index: u64, line: &str) -> Seal {
        let operator = self.operator.public_key();
        seal(&self.device, operator, index, GENESIS, line.as_bytes())
    }

    fn sign(&mut self, seal: &Seal) -> Result<Fit, Unfit> {
        self.countersigner.sign(&self.operator, seal)
    }

    fn unfit(&mut self, seal: &Seal) -> Unfit {
        self.sign(seal).expect_err("not countersigned")
    }
}

#[test]
fn a_grant_and_the_end_are_countersigned_and_the_device_takes_each_signature_once() {
    let mut pair = Pair::new();
    let keys = (pair.device.public_key(), pair.operator.public_key());
    let mut unsigned = Unsigned::new(keys.0, keys.1);
    for (index, record) in [(4, "mode-activated"), (9, "session-ended")] {
        let seal = pair.seal(index, record);
        unsigned.add(seal.clone());
        let Fit { signed, is_known } = pair.sign(&seal).expect("countersigned");
        assert!(!is_known);
        let again = pair.sign(&seal).expect("countersigned again");
        assert!(again.is_known);
        let mut other = signed;
        other.index += 1;
        assert!(!unsigned.take(&other));
        assert!(unsigned.take(&signed));
        assert!(!unsigned.take(&signed));
    }
    assert!(unsigned.waiting().is_empty());
    assert!(!pair.countersigner.waits_for_end());
}

#[test]
fn a_signature_with_any_bit_changed_is_not_taken() {
    let mut pair = Pair::new();
    let seal = pair.seal(4, "mode-activated");
    let mut unsigned = Unsigned::new(pair.device.public_key(), pair.operator.public_key());
    unsigned.add(seal.clone());
    let signed = pair.sign(&seal).expect("countersigned").signed;
    for bit in 0..512 {
        let mut bytes = signed.signature.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let signature = Signature::from_bytes(bytes);
        let index = signed.index;
        assert!(
            !unsigned.take(&Countersigned { index, signature }),
            "bit {bit}"
        );
    }
}

#[test]
fn what_the_device_has_not_signed_or_is_no_grant_of_this_session_is_not_countersigned() {
    let mut pair = Pair::new();
    let good = pair.seal(4, "mode-activated");
    for change in 0..3 {
        let mut changed = good.clone();
        match change {
            0 => changed.index += 1,
            1 => changed.previous[0] ^= 1,
            _ => changed.line = b"{\"i\":4,\"t\":8,".to_vec().into(),
        }
        assert_eq!(pair.unfit(&changed), Unfit::Signature, "{change}");
    }
    for record in ["input", "mode-asked", "checkpoint", "countersigned"] {
        let seal = pair.seal(4, record);
        assert_eq!(pair.unfit(&seal), Unfit::Stranger, "{record}");
    }
    let another = SessionId([0x5f; 16]);
    for line in [
        "{\"i\":5,\"t\":7,\"record\":\"session-ended\"".to_owned(),
        format!("{{\"i\":6,\"t\":7,\"session\":\"{SESSION}\",\"record\":\"session-ended\""),
        format!("{{\"i\":5,\"t\":7,\"session\":\"{another}\",\"record\":\"session-ended\""),
        "no line".to_owned(),
        String::new(),
    ] {
        let seal = pair.seal_line(5, &line);
        assert_eq!(pair.unfit(&seal), Unfit::Stranger, "{line}");
    }
}

#[test]
fn a_mode_that_was_not_asked_for_is_not_countersigned_and_nothing_after_the_end() {
    let mut pair = Pair::new();
    let given = |record: &str, rest: &str| {
        format!("{{\"i\":5,\"t\":7,\"session\":\"{SESSION}\",\"record\":\"{record}\"{rest}")
    };
    let lines = [
        given("mode-activated", ",\"mode\":\"operator-control\""),
        given("mode-allowed", ""),
        given("settings-allowed", ""),
    ];
    for line in &lines {
        let seal = pair.seal_line(5, line);
        assert_eq!(pair.unfit(&seal), Unfit::Unasked, "{line}");
    }
    for mode in [ModeId::OPERATOR_CONTROL, ModeId::ENGINEER_CONFIG] {
        let mode = ModeId::new(mode).expect("a mode");
        pair.countersigner.want(&mode);
    }
    let seal = pair.seal_line(5, &lines[0]);
    pair.sign(&seal).expect("countersigned");
    let end = pair.seal(6, "session-ended");
    pair.sign(&end).expect("countersigned");
    let late = pair.seal(7, "mode-activated");
    assert_eq!(pair.unfit(&late), Unfit::Before);
}

#[test]
fn a_device_that_tells_another_history_gets_no_signature_for_it() {
    let mut pair = Pair::new();
    let first = pair.seal(9, "mode-activated");
    pair.sign(&first).expect("countersigned");
    let other = pair.seal(9, "mode-allowed");
    assert_eq!(pair.unfit(&other), Unfit::Other);
    let earlier = pair.seal(8, "mode-allowed");
    assert_eq!(pair.unfit(&earlier), Unfit::Before);
}

#[test]
fn a_device_cannot_fill_the_operators_disk_with_records() {
    let mut pair = Pair::new();
    for index in 0..1_000 {
        let seal = pair.seal(index, "mode-activated");
        pair.sign(&seal).expect("countersigned");
    }
    let one_more = pair.seal(1_000, "mode-activated");
    assert_eq!(pair.unfit(&one_more), Unfit::Many);
}

#[test]
fn an_operator_that_signs_nothing_does_not_fill_the_devices_memory() {
    let pair = Pair::new();
    let keys = (pair.device.public_key(), pair.operator.public_key());
    let mut unsigned = Unsigned::new(keys.0, keys.1);
    for index in 0..2 * WITHHELD as u64 {
        unsigned.add(pair.seal(index, "settings-allowed"));
    }
    assert_eq!(unsigned.waiting().len(), WITHHELD);
}
