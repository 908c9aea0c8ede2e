//! Heads of HTTP/1.1 messages: what a proxy answers, and how a WebSocket begins.
//!
//! Only heads, read without trust: bounded, and every byte of them made sense of or refused.

use std::{io, str};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest head that is read, in bytes; squid's and nginx's own limits are of this size.
pub const MAX_HEAD: usize = 8 * 1024;

/// Most fields in a head (Apache: 100).
const MAX_FIELDS: usize = 100;

/// Bytes read at once.
const CHUNK: usize = 1024;

/// A start line and its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    start: String,
    fields: Vec<(String, String)>,
}

/// A status line (RFC 9112, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// Three digits.
    pub code: u16,
    /// Words for people; may be empty.
    pub reason: &'a str,
}

/// Why there is no head.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// It is longer than [`MAX_HEAD`], or has too many fields.
    #[error("the head of the message is too long")]
    TooLong,
    /// It does not begin as HTTP/1 does, or a line of it is no field.
    #[error("not an HTTP/1 message")]
    NotHttp,
    /// The connection ended within it.
    #[error("the connection was closed before the message was complete")]
    Closed,
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[from] io::Error),
}

impl Head {
    /// Reads a head at the start of `bytes`, and how long it is; `None` while its end is not there.
    ///
    /// # Errors
    ///
    /// [`HeadError::TooLong`], [`HeadError::NotHttp`].
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeadError> {
        let Some(len) = end_of_head(bytes) else {
            return if bytes.len() >= MAX_HEAD {
                Err(HeadError::TooLong)
            } else {
                Ok(None)
            };
        };
        if len > MAX_HEAD {
            return Err(HeadError::TooLong);
        }
        // Fields may hold Latin-1 (RFC 9110, section 5.5); nothing that we look at does.
        let text = String::from_utf8_lossy(bytes.get(..len).unwrap_or_default());
        let mut lines = text.lines();
        let start = lines.next().unwrap_or_default().to_owned();
        let mut fields = Vec::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            if fields.len() == MAX_FIELDS {
                return Err(HeadError::TooLong);
            }
            let (name, value) = line.split_once(':').ok_or(HeadError::NotHttp)?;
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err(HeadError::NotHttp);
            }
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Some((Self { start, fields }, len)))
    }

    /// Reads a head from `stream`, and what came after it.
    ///
    /// # Errors
    ///
    /// [`HeadError`]; at once if the first bytes are not `begins_with`.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: what was read is lost.
    pub async fn read(
        stream: &mut (impl AsyncRead + Unpin),
        begins_with: &[u8],
    ) -> Result<(Self, Vec<u8>), HeadError> {
        Self::read_after(stream, begins_with, Vec::new()).await
    }

    /// The same, when `bytes` have been read already.
    ///
    /// # Errors
    ///
    /// As [`Head::read`].
    pub(crate) async fn read_after(
        stream: &mut (impl AsyncRead + Unpin),
        begins_with: &[u8],
        mut bytes: Vec<u8>,
    ) -> Result<(Self, Vec<u8>), HeadError> {
        loop {
            let known = bytes.len().min(begins_with.len());
            if bytes.get(..known) != begins_with.get(..known) {
                return Err(HeadError::NotHttp);
            }
            if let Some((head, len)) = Self::parse(&bytes)? {
                return Ok((head, bytes.split_off(len)));
            }
            let mut chunk = [0; CHUNK];
            let read = stream.read(&mut chunk).await?;
            if read == 0 {
                return Err(HeadError::Closed);
            }
            bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        }
    }

    /// The status, if this is the head of an answer.
    pub fn status(&self) -> Option<Status<'_>> {
        let mut parts = self.start.splitn(3, ' ');
        let version = parts.next()?;
        let code = parts.next()?;
        let is_ours = version == "HTTP/1.1" || version == "HTTP/1.0";
        let is_code = code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit());
        let code = code.parse().ok().filter(|_| is_ours && is_code)?;
        let reason = parts.next().unwrap_or_default().trim();
        Some(Status { code, reason })
    }

    /// Method and path without query, if this is the head of a request of HTTP/1.1.
    pub fn request(&self) -> Option<(&str, &str)> {
        let mut parts = self.start.split(' ');
        let request = (parts.next()?, parts.next()?);
        let path = request.1.split('?').next().unwrap_or_default();
        (parts.next() == Some("HTTP/1.1") && parts.next().is_none()).then_some((request.0, path))
    }

    /// Values of the fields called `name`, whatever the case of its letters.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether one of the fields called `name` lists `word`.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.fields(name)
            .flat_map(|value| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(word))
    }
}

/// Length of the head: the first empty line ends it. A bare line feed ends a line as well (RFC 9112, section 2.2).
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut after_line_feed = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if after_line_feed => return Some(at + 1),
            b'\n' => after_line_feed = true,
            b'\r' => {}
            _ => after_line_feed = false,
        }
    }
    None
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] =
        b"HTTP/1.1 407 Proxy Authentication Required\r\nVia: a\r\nvia: b, c\r\n\r\nrest";

    #[test]
    fn a_head_is_read_whole_and_what_follows_is_left() {
        let (head, len) = Head::parse(ANSWER).unwrap().unwrap();
        assert_eq!(&ANSWER[len..], b"rest");
        let status = head.status().unwrap();
        assert_eq!(
            (status.code, status.reason),
            (407, "Proxy Authentication Required")
        );
        assert_eq!(head.fields("VIA").collect::<Vec<_>>(), ["a", "b, c"]);
        assert!(head.lists("via", "C") && !head.lists("via", "d"));
        for cut in 0..len {
            assert!(Head::parse(&ANSWER[..cut]).unwrap().is_none(), "{cut}");
        }
    }

    #[test]
    fn a_request_has_a_method_and_a_path() {
        let request = |text: &str| {
            let (head, _) = Head::parse(text.as_bytes()).unwrap().unwrap();
            head.request().map(|(m, p)| (m.to_owned(), p.to_owned()))
        };
        let leg = Some(("GET".to_owned(), "/leg".to_owned()));
        assert_eq!(request("GET /leg HTTP/1.1\r\n\r\n"), leg);
        assert_eq!(request("GET /leg?x=1 HTTP/1.1\n\n"), leg);
        assert_eq!(request("GET /leg HTTP/2.0\r\n\r\n"), None);
        assert_eq!(request("GET /leg HTTP/1.1 x\r\n\r\n"), None);
        assert_eq!(request("HTTP/1.1 200 OK\r\n\r\n"), None);
    }

    #[test]
    fn what_is_no_http_and_what_never_ends_is_refused() {
        for text in [
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\na b: x\r\n\r\n",
        ] {
            let parsed = Head::parse(text.as_bytes());
            assert!(matches!(parsed, Err(HeadError::NotHttp)), "{text:?}");
        }
        let long = [b'x'; MAX_HEAD];
        assert!(matches!(Head::parse(&long), Err(HeadError::TooLong)));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
        let parsed = Head::parse(many.as_bytes());
        assert!(matches!(parsed, Err(HeadError::TooLong)));
        for text in [
            "HTTP/1.1 20 OK",
            "HTTP/1.1 +20 OK",
            "ICY 200 OK",
            "HTTP/1.1",
            "",
        ] {
            let (head, _) = Head::parse(format!("{text}\r\n\r\n").as_bytes())
                .unwrap()
                .unwrap();
            assert_eq!(head.status(), None, "{text:?}");
        }
    }

    #[tokio::test]
    async fn a_stream_that_speaks_something_else_is_refused_at_its_first_bytes() {
        let mut ssh: &[u8] = b"SSH-2.0-OpenSSH_9.2\r\n";
        let read = Head::read(&mut ssh, b"HTTP/1.").await;
        assert!(matches!(read, Err(HeadError::NotHttp)));
        let mut nothing: &[u8] = b"";
        let read = Head::read(&mut nothing, b"HTTP/1.").await;
        assert!(matches!(read, Err(HeadError::Closed)));
    }
}
