//! What an agent that was killed in the middle of a press left held: an X server releases nothing by itself.

use x11rb::{
    errors::ReplyError,
    protocol::{
        xinput::{ConnectionExt as _, Device, InputStateData},
        xproto::{self, Window},
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

/// Lets go of the keys and buttons that the server's XTEST devices hold, and of nothing that a hand holds; answers how
/// many there were.
pub(super) fn let_go(connection: &RustConnection, root: Window) -> Result<usize, ReplyError> {
    connection.xinput_xi_query_version(2, 2)?.reply()?;
    let devices = connection.xinput_xi_query_device(Device::ALL)?.reply()?;
    let injected = devices
        .infos
        .iter()
        .filter(|device| is_injected(&device.name));
    let mut held = Vec::new();
    for id in injected.filter_map(|device| u8::try_from(device.deviceid).ok()) {
        connection.xinput_open_device(id)?.reply()?;
        let state = connection.xinput_query_device_state(id)?.reply()?;
        for class in &state.classes {
            match &class.data {
                InputStateData::Key(keys) => {
                    held.extend(set_bits(&keys.keys).map(|code| (xproto::KEY_RELEASE_EVENT, code)))
                }
                InputStateData::Button(buttons) => held.extend(
                    set_bits(&buttons.buttons).map(|button| (xproto::BUTTON_RELEASE_EVENT, button)),
                ),
                InputStateData::Valuator(_) | InputStateData::InvalidValue(_) => {}
            }
        }
        connection.xinput_close_device(id)?;
    }
    for (kind, detail) in &held {
        connection.xtest_fake_input(*kind, *detail, x11rb::CURRENT_TIME, root, 0, 0, 0)?;
    }
    Ok(held.len())
}

/// Whether a device of this name is one of those through which XTEST injects.
fn is_injected(name: &[u8]) -> bool {
    name.windows(b"XTEST ".len()).any(|part| part == b"XTEST ")
}

/// The numbers of the bits that are set, the lowest of the first byte being 0.
fn set_bits(bytes: &[u8; 32]) -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(|bit| bytes[usize::from(bit / 8)] & (1 << (bit % 8)) != 0)
}
