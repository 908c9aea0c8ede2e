//! The example behind a proxy that wants Basic credentials.
#![allow(missing_docs, reason = "tests")]

use std::{fs, path::Path, process::Output, time::Duration};

use alongside_relay::{Config, Running, Socket, StateDir};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::Command,
    time::timeout,
};

/// Far longer than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// `kim:open sesame`, as RFC 7617 has it.
const CREDENTIALS: &str = "Proxy-Authorization: Basic a2ltOm9wZW4gc2VzYW1l";

#[tokio::test]
async fn the_relay_is_reached_through_the_proxy_with_the_right_password_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let relay = start_relay(folder.path());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(proxy(listener));

    let said = run(
        folder.path(),
        &relay,
        &format!("http://kim:open%20sesame@127.0.0.1:{port}"),
    )
    .await;
    let out = String::from_utf8_lossy(&said.stdout);
    assert!(
        said.status.success() && out.contains("through the proxy; code: "),
        "{said:?}"
    );

    let said = run(
        folder.path(),
        &relay,
        &format!("http://kim:wrong@127.0.0.1:{port}"),
    )
    .await;
    let err = String::from_utf8_lossy(&said.stderr);
    assert!(
        !said.status.success() && !err.contains("wrong@"),
        "{said:?}"
    );
}

async fn run(folder: &Path, relay: &Running, proxy: &str) -> Output {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_behind-proxy"));
    tool.arg("127.0.0.1")
        .arg(folder.join("operator"))
        .arg(relay.ca().expect("a private CA"))
        .env(
            "ALONGSIDE_DANGER_RELAY_PORT",
            relay.udp().port().to_string(),
        )
        .env("HTTPS_PROXY", proxy)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .kill_on_drop(true);
    timeout(PATIENCE, tool.output())
        .await
        .expect("in time")
        .expect("it runs")
}

/// Lets whoever knows the password through.
async fn proxy(listener: TcpListener) {
    while let Ok((mut client, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.ok()?);
            }
            let head = String::from_utf8(head).ok()?;
            if !head.contains(CREDENTIALS) {
                let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"Example\"\r\nContent-Length: 0\r\n\r\n";
                client.write_all(refusal).await.ok()?;
                return Some(());
            }
            let target = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
            let mut server = TcpStream::connect(target).await.ok()?;
            client
                .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                .await
                .ok()?;
            copy_bidirectional(&mut client, &mut server).await.ok()?;
            Some(())
        });
    }
}

fn start_relay(folder: &Path) -> Running {
    let state = StateDir::open(folder.join("relay")).expect("state");
    fs::write(state.file("operators.toml"), "allow = \"any\"\n").expect("operators");
    let mut config = Config::default();
    config.listen = Some([127, 0, 0, 1].into());
    config.danger_port = Some(0);
    alongside_relay::Relay::start(&config, state, Socket::Bind).expect("relay")
}
