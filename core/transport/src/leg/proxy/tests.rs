//! Settings in a table, and tunnels through fake proxies.

use std::{io::Write as _, os::unix::fs::PermissionsExt as _, path::PathBuf};

use alongside_protocol::{fuzzing::mutations, obstacle::ObstacleKind};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

use super::*;
use crate::leg::tunnel::TcpDialer;

const CANARY: &str = "c4n4ry";

fn relay() -> RelayAddress {
    RelayAddress::new("relay.example")
}

fn environment(url: &str, bypass: &str) -> Result<Option<Proxy>, ProxySettingError> {
    Proxy::from_environment(&relay(), |name| match name {
        "ALL_PROXY" => Some(url.to_owned()),
        "NO_PROXY" => Some(bypass.to_owned()),
        _ => None,
    })
}

#[test]
fn an_argument_names_a_proxy_and_holds_no_password() {
    for (text, shown) in [
        ("http://proxy.lab:3128", "http://proxy.lab:3128"),
        ("proxy.lab:3128", "http://proxy.lab:3128"),
        ("proxy.lab", "http://proxy.lab:80"),
        ("HTTPS://proxy.lab/", "https://proxy.lab:443"),
        ("http://[fd00::1]:8080", "http://[fd00::1]:8080"),
    ] {
        assert_eq!(Proxy::from_argument(text).unwrap().to_string(), shown);
    }
    for text in ["http://lab:s3cret@proxy.lab", "http://lab@proxy.lab"] {
        let refused = Proxy::from_argument(text).unwrap_err();
        assert!(matches!(refused, ProxySettingError::PasswordInArgument));
        assert!(!format!("{refused} {refused:?}").contains("s3cret"));
    }
    for text in [
        "",
        "http://",
        "http://a:b",
        "http://a:0",
        "http://a:99999",
        "http://a/b",
        "a b",
        "http://[fd00::1",
    ] {
        let refused = Proxy::from_argument(text);
        assert!(
            matches!(refused, Err(ProxySettingError::NotAUrl)),
            "{text:?}"
        );
    }
    for text in [
        "http://wpad/wpad.dat",
        "http://a/proxy.pac?x",
        "pac+http://a",
    ] {
        let refused = Proxy::from_argument(text);
        assert!(
            matches!(refused, Err(ProxySettingError::Automatic)),
            "{text:?}"
        );
    }
    let socks = Proxy::from_argument("socks5://proxy.lab:1080");
    assert!(matches!(socks, Err(ProxySettingError::Scheme)));
}

#[test]
fn the_environment_counts_in_its_order_unless_it_excepts_the_relay() {
    let order = |set: &'static [&'static str]| {
        let found = Proxy::from_environment(&relay(), |name| {
            set.contains(&name)
                .then(|| name.to_ascii_lowercase().replace('_', "-") + ":1")
        });
        found.unwrap().map(|proxy| proxy.to_string())
    };
    assert_eq!(order(&[]), None);
    assert_eq!(order(&["all_proxy"]).unwrap(), "http://all-proxy:1");
    assert_eq!(
        order(&["all_proxy", "HTTPS_PROXY"]).unwrap(),
        "http://https-proxy:1"
    );
    assert!(
        environment("http://proxy.lab", "localhost,.example")
            .unwrap()
            .is_none()
    );
    assert!(
        environment("http://proxy.lab", "other.example")
            .unwrap()
            .is_some()
    );
    assert!(environment(" ", "").unwrap().is_none());
}

#[test]
fn user_and_password_of_the_environments_url_are_decoded() {
    let basic = |url: &str| {
        let proxy = environment(url, "").unwrap().unwrap();
        (*proxy.credentials.unwrap().basic()).clone()
    };
    // RFC 7617, section 2, and the signs that the URL-safe alphabet would spell otherwise.
    assert_eq!(
        basic("http://Aladdin:open%20sesame@p"),
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    );
    assert_eq!(
        basic("http://la%62:a%3Eb%3Fc%7e%7E%2F@p"),
        "Basic bGFiOmE+Yj9jfn4v"
    );
    assert_eq!(basic("http://lab:a@b@p"), "Basic bGFiOmFAYg==");
    for url in [
        "http://a:%@p",
        "http://a:%4@p",
        "http://a:%zz@p",
        "http://a:%ff@p",
        "http://a%3Ab:c@p",
    ] {
        assert!(environment(url, "").is_err(), "{url}");
    }
    assert!(environment("http://a:b%0d%0a@p", "").is_err());
}

#[test]
fn credentials_come_from_a_file_that_nobody_else_may_read() {
    let path = std::env::temp_dir().join(format!("alongside-proxy-{}", std::process::id()));
    let written = |text: &[u8], mode| {
        let mut file = std::fs::File::create(&path).unwrap();
        file.set_permissions(std::fs::Permissions::from_mode(mode))
            .unwrap();
        file.write_all(text).unwrap();
        Credentials::from_file(&path)
    };
    assert_eq!(
        *written(b"lab:a:b\r\n", 0o600).unwrap().basic(),
        "Basic bGFiOmE6Yg=="
    );
    for mode in [0o640, 0o604, 0o660] {
        let refused = written(b"lab:secret", mode).unwrap_err();
        assert!(matches!(refused, CredentialsError::Open { .. }));
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
    for text in [b"lab".as_slice(), b":x", b"lab:a\nb", b"", &[b'x'; 2000]] {
        assert!(
            matches!(written(text, 0o600), Err(CredentialsError::Form)),
            "{text:?}"
        );
    }
    std::fs::remove_file(&path).unwrap();
    let gone = Credentials::from_file(&path);
    assert!(matches!(gone, Err(CredentialsError::Read { .. })));
    let _: PathBuf = path;
}

/// A proxy that says `answer` to whoever comes, and gives what it was asked.
async fn fake(answer: &'static str) -> (Proxy, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (_, rest) = {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            ((), String::from_utf8(asked).unwrap())
        };
        rest
    });
    (Proxy::from_argument(&address.to_string()).unwrap(), asked)
}

fn known() -> Credentials {
    Credentials::new(&format!("lab:{CANARY}")).unwrap()
}

async fn failure(answer: &'static str, credentials: Option<Credentials>) -> ProxyError {
    let (mut proxy, _asked) = fake(answer).await;
    proxy.credentials = credentials;
    let tunnel = proxy.tunnel(&TcpDialer::default(), &relay()).await;
    tunnel.unwrap_err()
}

#[tokio::test]
async fn a_tunnel_is_asked_for_once_with_the_credentials_in_the_first_request() {
    let (proxy, asked) =
        fake("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 Connection established\r\n\r\n").await;
    let proxy = proxy.with_credentials(known());
    proxy.tunnel(&TcpDialer::default(), &relay()).await.unwrap();
    assert_eq!(
        asked.await.unwrap(),
        "CONNECT relay.example:443 HTTP/1.1\r\nHost: relay.example:443\r\nUser-Agent: alongside\r\n\
         Proxy-Authorization: Basic bGFiOmM0bjRyeQ==\r\n\r\n"
    );
    assert!(!format!("{proxy} {proxy:?}").contains(CANARY));
}

#[tokio::test]
async fn each_failure_has_its_word_and_says_what_to_do() {
    const BASIC: &str = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"Ward 7\"\r\n\r\n";
    const NTLM: &str =
        "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\r\n";
    for (answer, credentials, code, says) in [
        (
            BASIC,
            Some(known()),
            "proxy-credentials-wrong",
            "refuses the user name or the password",
        ),
        (
            BASIC,
            None,
            "proxy-credentials-needed",
            "\u{201c}Ward 7\u{201d}",
        ),
        (
            NTLM,
            Some(known()),
            "proxy-scheme",
            "wants NTLM or Negotiate",
        ),
        (NTLM, None, "proxy-scheme", "wants NTLM or Negotiate"),
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n",
            None,
            "proxy-refused",
            "(403 Forbidden)",
        ),
        (
            "HTTP/1.1 502 \u{1b}[2J\r\n\r\n",
            None,
            "proxy-refused",
            "(502)",
        ),
        (
            // A page to sign in at, which is nothing that a proxy's owner could allow.
            "HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n",
            None,
            "relay-unreachable",
            "(302 Found)",
        ),
        (
            "SSH-2.0-OpenSSH\r\n",
            None,
            "proxy-not",
            "is not an HTTP proxy",
        ),
        ("", None, "proxy-not", "is not an HTTP proxy"),
        (
            "HTTP/1.1 200 OK\r\n\r\ntoo early",
            None,
            "proxy-not",
            "is not an HTTP proxy",
        ),
        (
            "HTTP/1.1 two hundred\r\n\r\n",
            None,
            "proxy-not",
            "is not an HTTP proxy",
        ),
    ] {
        let failure = failure(answer, credentials).await;
        assert_eq!(failure.code(), code, "{answer:?}");
        let text = failure.to_string();
        assert!(text.contains(says), "{answer:?}: {text}");
        assert!(!format!("{text} {failure:?}").contains(CANARY));
    }
    let challenged = failure(BASIC, None).await.obstacle();
    assert_eq!(challenged.to_string(), "proxy-credentials-needed (Ward 7)");
    let other_scheme = failure(NTLM, None).await.obstacle();
    assert_eq!(other_scheme.to_string(), "proxy-scheme (NTLM or Negotiate)");
    let portal = failure("HTTP/1.1 302 Found\r\n\r\n", None).await;
    assert_eq!(portal.obstacle().kind, ObstacleKind::CaptivePortal);
    let nobody = Proxy::from_argument("127.0.0.1:1").unwrap();
    let failure = nobody
        .tunnel(&TcpDialer::default(), &relay())
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code(), failure.is_retryable()),
        ("proxy-unreachable", true)
    );
}

#[test]
fn what_was_refused_stays_refused_over_a_restart_until_its_file_changes() {
    let folder = std::env::temp_dir().join(format!("alongside-refused-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, memory) = (folder.join("credentials"), folder.join("refused"));
    let write = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&file, mode).unwrap();
    };
    let load = || {
        Credentials::from_file(&file)
            .unwrap()
            .remembered_in(&memory)
    };
    write("lab:guess");
    let (first, clone) = (load(), load());
    assert!(!first.are_refused());
    first.refuse();
    assert!(first.are_refused() && load().are_refused());
    assert!(!clone.are_refused(), "it was read before");
    assert!(!std::fs::read_to_string(&memory).unwrap().contains("guess"));
    // Worse ones do not count as a change.
    write("nothing that could be credentials");
    assert!(first.are_refused());
    write("lab:right");
    assert!(!first.are_refused() && !load().are_refused());
    assert_eq!(*first.basic(), "Basic bGFiOnJpZ2h0");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn wrong_credentials_are_not_sent_a_second_time() {
    let credentials = known();
    failure(
        "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n",
        Some(credentials.clone()),
    )
    .await;
    let (proxy, asked) = fake("HTTP/1.1 200 OK\r\n\r\n").await;
    let again = proxy.clone().with_credentials(credentials);
    let refused = again
        .tunnel(&TcpDialer::default(), &relay())
        .await
        .unwrap_err();
    assert!(matches!(refused, ProxyError::CredentialsWrong { .. }) && !refused.is_retryable());
    assert!(!asked.is_finished(), "nobody may have called");
    // Corrected ones are new ones.
    let corrected = proxy.with_credentials(known());
    corrected
        .tunnel(&TcpDialer::default(), &relay())
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_says_nothing_is_given_up() {
    let proxy = Proxy::from_argument("proxy.lab").unwrap();
    let (ours, _silent) = tokio::io::duplex(4096);
    #[derive(Debug)]
    struct One(std::sync::Mutex<Option<tokio::io::DuplexStream>>);
    impl StreamDialer for One {
        fn dial<'a>(&'a self, _: &'a str, _: u16) -> crate::leg::tunnel::Dialling<'a> {
            let stream = self.0.lock().unwrap().take().unwrap();
            Box::pin(async move { Ok(Box::new(stream) as Stream) })
        }
    }
    let start = tokio::time::Instant::now();
    let dialer = One(std::sync::Mutex::new(Some(ours)));
    let failure = proxy.tunnel(&dialer, &relay()).await.unwrap_err();
    assert_eq!(failure.code(), "proxy-unreachable");
    assert_eq!(start.elapsed().as_secs(), TUNNEL_TIMEOUT.as_secs());
}

#[test]
fn no_mutation_of_an_answer_does_harm() {
    let seeds = [
        "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"a, \\\"b\", NTLM\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: a, Upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ];
    let seeds = seeds.map(str::as_bytes);
    mutations(&seeds, 10_000, crate::fuzzing::proxy_answer);
}
