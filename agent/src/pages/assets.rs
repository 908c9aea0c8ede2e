//! The pages' files, inside the binary.

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

use crate::api::event::Role;

/// A file of a page.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    pub(super) fn response(&self) -> Response {
        ([(CONTENT_TYPE, self.kind)], self.bytes).into_response()
    }
}

/// A file of `agent/web` under the path at which it is served.
macro_rules! web {
    ($path:literal, $file:literal, $kind:expr) => {
        Asset {
            path: $path,
            kind: $kind,
            bytes: include_bytes!(concat!("../../web/", $file)),
        }
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";
const FONT: &str = "font/ttf";

/// What both pages use.
const SHARED: [Asset; 9] = [
    web!("/favicon.svg", "favicon.svg", PICTURE),
    web!("/favicon.ico", "favicon.svg", PICTURE),
    web!("/shared/base.css", "shared/base.css", CSS),
    web!("/shared/dom.js", "shared/dom.js", SCRIPT),
    web!("/shared/ink.js", "shared/ink.js", SCRIPT),
    web!("/shared/link.js", "shared/link.js", SCRIPT),
    web!("/shared/screen.js", "shared/screen.js", SCRIPT),
    Asset {
        path: "/shared/regular.ttf",
        kind: FONT,
        bytes: notosans::REGULAR_TTF,
    },
    Asset {
        path: "/shared/bold.ttf",
        kind: FONT,
        bytes: notosans::BOLD_TTF,
    },
];

const OPERATOR: [Asset; 26] = [
    web!("/", "operator/index.html", HTML),
    web!("/operator.css", "operator/operator.css", CSS),
    web!("/settings.css", "operator/settings.css", CSS),
    web!("/change-card.js", "operator/change-card.js", SCRIPT),
    web!("/console.js", "operator/console.js", SCRIPT),
    web!("/control.js", "operator/control.js", SCRIPT),
    web!("/ended.js", "operator/ended.js", SCRIPT),
    web!("/facts.js", "operator/facts.js", SCRIPT),
    web!("/header.js", "operator/header.js", SCRIPT),
    web!("/invite.js", "operator/invite.js", SCRIPT),
    web!("/kept.js", "operator/kept.js", SCRIPT),
    web!("/ladder.js", "operator/ladder.js", SCRIPT),
    web!("/mode-panel.js", "operator/mode-panel.js", SCRIPT),
    web!("/modes.js", "operator/modes.js", SCRIPT),
    web!("/panel.js", "operator/panel.js", SCRIPT),
    web!("/session.js", "operator/session.js", SCRIPT),
    web!("/settings.js", "operator/settings.js", SCRIPT),
    web!("/settings-draft.js", "operator/settings-draft.js", SCRIPT),
    web!("/settings-row.js", "operator/settings-row.js", SCRIPT),
    web!("/settings-tree.js", "operator/settings-tree.js", SCRIPT),
    web!("/settings-words.js", "operator/settings-words.js", SCRIPT),
    web!("/side.js", "operator/side.js", SCRIPT),
    web!("/spark.js", "operator/spark.js", SCRIPT),
    web!("/timeline.js", "operator/timeline.js", SCRIPT),
    web!("/tools.js", "operator/tools.js", SCRIPT),
    web!("/words.js", "operator/words.js", SCRIPT),
];

const DEVICE: [Asset; 4] = [
    web!("/", "device/index.html", HTML),
    web!("/device.css", "device/device.css", CSS),
    web!("/front.js", "device/front.js", SCRIPT),
    web!("/keypad.js", "device/keypad.js", SCRIPT),
];

/// Every file of the page of `role`.
pub(super) fn of(role: Role) -> impl Iterator<Item = &'static Asset> {
    let own: &[Asset] = match role {
        Role::Operator => &OPERATOR,
        Role::Device => &DEVICE,
    };
    own.iter().chain(&SHARED)
}
