//! Turns away every request that the page itself, or a person opening it, did not make.

use std::net::SocketAddr;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

/// What a page may load and do: its own files and its own socket. `'self'` covers the WebSocket to the own origin.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
     connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// Headers of every answer, refusals included.
const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-embedder-policy"),
        "require-corp",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=()",
    ),
];

/// Lets a request through if it names this very server and comes from its own pages or from a person.
pub(super) async fn guard(
    State(address): State<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if is_ours(address, request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "not for you\n").into_response()
    };
    for (name, value) in HEADERS {
        // A mode's part of the console has a policy of its own.
        response
            .headers_mut()
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// - `Host` is exactly our address, once: a name that an attacker points at 127.0.0.1 is another.
/// - `Origin`, where there is one, is ours: a page of another site always sends its own.
/// - `Sec-Fetch-Site`, where there is one, says that our page or a person at the address bar asks.
fn is_ours(address: SocketAddr, headers: &HeaderMap) -> bool {
    let own = address.to_string();
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().is_some_and(|host| host == own.as_str()) && hosts.next().is_none();
    let origin = headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| origin == format!("http://{own}").as_str());
    let site = headers
        .get_all("sec-fetch-site")
        .iter()
        .all(|site| site == "same-origin" || site == "none");
    host && origin && site
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&str, &str)]) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], 4711));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        is_ours(address, &map)
    }

    #[test]
    fn only_the_own_address_is_a_host() {
        assert!(check(&[("host", "127.0.0.1:4711")]));
        for host in [
            "127.0.0.1",
            "127.0.0.1:4712",
            "localhost:4711",
            "evil.example:4711",
            "",
        ] {
            assert!(!check(&[("host", host)]), "{host}");
        }
        assert!(!check(&[]));
        assert!(!check(&[
            ("host", "127.0.0.1:4711"),
            ("host", "evil.example")
        ]));
    }

    #[test]
    fn another_origin_and_another_site_are_refused() {
        let host = ("host", "127.0.0.1:4711");
        assert!(check(&[
            host,
            ("origin", "http://127.0.0.1:4711"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(check(&[host, ("sec-fetch-site", "none")]));
        for origin in [
            "https://127.0.0.1:4711",
            "http://127.0.0.1:4712",
            "null",
            "https://evil.example",
        ] {
            assert!(!check(&[host, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert!(!check(&[host, ("sec-fetch-site", site)]), "{site}");
        }
    }
}
