use alongside_mode::Side;
use alongside_panel::{Frame as Picture, message::MAX_MESSAGE};
use alongside_protocol::{
    PanelSize,
    frame::Channel,
    reason::{EndReason, Party},
    units::{Millis, PanelRect},
};
use alongside_session::{device, operator::OperatorAction};

use crate::{
    modes::most_in,
    pair::{Pair, Wire, millis, secs, size},
    proof::device_end,
};

#[test]
fn the_operator_sees_exactly_the_panel() {
    let mut pair = Pair::active();
    for _ in 0..3 {
        pair.change_panel();
        pair.run_for(secs(20));
        assert_eq!(pair.operator.picture(), Some(&*pair.panel));
    }
}

#[test]
fn a_panel_at_rest_sends_nothing() {
    let mut pair = Pair::active();
    pair.change_panel();
    pair.run_for(secs(20));
    let before = pair.sizes(Side::Device, Channel::Panel).len();
    pair.run_for(secs(60));
    assert_eq!(pair.sizes(Side::Device, Channel::Panel).len(), before);
}

#[test]
fn a_panel_that_changes_all_over_thirty_times_a_second_stays_below_its_budget() {
    let mut pair = Pair::active();
    pair.flicker = Some(millis(33));
    pair.run_for(secs(60));
    let sent = pair.sizes(Side::Device, Channel::Panel);
    assert!(sent.iter().all(|(_, bytes)| *bytes <= MAX_MESSAGE));
    let most = most_in(secs(10), &sent);
    assert!(most < 475_000, "{most} bytes");
    assert!(
        most > 430_000,
        "{most} bytes: the budget is there to be used"
    );
}

#[test]
fn a_small_change_is_sent_at_most_thirty_times_a_second() {
    let mut pair = Pair::active();
    pair.run_for(secs(1));
    // A line of the panel after the other: no tile changes often enough to be animated.
    let pixels = size().pixels();
    let sent = changes(&mut pair, |n| n as usize * 16 % pixels);
    assert!((20..=31).contains(&sent), "{sent} messages");
}

#[test]
fn an_animation_is_sent_ten_times_a_second() {
    let mut pair = Pair::active();
    pair.run_for(secs(1));
    changes(&mut pair, |_| 0);
    let sent = changes(&mut pair, |_| 0);
    assert!((8..=12).contains(&sent), "{sent} messages");
    pair.run_for(secs(1));
    assert_eq!(
        pair.operator.picture(),
        Some(&*pair.panel),
        "its last picture"
    );
}

/// Changes a pixel every millisecond for a second; counts the messages.
fn changes(pair: &mut Pair, at: impl Fn(u32) -> usize) -> usize {
    let before = pair.sizes(Side::Device, Channel::Panel).len();
    let mut picture = Picture::black(size());
    for n in 0..1_000 {
        picture.pixels_mut()[at(n)] = n + 1;
        pair.show(picture.clone());
        pair.run_for(millis(1));
    }
    pair.sizes(Side::Device, Channel::Panel).len() - before
}

#[test]
fn what_the_operator_wants_exactly_is_asked_of_the_device() {
    let mut pair = Pair::active();
    pair.change_panel();
    pair.run_for(secs(5));
    let part = |width| PanelRect {
        x: 0,
        y: 0,
        width,
        height: 16,
    };
    let before = pair.sizes(Side::Operator, Channel::Panel).len();
    pair.ask(OperatorAction::Exact(part(0)));
    assert_eq!(
        pair.sizes(Side::Operator, Channel::Panel).len(),
        before,
        "an empty part"
    );
    pair.ask(OperatorAction::Exact(part(16)));
    assert_eq!(pair.sizes(Side::Operator, Channel::Panel).len(), before + 1);
    pair.run_for(secs(1));
    assert_eq!(pair.operator.picture(), Some(&*pair.panel));
}

#[test]
fn without_acknowledgements_no_more_than_a_second_s_worth_is_under_way() {
    let mut pair = Pair::active();
    pair.wire = Wire::Cut;
    pair.flicker = Some(millis(33));
    pair.run_for(secs(30));
    let bytes: usize = pair
        .sizes(Side::Device, Channel::Panel)
        .iter()
        .map(|(_, bytes)| bytes)
        .sum();
    assert!(bytes <= 45_000 + MAX_MESSAGE + 100, "{bytes} bytes");
}

#[test]
fn without_room_on_the_stream_nothing_is_sent() {
    let mut pair = Pair::active();
    pair.device(device::Input::Room {
        channel: Channel::Panel,
        bytes: 0,
    });
    pair.run_for(secs(1));
    let before = pair.sizes(Side::Device, Channel::Panel).len();
    pair.flicker = Some(millis(33));
    pair.run_for(secs(5));
    assert!(pair.sizes(Side::Device, Channel::Panel).len() <= before + 1);
    pair.flicker = None;
    pair.device(device::Input::Room {
        channel: Channel::Panel,
        bytes: usize::MAX,
    });
    pair.run_for(secs(30));
    assert_eq!(pair.operator.picture(), Some(&*pair.panel));
}

#[test]
fn a_picture_of_another_size_is_a_failed_panel() {
    let mut pair = Pair::active();
    let frame = std::sync::Arc::new(Picture::black(PanelSize::new(8, 8).unwrap()));
    pair.device(device::Input::Frame {
        masked: Vec::new(),
        frame,
        captured_at: Millis::new(0),
    });
    assert_eq!(
        device_end(&pair),
        Some((Party::Device, EndReason::PanelFailed))
    );
}
