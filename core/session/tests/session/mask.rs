//! `t_adminid_mask`: what reaches the operator while an ID is typed is the same whatever the digits are.

use std::time::Duration;

use alongside_mode::Side;
use alongside_panel::Frame as Picture;
use alongside_protocol::{frame::Channel, ids::ModeId, units::PanelRect};
use alongside_session::device::{AdminVerdict, CustomerAction};

use crate::pair::{Pair, millis, secs};

/// The dialog, with its pad.
const DIALOG: PanelRect = PanelRect {
    x: 60,
    y: 40,
    width: 200,
    height: 160,
};

/// The panel with the dialog on it, in which the key of `pressed` is down and `typed` digits stand.
fn dialog(below: &Picture, pressed: Option<u8>, typed: &[u8]) -> Picture {
    let mut picture = below.clone();
    let stride = usize::from(picture.size().width());
    let mut fill = |x: usize, y: usize, side: usize, color: u32| {
        let pixels = picture.pixels_mut();
        for row in y..y + side {
            pixels[row * stride + x..row * stride + x + side].fill(color);
        }
    };
    for key in 0..10_u8 {
        let (column, row) = (usize::from(key % 5), usize::from(key / 5));
        let color = if pressed == Some(key) {
            0x00ff_0000
        } else {
            0x0000_4000
        };
        fill(70 + column * 36, 100 + row * 40, 30, color);
    }
    // Worse than any panel does: the digits themselves.
    for (place, digit) in typed.iter().enumerate() {
        fill(70 + place * 20, 50, 16, u32::from(*digit) * 0x0019_1919);
    }
    picture
}

/// Everything that is sent to the operator from the dialog's opening until control begins: when, where, what.
fn trace(id: &str, verdict: AdminVerdict) -> Vec<(Duration, Channel, Vec<u8>)> {
    let mut pair = Pair::active();
    pair.change_panel();
    pair.run_for(secs(10));
    let below = (*pair.panel).clone();
    pair.ask_mode(ModeId::OPERATOR_CONTROL);
    pair.run_for(millis(100));
    let (opened, from) = (pair.now, pair.sent.len());
    pair.masked = vec![DIALOG];
    pair.show(dialog(&below, None, &[]));
    pair.run_for(secs(1));
    let mut typed = Vec::new();
    for digit in id.bytes().map(|digit| digit - b'0') {
        // Down for 80 ms, then the digit stands; the operator asks for what is there meanwhile.
        pair.customer(CustomerAction::DialogKey);
        pair.show(dialog(&below, Some(digit), &typed));
        pair.run_for(millis(80));
        typed.push(digit);
        pair.show(dialog(&below, None, &typed));
        pair.ask(alongside_session::operator::OperatorAction::Exact(DIALOG));
        pair.run_for(millis(220));
    }
    pair.verdict(verdict);
    if verdict == AdminVerdict::Ok {
        pair.allow();
    }
    pair.run_for(secs(2));
    let seen = pair.operator.picture().expect("a picture");
    let stride = usize::from(seen.size().width());
    for (at, pixel) in seen.pixels().iter().enumerate() {
        let (x, y) = (at % stride, at / stride);
        if (60..260).contains(&x) && (40..200).contains(&y) {
            assert_eq!(*pixel, 0x0080_8080, "at {x}, {y}");
        }
    }
    let sent = pair.sent.split_off(from);
    sent.into_iter()
        .filter(|sent| sent.by == Side::Device)
        .map(|sent| (sent.at - opened, sent.outbound.channel, sent.outbound.bytes))
        .collect()
}

#[test]
fn t_adminid_mask_no_byte_and_no_time_of_what_the_operator_gets_depends_on_the_digits() {
    let wait = secs(30);
    let wrong = AdminVerdict::Wrong {
        tries_left: 2,
        wait,
    };
    for verdict in [AdminVerdict::Ok, wrong] {
        let first = trace("40721986", verdict);
        assert!(!first.is_empty());
        for id in ["00000000", "11111111", "98765432", "40721987"] {
            assert!(trace(id, verdict) == first, "{id}");
        }
    }
}
