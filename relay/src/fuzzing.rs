//! Bodies of fuzz targets: plain functions that must not panic, whatever bytes they get.

use alongside_protocol::LegToken;
use quinn::udp::RecvMeta;

use crate::{clock, config::Limits, forward::Table, operators::Operators};

/// Routes `data` as one received buffer whose first byte is the size of its packets, and checks that what goes
/// out and what is kept are no more than what came in.
///
/// # Panics
///
/// If they are more.
pub fn route(data: &[u8]) {
    let Some((&stride, data)) = data.split_first() else {
        return;
    };
    let addresses = [1, 2].map(|n| std::net::SocketAddr::from(([192, 0, 2, n], 1000)));
    let table = Table::new(LegToken(*b"relay-me"), &Limits::default());
    for (token, address) in [LegToken([0xa; 8]), LegToken([0xb; 8])]
        .into_iter()
        .zip(addresses)
    {
        table.insert(token, address, None);
    }
    let _meter = table.pair(LegToken([0xa; 8]), LegToken([0xb; 8]));
    for addr in addresses {
        let mut buffer = data.to_vec();
        let meta = RecvMeta {
            addr,
            len: data.len(),
            stride: stride.into(),
            ecn: None,
            dst_ip: None,
        };
        let sent = table.route_for_fuzzing(clock::now(), &meta, &mut buffer);
        assert!(sent <= data.len(), "{sent} bytes of {}", data.len());
    }
}

/// Reads `data` as an operators' file.
pub fn operators(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Operators::parse(text);
    }
}
