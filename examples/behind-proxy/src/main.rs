//! An operator tool in a company network: the only way out is an HTTP proxy that wants a name and a password.
//!
//! ```sh
//! HTTPS_PROXY=http://kim:secret@proxy.example.com:3128 cargo run -p behind-proxy -- relay.example.com ./state
//! ```
//!
//! A private certificate authority goes behind that, as a PEM file. The proxy and its password come from the
//! environment, never from the command line, where every process of the machine could read them.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "this tool is used on a terminal")]

use std::{env, error::Error, fs, path::Path, time::Duration};

use alongside::{
    Compartment, Operator, OperatorConfig, OperatorEvent, Relay, operator::Until, transport::Paths,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [host, state, ca @ ..] = &args[..] else {
        return Err("usage: behind-proxy RELAY STATE [CA]".into());
    };
    let mut relay = Relay::new(host)?;
    if let [ca] = ca {
        relay = relay.with_ca(fs::read(ca)?);
    }
    if let Ok(port) = env::var("ALONGSIDE_DANGER_RELAY_PORT") {
        relay = relay.danger_with_port(port.parse()?); // for the example's own test
    }
    match relay.proxy_of_environment(|name| env::var(name).ok())? {
        Some(proxy) => relay = relay.with_proxy(proxy),
        None => println!("no proxy in HTTPS_PROXY: going straight"),
    }
    // Usually every way is tried at once and the first one wins. This tool wants to know about the proxy.
    let paths = Paths {
        direct: false,
        relay_quic: false,
        relay_tls: false,
        ..Paths::default()
    };
    let (operator, handle, mut events) = Operator::new(OperatorConfig {
        relay: relay.with_paths(paths),
        identity: Compartment::open(Path::new(state))?.identity()?,
        name: None,
    });
    let work = async {
        while let Some(event) = events.recv().await {
            if let OperatorEvent::Ready = event {
                let code = handle.code(Duration::from_secs(600), None).await?;
                println!("through the proxy; code: {}", *code.digits);
                handle.end().await?;
            }
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let (ran, worked) = tokio::join!(operator.run(Until::Stopped), work);
    // What stands in the way is said as a sentence: wrong credentials, none, a proxy that is none.
    ran?;
    worked
}
