//! The parts of the console that modes bring, each in a document of an origin of its own.
//!
//! Such a document may run its one script and nothing else: it loads nothing, connects nowhere and reaches nothing of
//! the console's page. It gets a port, and what comes out of that is a message to the mode's operator half.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use alongside::{operator::ConsolePanel, protocol::ids::ModeId};
use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};

use crate::api::event::ModeCard;

/// What there is to serve.
#[derive(Debug, Default)]
pub(super) struct Panels(Mutex<BTreeMap<ModeId, Arc<ConsolePanel>>>);

/// Makes the element and gives it a host once the page has sent the port.
const HOST: &str = r"
addEventListener('message', event => {
  const [port] = event.ports;
  if (!port) return;
  const listeners = [];
  port.onmessage = ({ data }) => listeners.forEach(listener => listener(data));
  const element = document.createElement(ELEMENT);
  document.body.append(element);
  element.connect?.({ send: message => port.postMessage(message), on: listener => listeners.push(listener) });
}, { once: true });
parent.postMessage('alongside-panel', '*');
";

const STYLE: &str =
    ":root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif } body { margin: 8px }";

impl Panels {
    /// There are these from now on.
    pub(super) fn replace(&self, modes: &[ModeCard]) {
        let mut panels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *panels = modes
            .iter()
            .filter_map(|card| Some((card.mode.clone(), Arc::clone(card.panel.as_ref()?))))
            .collect();
    }

    /// The document of a mode's part of the console.
    pub(super) fn response(&self, id: &str) -> Response {
        let panel = ModeId::new(id).and_then(|id| {
            let panels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            panels.get(&id).map(Arc::clone)
        });
        let mut random = [0; 16];
        let (Some(panel), Ok(())) = (panel, aws_lc_rs::rand::fill(&mut random)) else {
            return (StatusCode::NOT_FOUND, "no such mode\n").into_response();
        };
        let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let policy = format!(
            "sandbox allow-scripts; default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; \
             img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
        );
        let Ok(policy) = HeaderValue::from_str(&policy) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let headers = [
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (CONTENT_SECURITY_POLICY, policy),
        ];
        (headers, document(&panel, &nonce)).into_response()
    }
}

/// The script cannot end its element: a package whose panel contains `</script` or `<!--` is not let in.
fn document(panel: &ConsolePanel, nonce: &str) -> String {
    // Lower-case letters, digits and hyphens, so that quotes around it make it a string.
    let host = HOST.replace("ELEMENT", &format!("'{}'", panel.element.as_str()));
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Mode</title><style>{STYLE}</style></head>\
         <body><script type=\"module\" nonce=\"{nonce}\">\n{}\n</script><script type=\"module\" nonce=\"{nonce}\">{host}</script>\
         </body></html>",
        panel.script
    )
}
