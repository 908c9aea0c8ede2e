//! Who may go on, and who may not.

use alongside_protocol::PublicKey;

use super::*;

const SESSION: SessionId = SessionId([9; 16]);

fn secret() -> Secret {
    Secret(Zeroizing::new([7; 32]))
}

/// Both sides at the same epoch.
fn pair() -> (Ratchet, Ratchet) {
    (
        Ratchet::new(SESSION, secret()),
        Ratchet::new(SESSION, secret()),
    )
}

/// Connection number `n`, as either side sees it.
fn connection(n: u8) -> Binding {
    Binding {
        exporter: [n; 48],
        local: PublicKey([1; 32]),
        peer: PublicKey([2; 32]),
    }
}

fn entropy(n: u8) -> Entropy {
    Entropy::new([n; 32])
}

fn ask_of(proof: &Proof) -> Ask {
    let Proof::ResumeA {
        session,
        epoch,
        nonce,
        tag,
    } = *proof
    else {
        panic!("{proof:?}")
    };
    Ask {
        session,
        epoch,
        nonce,
        tag,
    }
}

fn answer_of(proof: &Proof) -> ([u8; 16], [u8; 32]) {
    let Proof::ResumeB { nonce, tag } = *proof else {
        panic!("{proof:?}")
    };
    (nonce, tag)
}

/// Goes on over connection `n`.
fn go_on(operator: &mut Ratchet, device: &mut Ratchet, n: u8) {
    let (asked, ask) = operator.ask(&connection(n), &entropy(n));
    let answer = device.answer(&connection(n), &entropy(n + 100), ask_of(&ask));
    let (nonce, tag) = answer_of(&answer.expect("the same secret"));
    operator.check(&asked, nonce, tag).expect("the same secret");
    device.confirm();
    assert_eq!(operator.now.epoch, device.now.epoch);
    assert!(operator.now.secret.0 == device.now.secret.0);
}

#[test]
fn a_session_goes_on_as_often_as_it_must_with_another_secret_each_time() {
    let (mut operator, mut device) = pair();
    let mut seen = vec![operator.now.secret.0.clone()];
    for n in 1..20 {
        go_on(&mut operator, &mut device, n);
        assert!(!seen.contains(&operator.now.secret.0));
        seen.push(operator.now.secret.0.clone());
    }
}

#[test]
fn an_answer_that_was_lost_can_be_had_again_over_another_connection() {
    let (mut operator, mut device) = pair();
    go_on(&mut operator, &mut device, 1);
    for n in 2..6 {
        let (_lost, ask) = operator.ask(&connection(n), &entropy(n));
        let answer = device.answer(&connection(n), &entropy(50 + n), ask_of(&ask));
        assert!(answer.is_ok(), "connection {n}");
    }
    go_on(&mut operator, &mut device, 6);
}

#[test]
fn a_stale_copy_of_the_secret_is_worth_nothing() {
    let (mut operator, mut device) = pair();
    let stolen = Ratchet::new(SESSION, secret());
    for n in 1..4 {
        go_on(&mut operator, &mut device, n);
        let (_, ask) = stolen.ask(&connection(90 + n), &entropy(90));
        assert!(
            device
                .answer(&connection(90 + n), &entropy(91), ask_of(&ask))
                .is_err(),
            "after {n}"
        );
    }
    // The attempts have cost nobody anything.
    go_on(&mut operator, &mut device, 4);
}

#[test]
fn a_copy_is_worth_nothing_either_once_the_answer_was_confirmed_and_before_it_was() {
    let (mut operator, mut device) = pair();
    go_on(&mut operator, &mut device, 1);
    let stolen = Ratchet {
        session: SESSION,
        now: Step {
            epoch: operator.now.epoch,
            secret: Secret(operator.now.secret.0.clone()),
        },
        before: None,
    };
    go_on(&mut operator, &mut device, 2);
    let (_, ask) = stolen.ask(&connection(3), &entropy(3));
    assert!(
        device
            .answer(&connection(3), &entropy(4), ask_of(&ask))
            .is_err()
    );
}

#[test]
fn a_man_in_the_middle_of_two_connections_gets_through_neither_way() {
    let (mut operator, mut device) = pair();
    // The operator is connected to the thief, and the thief to the device, each with the right key.
    let (asked, ask) = operator.ask(&connection(1), &entropy(1));
    assert!(
        device
            .answer(&connection(2), &entropy(2), ask_of(&ask))
            .is_err()
    );
    // What the device says to somebody else is no answer either.
    let (_, own) = operator.ask(&connection(2), &entropy(3));
    let answer = device.answer(&connection(2), &entropy(4), ask_of(&own));
    let (nonce, tag) = answer_of(&answer.expect("the operator's own"));
    assert!(operator.check(&asked, nonce, tag).is_err());
    go_on(&mut operator, &mut device, 3);
}

#[test]
fn nothing_can_be_played_again_reflected_or_changed() {
    let (mut operator, mut device) = pair();
    let (asked, ask) = operator.ask(&connection(1), &entropy(1));
    let ask = ask_of(&ask);
    let answer = device.answer(&connection(1), &entropy(2), ask).expect("it");
    let (nonce, tag) = answer_of(&answer);
    operator.check(&asked, nonce, tag).expect("it");
    device.confirm();
    for n in [1, 2] {
        assert!(device.answer(&connection(n), &entropy(3), ask).is_err());
    }
    assert!(operator.check(&asked, nonce, tag).is_err(), "used up");

    let (asked, fresh) = operator.ask(&connection(5), &entropy(5));
    let fresh = ask_of(&fresh);
    assert!(
        operator.check(&asked, fresh.nonce, fresh.tag).is_err(),
        "reflected"
    );
    for bit in 0..8 * 52 {
        let mut changed = fresh;
        match bit / 8 {
            byte @ 0..16 => changed.session.0[byte] ^= 1 << (bit % 8),
            byte @ 16..20 => changed.epoch ^= 1 << ((byte - 16) * 8 + bit % 8),
            byte @ 20..36 => changed.nonce[byte - 20] ^= 1 << (bit % 8),
            byte => changed.tag[byte - 36] ^= 1 << (bit % 8),
        }
        assert!(
            device.answer(&connection(5), &entropy(6), changed).is_err(),
            "bit {bit}"
        );
    }
    go_on(&mut operator, &mut device, 7);
}
