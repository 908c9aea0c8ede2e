//! Everything that goes over the wires of one namespace.

use std::{
    io::Read as _,
    sync::{Arc, Mutex},
    thread,
};

use socket2::{Domain, Protocol, Socket, Type};

use crate::ground::Ns;

/// `ETH_P_ALL` in network byte order (linux/if_ether.h).
const ALL: i32 = (0x0003_u16.to_be()) as i32;

/// Packets that were seen, as they were on the wire.
pub struct Capture(Arc<Mutex<Vec<Vec<u8>>>>);

impl Capture {
    /// Begins to listen on every interface of `place`.
    pub fn start(place: &Ns) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::downgrade(&seen);
        let mut socket = place.inside(|| {
            Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(ALL))).expect("root")
        });
        thread::spawn(move || {
            let mut packet = vec![0; 70_000];
            while let Ok(len) = socket.read(&mut packet) {
                let Some(kept) = kept.upgrade() else { return };
                kept.lock().unwrap().push(packet[..len].to_vec());
            }
        });
        Self(seen)
    }

    /// How many packets hold these bytes.
    pub fn count_of(&self, bytes: &[u8]) -> usize {
        let seen = self.0.lock().unwrap();
        let holds = |packet: &&Vec<u8>| packet.windows(bytes.len()).any(|part| part == bytes);
        seen.iter().filter(holds).count()
    }

    /// What kinds of packet were sent or received by hosts other than this: protocol and the lower of the two ports.
    pub fn kinds(&self) -> std::collections::BTreeSet<(&'static str, u16)> {
        let seen = self.0.lock().unwrap();
        seen.iter().filter_map(|frame| kind(frame)).collect()
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Of IPv4 in Ethernet, the protocol and the lower port.
fn kind(frame: &[u8]) -> Option<(&'static str, u16)> {
    let (ethernet, packet) = frame.split_at_checked(14)?;
    if ethernet[12..] != [0x08, 0x00] || packet.len() < 20 {
        return None;
    }
    let ports = packet.get(usize::from(packet[0] & 0x0f) * 4..)?;
    let port = |at| Some(u16::from_be_bytes([*ports.get(at)?, *ports.get(at + 1)?]));
    let lower = port(0)?.min(port(2)?);
    match packet[9] {
        6 => Some(("tcp", lower)),
        17 => Some(("udp", lower)),
        _ => Some(("other", 0)),
    }
}
