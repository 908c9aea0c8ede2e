use alongside::{
    ports::Customer,
    protocol::{
        input::{Buttons, KeyEvent, PointerEvent},
        reason::{EndReason, Party},
        units::{PanelRect, Pressure},
    },
    status::CodeRefusal,
};

use super::{
    gallery::{self, active, code, confirmed, press, tap, unverified},
    *,
};
use crate::text::Locale;

mod layer;
mod sources;

fn mfd() -> Mfd {
    Mfd::new(Text::new(Locale::English))
}

fn live() -> Mfd {
    let mut mfd = mfd();
    mfd.show(&Status::Active(active(confirmed())));
    mfd
}

fn ended() -> Status {
    Status::Ended {
        by: Party::Operator,
        reason: EndReason::OperatorEnded,
    }
}

fn key(name: &str) -> KeyName {
    KeyName::new(name).expect("a key")
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn enter(mfd: &mut Mfd, digits: &str) {
    tap(mfd, Target::Go(Place::Notice));
    tap(mfd, Target::Go(Place::Entry));
    digits.chars().for_each(|c| press(mfd, c));
}

#[test]
fn no_text_is_clipped_on_any_screen_in_any_language_at_any_size() {
    for locale in Locale::ALL {
        for scale in Scale::ALL {
            let flawed: Vec<_> = gallery::states(Text::new(locale), scale)
                .into_iter()
                .filter_map(|(name, mut mfd)| {
                    (!mfd.flaws().is_empty()).then(|| (name, mfd.flaws()))
                })
                .collect();
            assert!(flawed.is_empty(), "{locale:?}, {scale:?}: {flawed:#?}");
        }
    }
}

#[test]
fn larger_text_is_nowhere_smaller_and_most_of_it_larger_by_half() {
    for locale in Locale::ALL {
        let states = |scale| gallery::states(Text::new(locale), scale);
        let mut grown = Vec::new();
        for ((name, mut small), (_, mut large)) in
            states(Scale::Normal).into_iter().zip(states(Scale::Double))
        {
            small.refresh();
            large.refresh();
            let (small, large) = (small.sketch.text_sizes(), large.sketch.text_sizes());
            assert_eq!(small.len(), large.len(), "{name}");
            for (small, large) in small.into_iter().zip(large) {
                assert!(large >= small, "{locale:?}, {name}: {large} for {small}");
                grown.push(large * 100 / small);
            }
        }
        grown.sort_unstable();
        let median = grown[grown.len() / 2];
        assert!(median >= 150, "{locale:?}: {median} %");
    }
}

#[test]
fn every_touch_target_is_large_enough_and_on_the_screen_and_apart_from_the_others() {
    let screen = Rect::new(0, 0, 1024, 600);
    for (name, mut mfd) in gallery::states(Text::default(), Scale::Normal) {
        mfd.refresh();
        for (n, spot) in mfd.spots.iter().enumerate() {
            let Spot { rect, target, .. } = *spot;
            assert!(
                rect.w >= theme::TOUCH && rect.h >= theme::TOUCH,
                "{name}: {target:?} is {rect:?}"
            );
            assert_eq!(rect.intersection(screen), Some(rect), "{name}: {target:?}");
            let crossed = mfd
                .spots
                .iter()
                .skip(n + 1)
                .find(|other| other.rect.intersection(rect).is_some());
            assert_eq!(crossed, None, "{name}: {target:?}");
        }
    }
}

#[test]
fn the_banner_stands_on_every_screen_and_nothing_is_drawn_over_it() {
    let banner = |mfd: &mut Mfd| -> Vec<u32> {
        mfd.render().pixels()[..1024 * banner::BANNER as usize].to_vec()
    };
    let wanted = banner(&mut live());
    for place in [
        Place::Copy,
        Place::Scan,
        Place::Address,
        Place::Jobs,
        Place::Settings,
        Place::Notice,
    ] {
        let mut mfd = live();
        tap(&mut mfd, Target::Go(place));
        assert!(banner(&mut mfd) == wanted, "{place:?}");
        assert!(mfd.find(Target::Exit).is_some(), "{place:?}");
    }
    for (name, mut mfd) in gallery::states(Text::default(), Scale::Normal) {
        if name.starts_with("live-") || name.starts_with("id") {
            assert!(mfd.find(Target::Exit).is_some(), "{name}");
            let intruder = mfd
                .spots
                .iter()
                .find(|spot| spot.target != Target::Exit && spot.rect.y < banner::BANNER);
            assert_eq!(intruder, None, "{name}");
        }
    }
}

#[test]
fn painting_only_what_differs_gives_the_same_picture() {
    let mut mfd = live();
    let steps: [&dyn Fn(&mut Mfd); 9] = [
        &|mfd| tap(mfd, Target::Go(Place::Copy)),
        &|mfd| press(mfd, '7'),
        &|mfd| tap(mfd, Target::Choose(Choice::ColourBlack)),
        &|mfd| tap(mfd, Target::Start),
        &|mfd| mfd.tick(secs(3)),
        &|mfd| mfd.key(&key("#"), KeyMotion::Down),
        &|mfd| mfd.tick(secs(5)),
        &|mfd| mfd.show(&Status::Active(active(unverified()))),
        &|mfd| mfd.show(&ended()),
    ];
    for (n, step) in steps.iter().enumerate() {
        mfd.render();
        step(&mut mfd);
        let patched = mfd.render();
        mfd.painted = None;
        mfd.frame = Arc::new(Frame::black(SIZE));
        assert!(patched == mfd.render(), "step {n}");
    }
}

#[test]
fn a_picture_is_only_painted_again_when_something_differs() {
    let mut mfd = mfd();
    let (first, version) = (mfd.render(), mfd.version());
    mfd.tick(secs(10));
    assert_eq!(mfd.version(), version);
    assert!(Arc::ptr_eq(&first, &mfd.render()));
}

#[test]
fn a_code_is_read_notice_first_and_goes_out_once() {
    let mut mfd = mfd();
    enter(&mut mfd, &code().reveal());
    assert!(
        mfd.take_actions().is_empty(),
        "nothing goes out before Connect"
    );
    tap(&mut mfd, Target::Connect);
    let actions = mfd.take_actions();
    assert!(matches!(&*actions, [CustomerAction::EnterCode(entered)] if *entered == code()));
    assert!(mfd.find(Target::Connect).is_none() && mfd.find(Target::CancelConnecting).is_some());
}

#[test]
fn the_start_key_connects_too_and_a_wrong_check_digit_costs_nothing() {
    let digits = code().reveal();
    let swapped = format!("{}{}{}", &digits[1..2], &digits[..1], &digits[2..]);
    let mut mfd = mfd();
    enter(&mut mfd, &swapped);
    mfd.key(&key("Start"), KeyMotion::Down);
    assert!(mfd.take_actions().is_empty());
    mfd.key(&key("Clear"), KeyMotion::Down);
    digits.chars().for_each(|c| press(&mut mfd, c));
    mfd.key(&key("Start"), KeyMotion::Down);
    assert!(matches!(
        &*mfd.take_actions(),
        [CustomerAction::EnterCode(_)]
    ));
}

#[test]
fn digits_of_a_code_do_not_outlive_their_screen() {
    let mut mfd = mfd();
    enter(&mut mfd, &code().reveal());
    tap(&mut mfd, Target::Go(Place::Notice));
    tap(&mut mfd, Target::Go(Place::Entry));
    assert!(mfd.assistance.entry.code().is_none());
}

#[test]
fn debug_shows_nothing_of_a_code_that_is_being_typed() {
    let mut mfd = mfd();
    enter(&mut mfd, &code().reveal());
    mfd.render();
    let shown = format!("{mfd:?} {:?}", HardKey::Digit(7));
    assert!(!shown.contains(|c: char| c.is_ascii_digit()), "{shown}");
}

#[test]
fn exit_is_told_and_cancel_before_a_session_is_the_same() {
    let mut mfd = live();
    tap(&mut mfd, Target::Exit);
    let actions = mfd.take_actions();
    assert!(
        matches!(actions.last(), Some(CustomerAction::Exit)),
        "{actions:?}"
    );
    mfd.show(&ended());
    tap(&mut mfd, Target::CloseEnded);
    mfd.show(&Status::Claiming);
    tap(&mut mfd, Target::CancelConnecting);
    assert!(matches!(&*mfd.take_actions(), [CustomerAction::Exit]));
}

#[test]
fn the_stop_key_is_told_whatever_the_panel_shows_and_only_once_while_it_repeats() {
    for (name, mut mfd) in gallery::states(Text::default(), Scale::Normal) {
        mfd.take_actions();
        mfd.key(&key("#"), KeyMotion::Up);
        mfd.take_actions();
        for _ in 0..3 {
            mfd.key(&key("#"), KeyMotion::Down);
        }
        mfd.key(&key("#"), KeyMotion::Up);
        let stop: Vec<_> = mfd
            .take_actions()
            .into_iter()
            .filter_map(|action| match action {
                CustomerAction::StopKey(motion) => Some(motion),
                CustomerAction::EnterCode(_)
                | CustomerAction::Exit
                | CustomerAction::Touched
                | CustomerAction::Elsewhere
                | CustomerAction::Allow(_)
                | CustomerAction::Refuse
                | CustomerAction::TakeBack
                | CustomerAction::CheckId(_)
                | CustomerAction::OpenSettings
                | CustomerAction::Test(_)
                | CustomerAction::ChangeId { .. } => None,
            })
            .collect();
        assert_eq!(stop, [KeyMotion::Down, KeyMotion::Up], "{name}");
    }
}

#[test]
fn the_stop_key_is_let_go_even_after_the_session_that_it_ended() {
    let mut mfd = live();
    mfd.key(&key("#"), KeyMotion::Down);
    mfd.show(&Status::Ended {
        by: Party::Customer,
        reason: EndReason::StopKey,
    });
    mfd.take_actions();
    mfd.key(&key("#"), KeyMotion::Up);
    assert!(matches!(
        &*mfd.take_actions(),
        [CustomerAction::StopKey(KeyMotion::Up)]
    ));
}

#[test]
fn every_touch_and_key_of_the_customer_is_told_during_a_session_and_none_before() {
    let mut quiet = mfd();
    tap(&mut quiet, Target::Go(Place::Copy));
    press(&mut quiet, '3');
    assert!(quiet.take_actions().is_empty());
    let mut mfd = live();
    mfd.touch(PanelPoint::from_pixels(512, 590), PointerPhase::Down);
    mfd.touch(PanelPoint::from_pixels(512, 590), PointerPhase::Up);
    press(&mut mfd, '3');
    assert!(matches!(
        &*mfd.take_actions(),
        [CustomerAction::Touched, CustomerAction::Touched]
    ));
}

#[test]
fn a_finger_that_leaves_its_button_does_nothing() {
    let mut mfd = live();
    let exit = mfd.find(Target::Exit).expect("EXIT");
    mfd.touch(exit, PointerPhase::Down);
    mfd.touch(PanelPoint::from_pixels(500, 400), PointerPhase::Move);
    mfd.touch(PanelPoint::from_pixels(500, 400), PointerPhase::Up);
    assert!(
        !mfd.take_actions()
            .iter()
            .any(|action| matches!(action, CustomerAction::Exit))
    );
}

#[test]
fn the_operators_hand_works_the_machine_and_nothing_that_speaks_for_the_customer() {
    let pointer = |at, phase| {
        Action::Pointer(PointerEvent {
            at,
            phase,
            buttons: Buttons::LEFT,
            pressure: Pressure::FULL,
        })
    };
    let hash = |motion| {
        Action::Key(KeyEvent {
            key: key("#"),
            motion,
        })
    };
    let mut mfd = live();
    let tap_as_operator = |mfd: &mut Mfd, target| {
        let at = mfd.find(target).expect("on the screen");
        mfd.inject(&pointer(at, PointerPhase::Down)) && mfd.inject(&pointer(at, PointerPhase::Up))
    };
    assert!(tap_as_operator(&mut mfd, Target::Go(Place::Copy)));
    assert!(mfd.find(Target::Start).is_some(), "the copy screen is up");
    tap_as_operator(&mut mfd, Target::Exit);
    mfd.inject(&hash(KeyMotion::Down));
    mfd.tick(secs(6));
    mfd.inject(&hash(KeyMotion::Up));
    assert!(mfd.take_actions().is_empty());

    let ask = Ask {
        mode: alongside::protocol::ids::ModeId::user_guide(),
        is_renewal: false,
        wants_admin_id: false,
        expires_in: secs(60),
        differences: None,
    };
    mfd.show(&Status::Active(alongside::status::Active {
        ask: Some(ask),
        ..active(confirmed())
    }));
    assert!(!tap_as_operator(&mut mfd, Target::Allow));
    assert!(mfd.take_actions().is_empty());
    mfd.show(&ended());
    assert!(
        !mfd.inject(&pointer(PanelPoint::from_pixels(5, 5), PointerPhase::Down)),
        "no session, no hand"
    );
}

#[test]
fn a_question_is_answered_by_its_two_buttons() {
    for (target, allows) in [(Target::Allow, true), (Target::Refuse, false)] {
        let mut mfd = live();
        let ask = Ask {
            mode: alongside::protocol::ids::ModeId::user_guide(),
            is_renewal: false,
            wants_admin_id: false,
            expires_in: secs(60),
            differences: None,
        };
        mfd.show(&Status::Active(alongside::status::Active {
            ask: Some(ask),
            ..active(confirmed())
        }));
        assert!(
            mfd.find(Target::Go(Place::Copy)).is_none(),
            "the screen below cannot be touched"
        );
        tap(&mut mfd, target);
        let told = mfd.take_actions();
        assert_eq!(
            told.iter()
                .any(|action| matches!(action, CustomerAction::Allow(None))),
            allows
        );
        assert_eq!(
            told.iter()
                .any(|action| matches!(action, CustomerAction::Refuse)),
            !allows
        );
    }
}

#[test]
fn the_panel_goes_home_after_a_minute_but_not_during_a_session_nor_while_held_awake() {
    let mut mfd = mfd();
    tap(&mut mfd, Target::Go(Place::Copy));
    mfd.tick(secs(59));
    assert_eq!(mfd.place, Place::Copy);
    mfd.tick(secs(60));
    assert_eq!(mfd.place, Place::Home);

    tap(&mut mfd, Target::Go(Place::Copy));
    mfd.show(&Status::Active(active(confirmed())));
    mfd.tick(secs(600));
    assert_eq!(mfd.place, Place::Copy);
    mfd.show(&ended());
    mfd.hold_awake(Awake::Hold);
    mfd.tick(secs(1200));
    assert_eq!(mfd.place, Place::Copy);
    mfd.hold_awake(Awake::Release);
    mfd.tick(secs(1261));
    assert_eq!(mfd.place, Place::Home);
}

#[test]
fn the_end_card_stays_until_it_is_touched_and_a_cancelled_attempt_has_none() {
    let mut mfd = live();
    mfd.show(&ended());
    mfd.show(&Status::Idle);
    mfd.tick(secs(1000));
    tap(&mut mfd, Target::CloseEnded);
    assert!(mfd.find(Target::CloseEnded).is_none());

    mfd.show(&Status::Claiming);
    mfd.show(&Status::Ended {
        by: Party::Customer,
        reason: EndReason::Exit,
    });
    assert!(mfd.find(Target::CloseEnded).is_none());
}

#[test]
fn a_locked_device_lets_a_code_be_typed_when_its_time_is_over() {
    let mut mfd = mfd();
    mfd.show(&Status::CodeRefused(CodeRefusal::EntryLocked {
        wait: secs(60),
    }));
    mfd.show(&Status::Idle);
    mfd.tick(secs(59));
    assert!(mfd.find(Target::TryAgain).is_none());
    mfd.tick(secs(60));
    tap(&mut mfd, Target::TryAgain);
    assert!(mfd.find(Target::Digit(1)).is_some());
}

#[test]
fn a_malformed_code_leads_back_to_the_keypad() {
    let mut mfd = mfd();
    let error = alongside::protocol::code::CodeError::CheckDigit;
    mfd.show(&Status::CodeRefused(CodeRefusal::Malformed(error)));
    assert!(mfd.find(Target::Digit(1)).is_some());
}

#[test]
fn a_job_shows_its_progress_as_time_passes() {
    let mut mfd = mfd();
    tap(&mut mfd, Target::Go(Place::Copy));
    press(&mut mfd, '4');
    mfd.key(&key("Start"), KeyMotion::Down);
    assert!(mfd.pace().is_some_and(|pace| pace <= MOVING));
    let before = mfd.render();
    mfd.tick(secs(3));
    assert!(before != mfd.render());
    mfd.key(&key("Stop"), KeyMotion::Down);
    assert!(mfd.find(Target::StopJob).is_none());
}

#[tokio::test]
async fn the_shell_counts_pictures_and_layers_and_hands_out_actions() {
    use alongside::{
        ports::{Customer as _, Panel as _},
        protocol::{annotation::Annotation, units::Color},
    };
    let panel = MfdPanel::new();
    let (pictures, layers) = (panel.changes(), panel.annotation_changes());
    let first = panel.capture().expect("a picture").frame;
    panel.show(&Status::Active(active(confirmed())));
    assert!(pictures.has_changed().expect("a panel"));
    assert!(first != panel.capture().expect("a picture").frame);

    panel.annotate(&Annotation::Pointer {
        at: PanelPoint::from_pixels(9, 9),
        color: Color::rgb(1, 2, 3),
    });
    assert!(layers.has_changed().expect("a panel"));
    assert!(panel.annotations().pointer.is_some());

    let exit = panel.find(Target::Exit).expect("EXIT");
    let other = panel.clone();
    let (first, second, third, ()) =
        tokio::join!(panel.action(), panel.action(), panel.action(), async move {
            other.touch(exit, PointerPhase::Down);
            other.touch(exit, PointerPhase::Up);
        });
    let exits = [first, second, third]
        .iter()
        .filter(|action| matches!(action, CustomerAction::Exit))
        .count();
    assert_eq!(exits, 1);

    panel.show(&ended());
    assert_eq!(panel.annotations(), crate::panel::Drawn::default());
    assert_eq!(panel.describe().size, SIZE);
}

fn ask(wants_admin_id: bool) -> Status {
    let mode = alongside::protocol::ids::ModeId::OPERATOR_CONTROL;
    Status::Active(alongside::status::Active {
        ask: Some(Ask {
            mode: alongside::protocol::ids::ModeId::new(mode).expect("a mode"),
            is_renewal: false,
            wants_admin_id,
            expires_in: secs(60),
            differences: None,
        }),
        ..active(confirmed())
    })
}

fn allowed_with(mfd: &mut Mfd) -> Vec<String> {
    mfd.take_actions()
        .into_iter()
        .filter_map(|action| match action {
            CustomerAction::Allow(id) => {
                Some(id.map_or_else(String::new, |id| id.as_str().to_owned()))
            }
            CustomerAction::EnterCode(_)
            | CustomerAction::Exit
            | CustomerAction::StopKey(_)
            | CustomerAction::Touched
            | CustomerAction::Elsewhere
            | CustomerAction::Refuse
            | CustomerAction::TakeBack
            | CustomerAction::CheckId(_)
            | CustomerAction::OpenSettings
            | CustomerAction::Test(_)
            | CustomerAction::ChangeId { .. } => None,
        })
        .collect()
}

#[test]
fn an_id_is_typed_by_touch_and_key_and_goes_out_with_the_yes() {
    let mut mfd = live();
    mfd.show(&ask(true));
    assert!(mfd.find(Target::Allow).is_none(), "no yes without the ID");
    tap(&mut mfd, Target::EnterId);
    assert!(
        mfd.find(Target::ConfirmId).is_none(),
        "nothing is typed yet"
    );
    "4829".chars().for_each(|c| press(&mut mfd, c));
    "1739"
        .chars()
        .for_each(|c| tap(&mut mfd, Target::IdLetter(c)));
    tap(&mut mfd, Target::IdErase);
    tap(&mut mfd, Target::IdKeys);
    tap(&mut mfd, Target::IdShift);
    tap(&mut mfd, Target::IdLetter('X'));
    tap(&mut mfd, Target::ConfirmId);
    assert_eq!(allowed_with(&mut mfd), ["4829173X"]);
    assert!(mfd.find(Target::ConfirmId).is_none(), "it is being checked");
    assert!(mfd.find(Target::Refuse).is_some() && mfd.find(Target::Exit).is_some());
}

#[test]
fn nothing_of_an_id_outlives_its_question() {
    let mut mfd = live();
    mfd.show(&ask(true));
    tap(&mut mfd, Target::EnterId);
    "48291736".chars().for_each(|c| press(&mut mfd, c));
    mfd.show(&Status::Active(active(confirmed())));
    mfd.show(&ask(true));
    assert!(mfd.find(Target::EnterId).is_some(), "from the beginning");
    tap(&mut mfd, Target::EnterId);
    assert!(mfd.find(Target::ConfirmId).is_none(), "nothing is typed");
}

#[test]
fn what_the_operator_may_see_is_the_same_whatever_is_typed() {
    let seen = |steps: &dyn Fn(&mut Mfd)| {
        let mut mfd = live();
        mfd.show(&ask(true));
        steps(&mut mfd);
        let masked = mfd.masked();
        let [mask] = *masked else {
            panic!("one mask: {masked:?}")
        };
        let frame = mfd.render();
        let visible: Vec<u32> = frame
            .pixels()
            .iter()
            .enumerate()
            .filter(|(n, _)| {
                let (x, y) = ((n % 1024) as u16, (n / 1024) as u16);
                !(mask.x..mask.x + mask.width).contains(&x)
                    || !(mask.y..mask.y + mask.height).contains(&y)
            })
            .map(|(_, pixel)| *pixel)
            .collect();
        assert!(visible.len() < 1024 * 600 / 2, "the dialog is covered");
        (masked, visible)
    };
    let type_in = |mfd: &mut Mfd, id: &str| {
        tap(mfd, Target::EnterId);
        id.chars().for_each(|c| press(mfd, c));
    };
    let first = seen(&|_| {});
    let steps: [&dyn Fn(&mut Mfd); 6] = [
        &|mfd| tap(mfd, Target::EnterId),
        &|mfd| type_in(mfd, "1"),
        &|mfd| type_in(mfd, "48291736"),
        &|mfd| {
            type_in(mfd, "48291736");
            tap(mfd, Target::ConfirmId);
        },
        &|mfd| {
            type_in(mfd, "48291736");
            tap(mfd, Target::ConfirmId);
            mfd.ask_answered(AdminVerdict::Wrong {
                tries_left: 2,
                wait: secs(0),
            });
        },
        &|mfd| {
            tap(mfd, Target::EnterId);
            tap(mfd, Target::IdKeys);
            let at = mfd.find(Target::IdLetter('q')).expect("a key");
            mfd.touch(at, PointerPhase::Down);
        },
    ];
    for (n, step) in steps.iter().enumerate() {
        assert!(seen(step) == first, "step {n}");
    }
    mfd_without_question_masks_nothing();
}

fn mfd_without_question_masks_nothing() {
    let mut mfd = live();
    assert!(mfd.masked().is_empty());
    mfd.show(&ask(false));
    assert!(mfd.masked().is_empty());
}

#[test]
fn no_hand_of_the_operators_reaches_a_pad() {
    let key = |name: &str, motion| {
        Action::Key(KeyEvent {
            key: key(name),
            motion,
        })
    };
    let mut mfd = live();
    mfd.set_administrator(Administrator::Set { can_change: true });
    let tries = |mfd: &mut Mfd| {
        for digit in "48291736".chars() {
            assert!(!mfd.inject(&key(&digit.to_string(), KeyMotion::Down)));
            let at = mfd.find(Target::IdLetter(digit)).expect("a key");
            for (phase, buttons) in [
                (PointerPhase::Down, Buttons::LEFT),
                (PointerPhase::Up, Buttons::NONE),
            ] {
                assert!(!mfd.inject(&Action::Pointer(PointerEvent {
                    at,
                    phase,
                    buttons,
                    pressure: Pressure::FULL
                })));
            }
        }
        assert!(mfd.find(Target::ConfirmId).is_none(), "nothing was typed");
    };
    mfd.show(&ask(true));
    tap(&mut mfd, Target::EnterId);
    tries(&mut mfd);
    mfd.show(&Status::Active(active(confirmed())));
    tap(&mut mfd, Target::Go(Place::Settings));
    let at = mfd.find(Target::Go(Place::Remote)).expect("a row");
    for (phase, buttons) in [
        (PointerPhase::Down, Buttons::LEFT),
        (PointerPhase::Up, Buttons::NONE),
    ] {
        mfd.inject(&Action::Pointer(PointerEvent {
            at,
            phase,
            buttons,
            pressure: Pressure::FULL,
        }));
    }
    assert_eq!(
        mfd.place,
        Place::Settings,
        "the operator does not get to the page"
    );
    tap(&mut mfd, Target::Go(Place::Remote));
    tries(&mut mfd);
    assert!(!mfd.masked().is_empty());
}

#[test]
fn a_wait_keeps_the_pad_shut_and_is_counted_down() {
    let mut mfd = live();
    mfd.show(&ask(true));
    tap(&mut mfd, Target::EnterId);
    "48291736".chars().for_each(|c| press(&mut mfd, c));
    tap(&mut mfd, Target::ConfirmId);
    mfd.ask_answered(AdminVerdict::Wrong {
        tries_left: 0,
        wait: secs(30),
    });
    assert!(mfd.pace().is_some(), "time shows");
    press(&mut mfd, '4');
    assert!(mfd.find(Target::ConfirmId).is_none());
    mfd.tick(secs(30));
    press(&mut mfd, '4');
    assert!(mfd.find(Target::ConfirmId).is_some());
}

#[test]
fn an_id_typed_for_the_pages_answers_no_question_that_comes_meanwhile() {
    for administrator in [
        Administrator::Set { can_change: true },
        Administrator::Unset,
    ] {
        for wants_admin_id in [true, false] {
            let mut mfd = live();
            mfd.set_administrator(administrator);
            tap(&mut mfd, Target::Go(Place::Settings));
            tap(&mut mfd, Target::Go(Place::Remote));
            "48291736".chars().for_each(|c| press(&mut mfd, c));
            mfd.show(&ask(wants_admin_id));
            mfd.take_actions();
            for name in ["Start", "1", "*", "Clear", "Start"] {
                mfd.key(&key(name), KeyMotion::Down);
                mfd.key(&key(name), KeyMotion::Up);
            }
            let actions = mfd.take_actions();
            let is_harmless = |action: &CustomerAction| matches!(action, CustomerAction::Touched);
            assert!(actions.iter().all(is_harmless), "{actions:?}");
            mfd.key(&key("Stop"), KeyMotion::Down);
            let actions = mfd.take_actions();
            let refuses = |action: &CustomerAction| matches!(action, CustomerAction::Refuse);
            assert!(actions.iter().any(refuses), "{actions:?}");
        }
    }
}

#[test]
fn nothing_is_drawn_over_the_banner_nor_over_what_the_customer_decides_or_enters() {
    let whole = PanelRect {
        x: 0,
        y: 0,
        width: 1024,
        height: 600,
    };
    let mut mfd = live();
    let banner = mfd.kept_clear();
    let exit = mfd.find(Target::Exit).expect("EXIT").to_pixels();
    let holds = |rect: &PanelRect| {
        let (x, y) = (i32::from(rect.x), i32::from(rect.y));
        (x..x + i32::from(rect.width)).contains(&exit.0)
            && (y..y + i32::from(rect.height)).contains(&exit.1)
    };
    assert!(banner.iter().any(holds) && !banner.contains(&whole));
    for wants_admin_id in [false, true] {
        mfd.show(&ask(wants_admin_id));
        assert_eq!(mfd.kept_clear(), [whole]);
    }
    mfd.show(&Status::Active(active(confirmed())));
    assert_eq!(mfd.kept_clear(), banner);
    mfd.set_administrator(Administrator::Set { can_change: true });
    tap(&mut mfd, Target::Go(Place::Settings));
    tap(&mut mfd, Target::Go(Place::Remote));
    assert_eq!(mfd.kept_clear(), [whole], "an ID is typed");
}

#[test]
fn an_answered_question_opens_no_page_behind_it() {
    for verdict in [
        AdminVerdict::Ok,
        AdminVerdict::Wrong {
            tries_left: 2,
            wait: Duration::ZERO,
        },
    ] {
        let mut mfd = live();
        mfd.set_administrator(Administrator::Set { can_change: true });
        tap(&mut mfd, Target::Go(Place::Settings));
        tap(&mut mfd, Target::Go(Place::Remote));
        mfd.show(&ask(false));
        tap(&mut mfd, Target::Allow);
        mfd.ask_answered(verdict);
        mfd.show(&Status::Active(active(confirmed())));
        assert!(mfd.find(Target::Allowed(Allowed::On)).is_none());
        "48291736".chars().for_each(|c| press(&mut mfd, c));
        tap(&mut mfd, Target::ConfirmId);
        mfd.id_checked(AdminVerdict::Ok);
        assert!(mfd.find(Target::Allowed(Allowed::On)).is_some());
    }
}

#[test]
fn keys_answer_a_question_and_work_no_machine_below_it() {
    let mut mfd = live();
    tap(&mut mfd, Target::Go(Place::Copy));
    mfd.show(&ask(true));
    mfd.key(&key("Start"), KeyMotion::Down);
    assert!(mfd.machine.job().is_none());
    mfd.key(&key("Stop"), KeyMotion::Down);
    assert!(
        mfd.take_actions()
            .iter()
            .any(|action| matches!(action, CustomerAction::Refuse))
    );
}

#[test]
fn what_was_allowed_can_be_taken_back_from_every_screen() {
    let mode = alongside::protocol::ids::ModeId::OPERATOR_CONTROL;
    let mode = alongside::protocol::ids::ModeId::new(mode).expect("a mode");
    let control = alongside::status::Active {
        mode,
        ..active(confirmed())
    };
    let mut mfd = live();
    assert!(mfd.find(Target::TakeBack).is_none());
    for place in [Place::Home, Place::Copy, Place::Settings] {
        mfd.show(&Status::Active(control.clone()));
        mfd.go(place);
        mfd.is_stale = true;
        tap(&mut mfd, Target::TakeBack);
        assert!(
            mfd.take_actions()
                .iter()
                .any(|action| matches!(action, CustomerAction::TakeBack))
        );
    }
}

#[test]
fn the_card_says_who_when_and_which_modes() {
    let mut mfd = mfd();
    mfd.set_clock(1_764_000_000_000);
    let mode = |mode| alongside::protocol::ids::ModeId::new(mode).expect("a mode");
    for id in ["user-guide", "operator-control", "user-guide"] {
        mfd.show(&Status::Active(alongside::status::Active {
            mode: mode(id),
            ..active(confirmed())
        }));
    }
    mfd.tick(secs(90));
    mfd.show(&ended());
    let past = mfd
        .assistance
        .ended()
        .and_then(|ended| ended.past.clone())
        .expect("a session");
    assert_eq!(past.operator, confirmed());
    assert_eq!(
        (past.from_ms, past.until_ms),
        (1_764_000_000_000, Some(1_764_000_090_000))
    );
    assert_eq!(past.modes, [mode("user-guide"), mode("operator-control")]);
    for _ in 0..15 {
        mfd.show(&Status::Active(active(unverified())));
        mfd.show(&ended());
    }
    assert_eq!(mfd.assistance.past.len(), 10);
}

#[test]
fn no_code_can_be_entered_until_remote_assistance_is_turned_on() {
    let mut mfd = Mfd::with_preferences(Preferences::default());
    mfd.set_administrator(Administrator::Set { can_change: true });
    tap(&mut mfd, Target::Go(Place::Notice));
    assert!(mfd.find(Target::Go(Place::Entry)).is_none());
    tap(&mut mfd, Target::Go(Place::Home));
    tap(&mut mfd, Target::Go(Place::Settings));
    tap(&mut mfd, Target::Go(Place::Remote));
    assert!(
        mfd.find(Target::Allowed(Allowed::On)).is_none(),
        "the ID comes first"
    );
    "48291736".chars().for_each(|c| press(&mut mfd, c));
    tap(&mut mfd, Target::ConfirmId);
    assert!(
        matches!(&*mfd.take_actions(), [CustomerAction::OpenSettings, CustomerAction::CheckId(id)] if id.as_str() == "48291736")
    );
    mfd.id_checked(AdminVerdict::Ok);
    tap(&mut mfd, Target::Allowed(Allowed::On));
    tap(&mut mfd, Target::Language(Locale::Chinese));
    assert_eq!(mfd.preferences().allowed, Allowed::On);
    assert_eq!(mfd.preferences().locale, Locale::Chinese);
    tap(&mut mfd, Target::Go(Place::Settings));
    tap(&mut mfd, Target::Go(Place::Remote));
    assert!(
        mfd.find(Target::Allowed(Allowed::On)).is_none(),
        "and again for whoever comes next"
    );
}

#[test]
fn the_first_id_is_chosen_on_the_panel_and_opens_the_page() {
    let mut mfd = live();
    mfd.set_administrator(Administrator::Unset);
    tap(&mut mfd, Target::Go(Place::Settings));
    tap(&mut mfd, Target::Go(Place::Remote));
    assert!(!mfd.admits() && !mfd.masked().is_empty());
    for id in ["48291736", "48291736"] {
        mfd.take_actions();
        id.chars().for_each(|c| press(&mut mfd, c));
        tap(&mut mfd, Target::ConfirmId);
        assert!(!mfd.masked().is_empty());
    }
    let actions = mfd.take_actions();
    let Some(CustomerAction::ChangeId { old: None, new }) = actions.last() else {
        panic!("{actions:?}");
    };
    assert_eq!(new.as_str(), "48291736");
    assert!(mfd.find(Target::Allowed(Allowed::On)).is_none());
    mfd.id_changed(AdminChange::Done);
    assert!(mfd.find(Target::Allowed(Allowed::On)).is_some());
}

/// Types an ID and hands it out to be checked.
fn type_id(mfd: &mut Mfd) {
    "48291736".chars().for_each(|c| press(mfd, c));
    tap(mfd, Target::ConfirmId);
}

#[test]
fn an_id_that_is_found_right_too_late_opens_nothing_for_whoever_came_since() {
    let mut mfd = live();
    mfd.set_administrator(Administrator::Set { can_change: true });
    tap(&mut mfd, Target::Go(Place::Settings));
    tap(&mut mfd, Target::Go(Place::Remote));
    type_id(&mut mfd);
    mfd.key(&key("Stop"), KeyMotion::Down);
    mfd.key(&key("Stop"), KeyMotion::Up);
    tap(&mut mfd, Target::Go(Place::Remote));
    mfd.id_checked(AdminVerdict::Ok);
    assert!(mfd.find(Target::Allowed(Allowed::On)).is_none());
    type_id(&mut mfd);
    mfd.id_checked(AdminVerdict::Ok);
    assert!(mfd.find(Target::Allowed(Allowed::On)).is_some());
}

#[test]
fn another_id_is_chosen_after_the_one_that_counts_and_none_of_it_is_seen() {
    let mut mfd = live();
    mfd.set_administrator(Administrator::Set { can_change: true });
    tap(&mut mfd, Target::Go(Place::Settings));
    tap(&mut mfd, Target::Go(Place::Remote));
    type_id(&mut mfd);
    mfd.id_checked(AdminVerdict::Ok);
    assert!(mfd.masked().is_empty());
    tap(&mut mfd, Target::Go(Place::RemoteId));
    assert!(mfd.find(Target::Allowed(Allowed::On)).is_none());
    let mut seen = Vec::new();
    for id in ["48291736", "59201847", "59201847"] {
        mfd.take_actions();
        id.chars().for_each(|c| press(&mut mfd, c));
        seen.push((mfd.masked(), mfd.admits()));
        tap(&mut mfd, Target::ConfirmId);
        if id == "48291736" {
            mfd.id_checked(AdminVerdict::Ok);
        }
    }
    let (mask, admits) = &seen[0];
    assert!(mask.len() == 1 && !admits, "{seen:?}");
    assert!(seen.iter().all(|step| *step == seen[0]), "{seen:?}");
    let actions = mfd.take_actions();
    let Some(CustomerAction::ChangeId {
        old: Some(old),
        new,
    }) = actions.last()
    else {
        panic!("{actions:?}");
    };
    assert_eq!((old.as_str(), new.as_str()), ("48291736", "59201847"));
    mfd.id_changed(AdminChange::Done);
    assert!(
        mfd.find(Target::Allowed(Allowed::On)).is_some(),
        "back on the page"
    );
    assert!(mfd.masked().is_empty());
}

#[test]
fn the_pad_asks_for_what_there_is_once_that_is_known() {
    let mut mfd = mfd();
    mfd.set_administrator(Administrator::Unset);
    tap(&mut mfd, Target::Go(Place::Settings));
    tap(&mut mfd, Target::Go(Place::Remote));
    let first = mfd.version();
    mfd.set_administrator(Administrator::Set { can_change: true });
    assert_ne!(mfd.version(), first);
    "48291736".chars().for_each(|c| press(&mut mfd, c));
    mfd.set_administrator(Administrator::Unset);
    tap(&mut mfd, Target::ConfirmId);
    let actions = mfd.take_actions();
    assert!(
        matches!(actions.last(), Some(CustomerAction::CheckId(_))),
        "{actions:?}"
    );
}

/// A session as the audit tells of it, with the settings that it changed.
fn card() -> SessionCard {
    let setting = |path: &str, title: Option<&str>, stage: &str| alongside::audit::ChangedSetting {
        path: path.to_owned(),
        title: title.map(str::to_owned),
        change: 1,
        stage: stage.to_owned(),
    };
    SessionCard {
        key: confirmed().key.to_string(),
        name: Some("Kim Audit".to_owned()),
        from_ms: 1_764_000_000_000,
        until_ms: Some(1_764_000_300_000),
        modes: vec!["user-guide".to_owned(), "engineer-config".to_owned()],
        was_silent: true,
        settings: vec![
            setting("tray.paper", Some("Paper in tray 1"), "confirmed"),
            setting("tray.size", Some("Size"), "rolled-back"),
            setting("tray.paper", Some("Paper in tray 1"), "confirmed"),
            setting("energy.after", None, "confirmed"),
        ],
        ..SessionCard::default()
    }
}

#[test]
fn the_card_is_what_the_audit_says_and_calls_settings_by_their_names() {
    let mut mfd = live();
    mfd.show(&ended());
    mfd.over(&card());
    let past = mfd
        .assistance
        .ended()
        .and_then(|ended| ended.past.clone())
        .expect("a session");
    assert_eq!(
        past.operator.name.as_ref().map(|name| name.as_str()),
        Some("Kim Audit")
    );
    assert_eq!(
        (past.from_ms, past.until_ms),
        (1_764_000_000_000, Some(1_764_000_300_000))
    );
    let modes: Vec<_> = past.modes.iter().map(|mode| mode.as_str()).collect();
    assert_eq!(modes, ["user-guide", "engineer-config"]);
    assert_eq!(past.settings, ["Paper in tray 1", "energy.after"]);
    assert!(past.was_silent);
    assert_eq!(mfd.assistance.past.front(), Some(&past));
    // What is told later is of no session that the list has already.
    mfd.over(&SessionCard {
        name: Some("Somebody".to_owned()),
        ..card()
    });
    assert_eq!(mfd.assistance.past.front(), Some(&past));
}

#[test]
fn every_changed_setting_is_shown_before_the_card_goes_away() {
    let mut mfd = live();
    mfd.show(&ended());
    let mut card = card();
    let first = card.settings[0].clone();
    card.settings = (0..9)
        .map(|n| alongside::audit::ChangedSetting {
            title: Some(format!("Setting {n}")),
            ..first.clone()
        })
        .collect();
    mfd.over(&card);
    for _ in 0..2 {
        assert!(mfd.find(Target::CloseEnded).is_none());
        tap(&mut mfd, Target::MoreEnded);
    }
    tap(&mut mfd, Target::CloseEnded);
    assert!(!mfd.assistance.has_ended());
}

fn settings_page(facts: Facts) -> Mfd {
    let mut mfd = mfd();
    mfd.set_facts(facts);
    tap(&mut mfd, Target::Go(Place::Settings));
    tap(&mut mfd, Target::Go(Place::Remote));
    mfd.take_actions();
    mfd
}

#[test]
fn the_way_to_the_service_is_typed_judged_and_kept() {
    let mut mfd = settings_page(Facts::default());
    tap(&mut mfd, Target::Edit(Field::Relay));
    "relay/"
        .chars()
        .for_each(|c| tap(&mut mfd, Target::EditLetter(c)));
    tap(&mut mfd, Target::EditKeep);
    assert_eq!(
        (mfd.place, mfd.route().relay.as_deref()),
        (Place::RemoteEdit, None)
    );
    tap(&mut mfd, Target::EditErase);
    press(&mut mfd, '7');
    tap(&mut mfd, Target::EditKeep);
    assert_eq!(
        (mfd.place, mfd.route().relay.as_deref()),
        (Place::Remote, Some("relay7"))
    );
    tap(&mut mfd, Target::Edit(Field::Relay));
    mfd.key(&key("Clear"), KeyMotion::Down);
    mfd.key(&key("Stop"), KeyMotion::Down);
    assert_eq!(mfd.route().relay.as_deref(), Some("relay7"), "not kept");
}

#[test]
fn what_is_laid_down_is_shown_and_cannot_be_changed() {
    let fixed = vec![
        Field::Allowed,
        Field::Language,
        Field::TextSize,
        Field::Relay,
    ];
    let mut mfd = settings_page(Facts {
        route: Route {
            relay: Some("relay.example".to_owned()),
            ..Route::default()
        },
        fixed,
        ..Facts::default()
    });
    mfd.set_route(Route {
        relay: Some("other.example".to_owned()),
        ..Route::default()
    });
    assert_eq!(mfd.route_value(Field::Relay), Some("relay.example"));
    for target in [
        Target::Allowed(Allowed::Off),
        Target::Language(Locale::German),
        Target::TextSize(Scale::Double),
        Target::Edit(Field::Relay),
    ] {
        assert!(mfd.find(target).is_none(), "{target:?}");
    }
    assert!(mfd.find(Target::Edit(Field::Proxy)).is_some());
}

#[test]
fn a_test_goes_out_once_shows_how_far_it_is_and_can_be_made_again() {
    let mut mfd = settings_page(Facts {
        can_test: true,
        ..Facts::default()
    });
    tap(&mut mfd, Target::Test);
    let actions = mfd.take_actions();
    assert!(
        matches!(&*actions, [CustomerAction::Test(_)]),
        "{actions:?}"
    );
    assert!(mfd.find(Target::Test).is_none(), "one at a time");
    mfd.tick(secs(100));
    assert_eq!(mfd.place, Place::RemoteTest, "the panel waits for it");
    mfd.tested(TrialWay::Udp, Outcome::Works(secs(1)));
    mfd.test_over();
    assert!(mfd.find(Target::Test).is_some());
    mfd.tick(secs(161));
    assert_eq!(mfd.place, Place::Home);
}

#[test]
fn the_pages_are_nobodys_once_they_are_left_and_no_operators_ever() {
    for leads in [
        Target::Edit(Field::Proxy),
        Target::Test,
        Target::Go(Place::RemoteSessions),
    ] {
        let mut mfd = live();
        mfd.set_administrator(Administrator::Set { can_change: true });
        mfd.set_facts(Facts {
            can_test: true,
            ..Facts::default()
        });
        tap(&mut mfd, Target::Go(Place::Settings));
        tap(&mut mfd, Target::Go(Place::Remote));
        assert!(mfd.find(leads).is_none(), "{leads:?}: the ID comes first");
        type_id(&mut mfd);
        mfd.id_checked(AdminVerdict::Ok);
        tap(&mut mfd, leads);
        assert!(!mfd.admits(), "{leads:?}");
        tap(&mut mfd, Target::Go(Place::Remote));
        assert!(
            mfd.find(leads).is_some(),
            "{leads:?}: no ID again within the pages"
        );
        mfd.key(&key("Reset"), KeyMotion::Down);
        tap(&mut mfd, Target::Go(Place::Settings));
        tap(&mut mfd, Target::Go(Place::Remote));
        assert!(
            mfd.find(leads).is_none(),
            "{leads:?}: it does for whoever comes next"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_panel_resets_itself_a_minute_after_a_session_and_not_in_it() {
    let panel = MfdPanel::with_text(Text::new(Locale::English));
    let open_copy = || {
        let at = panel.find(Target::Go(Place::Copy)).expect("a tile");
        panel.touch(at, PointerPhase::Down);
        panel.touch(at, PointerPhase::Up);
    };
    let is_open = || panel.find(Target::Step(Step::CopiesUp)).is_some();
    let story = async {
        open_copy();
        tokio::time::sleep(secs(59)).await;
        assert!(is_open());
        tokio::time::sleep(secs(2)).await;
        assert!(!is_open(), "nobody touched it for a minute");

        open_copy();
        Customer::show(&panel, &Status::Active(active(confirmed())));
        tokio::time::sleep(secs(3_600)).await;
        assert!(is_open(), "somebody is helped");
        Customer::show(&panel, &ended());
        let ok = panel.find(Target::CloseEnded).expect("the card");
        panel.touch(ok, PointerPhase::Down);
        panel.touch(ok, PointerPhase::Up);
        tokio::time::sleep(secs(59)).await;
        assert!(is_open());
        tokio::time::sleep(secs(2)).await;
        assert!(!is_open(), "and nobody touched it again");
    };
    tokio::select! {
        () = panel.animate() => {}
        () = story => {}
    }
}
