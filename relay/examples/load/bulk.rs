//! One meeting of two whole legs, whose connection sends as fast as it goes.

use std::{sync::Arc, time::Duration};

use alongside_protocol::{Serial, relay::Role};
use alongside_transport::{
    Connection as _, Identity, Leg, LegConfig, LegEvent, LegEvents, Paths, RelayAddress, Trust,
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::{Failure, Load, process::RelayProcess};

const CHUNK: usize = 64 * 1024;

/// Sent before anything is measured: the ends have to find out what the way carries.
const WARM_UP: u64 = 16 << 20;

pub(crate) async fn run(load: &Load) -> Result<Value, Failure> {
    let relay = RelayProcess::start(load)?;
    let (operator, mut events) = leg(load, &relay, Role::Operator).await?;
    let (device, _events) = leg(load, &relay, Role::Device).await?;
    let allocated = operator.allocate(Duration::from_secs(600), None).await?;
    let accept = async {
        let prepare = device
            .claim(allocated.nameplate, Serial::new("BULK-1")?)
            .await?;
        Ok::<_, Failure>(device.accept(&prepare).await?)
    };
    let dial = async {
        loop {
            if let LegEvent::Peer(peer) = events.next().await {
                return Ok::<_, Failure>(operator.dial(&peer).await?);
            }
        }
    };
    let (at_operator, at_device) = tokio::try_join!(dial, accept)?;
    let bytes = load.mib << 20;
    let send = async {
        let (mut send, _receive) = at_device.open_bi(0).await?;
        let chunk = vec![7; CHUNK];
        let mut left = WARM_UP + bytes;
        while left > 0 {
            let len = left.min(CHUNK as u64);
            send.write_all(&chunk[..usize::try_from(len)?]).await?;
            left -= len;
        }
        send.shutdown().await?;
        Ok::<_, Failure>((send, _receive))
    };
    let receive = async {
        let (_send, mut receive) = at_operator.accept_bi().await?;
        let mut chunk = vec![0; CHUNK];
        let mut got = 0;
        while got < WARM_UP {
            got += receive.read(&mut chunk).await?.unwrap_or_default() as u64;
        }
        let (start, cpu) = (tokio::time::Instant::now(), relay.cpu()?);
        let mut measured = 0;
        while let Some(len) = receive.read(&mut chunk).await? {
            measured += len as u64;
        }
        let took = start.elapsed().as_secs_f64();
        Ok::<_, Failure>((measured, took, relay.cpu()?.saturating_sub(cpu)))
    };
    let (_streams, (measured, took, cpu)) = tokio::try_join!(send, receive)?;
    let gib = measured as f64 / (1_u64 << 30) as f64;
    let hundredths = |value: f64| (value * 100.0).round() / 100.0;
    Ok(json!({
        "bulk_mib": measured >> 20,
        "tls": load.tls,
        "mb_per_s": hundredths(measured as f64 / 1e6 / took),
        "relay_cpu_s_per_gib": hundredths(cpu.as_secs_f64() / gib),
        "relay_cpu_percent": hundredths(100.0 * cpu.as_secs_f64() / took),
    }))
}

async fn leg(load: &Load, relay: &RelayProcess, role: Role) -> Result<(Leg, LegEvents), Failure> {
    let identity = Arc::new(Identity::generate()?);
    let address = RelayAddress::new("127.0.0.1").with_danger_port(relay.address.port());
    let mut config = LegConfig::new(role, identity, address, Trust::CaFile(relay.ca.clone()));
    config.paths = Paths {
        direct: false,
        relay_quic: !load.tls,
        relay_tls: load.tls,
        ..Paths::default()
    };
    Ok(Leg::connect(config).await?)
}
