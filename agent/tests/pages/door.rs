//! Who may speak to a page, tried without a browser.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use alongside_agent::api::{device, event::Role, operator};

use crate::scene::{LIMIT, Scene, blocking};

/// Status line of the answer to a request of these lines, all headers but the first line given.
fn ask(address: SocketAddr, path: &str, headers: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    let request = format!(
        "GET {path} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n",
        headers.join("\r\n")
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// Status of an attempt to open the socket.
fn knock(address: SocketAddr, origin: Option<&str>, protocols: &str) -> String {
    let mut headers = vec![
        format!("Host: {address}"),
        "Upgrade: websocket".to_owned(),
        "Sec-WebSocket-Version: 13".to_owned(),
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        format!("Sec-WebSocket-Protocol: {protocols}"),
    ];
    headers.extend(origin.map(|origin| format!("Origin: {origin}")));
    let headers = headers.join("\r\n");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    let request = format!("GET /ws HTTP/1.1\r\n{headers}\r\nConnection: Upgrade\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer[..read])
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn the_door_opens_to_its_own_page_alone() {
    let scene = Scene::<operator::Command>::start(Role::Operator).await;
    let address = scene.page.address();
    let url = scene.page.url().to_owned();
    blocking(move || {
        let host = format!("Host: {address}");
        for (what, want, headers) in [
            ("a person", "200", vec![host.as_str()]),
            (
                "the page itself",
                "200",
                vec![&host, "Sec-Fetch-Site: same-origin"],
            ),
            ("a rebound name", "403", vec!["Host: evil.example"]),
            ("another port", "403", vec!["Host: 127.0.0.1:1"]),
            (
                "a foreign origin",
                "403",
                vec![&host, "Origin: https://evil.example"],
            ),
            (
                "another program's page",
                "403",
                vec![&host, "Origin: http://127.0.0.1:1"],
            ),
            (
                "a cross-site load",
                "403",
                vec![&host, "Sec-Fetch-Site: cross-site"],
            ),
            (
                "a same-site load",
                "403",
                vec![&host, "Sec-Fetch-Site: same-site"],
            ),
        ] {
            let answer = ask(address, "/", &headers);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {want}")),
                "{what}: {answer}"
            );
            for header in [
                "content-security-policy: default-src 'none'",
                "x-content-type-options: nosniff",
                "cache-control: no-store",
            ] {
                assert!(answer.contains(header), "{what} lacks {header}: {answer}");
            }
        }
        assert!(ask(address, "/../Cargo.toml", &[&host]).starts_with("HTTP/1.1 404"));
        assert!(ask(address, "/favicon.ico", &[&host]).starts_with("HTTP/1.1 200"));

        let origin = format!("http://{address}");
        let ticket = url.split_once('#').expect("a ticket").1;
        let with = format!("alongside.1, ticket.{ticket}");
        for (what, want, origin, protocols) in [
            ("no ticket", "401", Some(origin.as_str()), "alongside.1"),
            (
                "a wrong ticket",
                "401",
                Some(&origin),
                "alongside.1, ticket.00",
            ),
            (
                "an empty session",
                "401",
                Some(&origin),
                "alongside.1, session.",
            ),
            ("no origin", "403", None, with.as_str()),
            (
                "a foreign origin",
                "403",
                Some("https://evil.example"),
                &with,
            ),
            ("an opaque origin", "403", Some("null"), &with),
            ("the ticket", "101", Some(&origin), &with),
            ("the ticket again", "401", Some(&origin), &with),
        ] {
            let answer = knock(address, origin, protocols);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {want}")),
                "{what}: {answer}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_listens_beyond_loopback_and_nothing_after_the_end() {
    let scene = Scene::<device::Command>::start(Role::Device).await;
    let address = scene.page.address();
    assert!(address.ip().is_loopback());
    scene.events.close();
    scene.page.finish().await;
    let gone = tokio::time::timeout(LIMIT, async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("no longer served");
}

#[tokio::test(start_paused = true)]
async fn who_closed_the_page_or_came_late_is_told_a_new_address() {
    let scene = Scene::<operator::Command>::start(Role::Operator).await;
    let page = &scene.page;
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    let began = tokio::time::Instant::now();
    let walk = async {
        let mut urls = vec![page.url().to_owned()];
        urls.push(told.recv().await.expect("an address"));
        assert_eq!(began.elapsed(), Duration::from_secs(600), "nobody came");
        for _ in 0..2 {
            // It is opened, and closed at once.
            let (address, url) = (page.address(), urls.last().expect("an address").clone());
            let answer = blocking(move || {
                let ticket = url.split_once('#').expect("a ticket").1;
                let origin = format!("http://{address}");
                knock(
                    address,
                    Some(&origin),
                    &format!("alongside.1, ticket.{ticket}"),
                )
            })
            .await;
            assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
            urls.push(told.recv().await.expect("an address"));
        }
        assert!(began.elapsed() < Duration::from_secs(1_200));
        let all = urls.len();
        urls.dedup();
        assert_eq!(urls.len(), all, "each its own");
    };
    tokio::select! {
        never = page.told_anew(|url| drop(sender.send(url.to_owned()))) => match never {},
        () = walk => {}
    }
}
