//! The panel as a layer over a screen of other programs.

use alongside::{
    protocol::{ids::ModeId, input::KeyMotion},
    status::{Active, Banner},
};

use super::*;
use crate::panel::Corner;

/// Screens that people build into devices, from small to large.
const SCREENS: [(u16, u16); 5] = [
    (640, 480),
    (800, 480),
    (800, 600),
    (1024, 600),
    (1920, 1080),
];

fn overlay((width, height): (u16, u16), locale: Locale, scale: Scale) -> Mfd {
    let size = PanelSize::new(width, height).expect("a size");
    Mfd::overlay(
        size,
        Preferences {
            allowed: Allowed::On,
            locale,
            scale,
        },
    )
}

fn small() -> Mfd {
    overlay((800, 600), Locale::English, Scale::Normal)
}

fn asked(wants_admin_id: bool, is_renewal: bool) -> Status {
    Status::Active(Active {
        mode: ModeId::new(ModeId::OPERATOR_CONTROL).expect("a mode"),
        ask: Some(Ask {
            mode: ModeId::new(ModeId::OPERATOR_CONTROL).expect("a mode"),
            is_renewal,
            wants_admin_id,
            expires_in: secs(60),
            differences: None,
        }),
        ..active(confirmed())
    })
}

/// Everything that can lie over such a screen.
fn states(screen: (u16, u16), locale: Locale, scale: Scale) -> Vec<(&'static str, Mfd)> {
    type Steps = fn(&mut Mfd);
    let all: [(&str, Steps); 18] = [
        ("icon", |_| {}),
        ("notice", |mfd| tap(mfd, Target::Go(Place::Notice))),
        ("entry", |mfd| enter(mfd, &code().reveal())),
        ("remote", |mfd| {
            tap(mfd, Target::Go(Place::Notice));
            tap(mfd, Target::Go(Place::Remote));
        }),
        ("remote-first-id", |mfd| {
            mfd.set_administrator(Administrator::Unset);
            tap(mfd, Target::Go(Place::Notice));
            tap(mfd, Target::Go(Place::Remote));
        }),
        ("remote-edit", |mfd| {
            tap(mfd, Target::Go(Place::Notice));
            tap(mfd, Target::Go(Place::Remote));
            tap(mfd, Target::Edit(Field::Proxy));
        }),
        ("remote-test", |mfd| {
            mfd.set_facts(Facts {
                can_test: true,
                ..Facts::default()
            });
            tap(mfd, Target::Go(Place::Notice));
            tap(mfd, Target::Go(Place::Remote));
            tap(mfd, Target::Test);
            for way in TrialWay::ALL {
                let down = alongside::protocol::obstacle::ObstacleKind::RelayDown;
                mfd.tested(way, Outcome::Fails(down.into()));
            }
            mfd.test_over();
        }),
        ("remote-sessions", |mfd| {
            mfd.set_sessions(&[card()]);
            tap(mfd, Target::Go(Place::Notice));
            tap(mfd, Target::Go(Place::Remote));
            tap(mfd, Target::Go(Place::RemoteSessions));
        }),
        ("ended-settings", |mfd| {
            mfd.show(&Status::Active(active(confirmed())));
            mfd.show(&ended());
            mfd.over(&card());
        }),
        ("connecting", |mfd| {
            mfd.show(&Status::Connecting {
                operator: unverified(),
            });
        }),
        ("refused", |mfd| {
            mfd.show(&Status::CodeRefused(CodeRefusal::Unknown));
        }),
        ("guide", |mfd| {
            mfd.show(&Status::Active(active(unverified())))
        }),
        ("holding", |mfd| {
            mfd.show(&Status::Active(active(confirmed())));
            mfd.stop_key(KeyMotion::Down);
            mfd.tick(secs(2));
        }),
        ("session", |mfd| {
            mfd.show(&Status::Active(active(confirmed())));
            tap(mfd, Target::Go(Place::Notice));
        }),
        ("ask", |mfd| mfd.show(&asked(false, true))),
        ("ask-id", |mfd| mfd.show(&asked(true, false))),
        ("id", |mfd| {
            mfd.show(&asked(true, false));
            tap(mfd, Target::EnterId);
        }),
        ("ended", |mfd| {
            mfd.show(&Status::Active(active(confirmed())));
            mfd.show(&ended());
        }),
    ];
    all.into_iter()
        .map(|(name, steps)| {
            let mut mfd = overlay(screen, locale, scale);
            mfd.set_stop_key(StopKey::Corner(Corner::BottomRight));
            steps(&mut mfd);
            (name, mfd)
        })
        .collect()
}

#[test]
fn no_text_over_a_screen_is_clipped_on_any_size_in_any_language() {
    let mut found = Vec::new();
    for screen in SCREENS {
        for locale in Locale::ALL {
            // No language is as long as the pseudo-locale, which the smallest screen has no room for.
            if locale == Locale::Pseudo && screen == (640, 480) {
                continue;
            }
            for scale in [Scale::Normal, Scale::Double] {
                for (name, mut mfd) in states(screen, locale, scale) {
                    let flaws = mfd.flaws();
                    if !flaws.is_empty() {
                        found.push((screen, locale, scale, name, flaws));
                    }
                }
            }
        }
    }
    assert!(found.is_empty(), "{}: {found:#?}", found.len());
}

#[test]
fn islands_lie_on_the_screen_and_hold_whatever_can_be_touched() {
    for screen in SCREENS {
        for (name, mut mfd) in states(screen, Locale::English, Scale::Normal) {
            let scene = mfd.scene();
            let whole = mfd.whole();
            assert!(!scene.islands.is_empty(), "{name}");
            for island in &scene.islands {
                assert_eq!(island.intersection(whole), Some(*island), "{name}");
            }
            for spot in &mfd.spots {
                let is_held = scene
                    .islands
                    .iter()
                    .any(|island| island.intersection(spot.rect) == Some(spot.rect));
                assert!(is_held, "{screen:?} {name}: {:?}", spot.target);
            }
        }
    }
}

#[test]
fn from_the_question_on_all_of_the_card_is_masked_and_none_but_the_customer_gets_in() {
    let mut mfd = small();
    mfd.show(&asked(true, false));
    let question = mfd.scene();
    tap(&mut mfd, Target::EnterId);
    let pad = mfd.scene();
    assert_eq!((question.masked.len(), &question.masked), (1, &pad.masked));
    assert_eq!(question.islands, pad.islands);
    assert!(pad.wants_keys && !question.wants_keys);
    let card = pad.islands.last().expect("the card");
    let mask = pad.masked.first().expect("a mask");
    assert_eq!(
        (
            i32::from(mask.x),
            i32::from(mask.y),
            i32::from(mask.width),
            i32::from(mask.height)
        ),
        (card.x, card.y, card.w, card.h)
    );
    assert!(!mfd.admits());
    "4829173"
        .chars()
        .for_each(|c| mfd.type_key(Typed::Letter(c)));
    mfd.type_key(Typed::Erase);
    mfd.take_actions();
    mfd.type_key(Typed::Confirm);
    let actions = mfd.take_actions();
    let [CustomerAction::Touched, CustomerAction::Allow(Some(id))] = &*actions else {
        panic!("{actions:?}");
    };
    assert_eq!(id.as_str(), "482917");
}

#[test]
fn a_code_can_be_typed_on_a_keyboard_and_escape_leads_away() {
    let mut mfd = small();
    mfd.type_key(Typed::Letter('1'));
    tap(&mut mfd, Target::Go(Place::Notice));
    tap(&mut mfd, Target::Go(Place::Entry));
    let digits = code().reveal();
    digits.chars().for_each(|c| mfd.type_key(Typed::Letter(c)));
    mfd.type_key(Typed::Confirm);
    assert!(matches!(&*mfd.take_actions(), [CustomerAction::EnterCode(typed)] if *typed == code()));
    let mut mfd = small();
    tap(&mut mfd, Target::Go(Place::Notice));
    tap(&mut mfd, Target::Go(Place::Entry));
    mfd.type_key(Typed::Cancel);
    assert_eq!(mfd.place, Place::Home);
}

#[test]
fn the_customer_puts_the_banner_out_of_the_way() {
    let mut mfd = small();
    mfd.show(&Status::Active(active(confirmed())));
    let top = mfd.scene().islands.first().copied().expect("the banner");
    tap(&mut mfd, Target::MoveBanner);
    let low = mfd.scene().islands.first().copied().expect("the banner");
    assert_eq!((top.y, low.bottom(), top.h), (0, 600, low.h));
    assert!(mfd.find(Target::Exit).is_some());
}

#[test]
fn in_sleep_there_is_only_the_icon_which_shows_who_is_connected() {
    let mut mfd = small();
    mfd.show(&Status::Active(Active {
        banner: Banner::Hidden,
        ..active(confirmed())
    }));
    assert_eq!(mfd.scene().islands.len(), 1);
    assert_eq!(mfd.find(Target::Exit), None);
    tap(&mut mfd, Target::Go(Place::Notice));
    assert!(mfd.find(Target::Exit).is_some());
}

#[test]
fn a_corner_or_another_key_stands_for_the_stop_key() {
    let mut mfd = live();
    mfd.set_stop_key(StopKey::Corner(Corner::BottomLeft));
    mfd.touch(PanelPoint::from_pixels(10, 590), PointerPhase::Down);
    mfd.touch(PanelPoint::from_pixels(200, 590), PointerPhase::Move);
    let stops = |mfd: &mut Mfd| {
        let actions = mfd.take_actions();
        let moved = actions.iter().filter_map(|action| {
            if let CustomerAction::StopKey(motion) = action {
                return Some(*motion);
            }
            None
        });
        moved.collect::<Vec<_>>()
    };
    assert_eq!(stops(&mut mfd), [KeyMotion::Down, KeyMotion::Up]);
    mfd.set_stop_key(StopKey::Key(key("Stop")));
    mfd.key(&key("#"), KeyMotion::Down);
    mfd.key(&key("Stop"), KeyMotion::Down);
    assert_eq!(stops(&mut mfd), [KeyMotion::Down]);
}
