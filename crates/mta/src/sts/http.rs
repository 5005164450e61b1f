//! As much of HTTP/1.1 (RFC 9112) as the fetching of a policy needs: one request, one answer, then the end.

use mxdrill_net::DomainName;

/// Octets of a request or an answer at most (RFC 8461 3.3 asks for a limit, such as 64 kilobytes).
pub(super) const SIZE_MAX: usize = 64 * 1024;
/// Where policies are (RFC 8461 3.3).
const PATH: &str = "/.well-known/mta-sts.txt";

/// The request for the policy at a host.
pub(super) fn request(host: &DomainName) -> String {
    format!("GET {PATH} HTTP/1.1\r\nHost: {host}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n")
}

/// Whether a whole request has come.
pub(super) fn is_whole_request(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|end| end == b"\r\n\r\n")
}

/// The answer to a request: the policy, or that there is nothing else here.
pub(super) fn answer(request: &[u8], policy: &str) -> String {
    let line = request.split(|b| *b == b'\r').next().unwrap_or_default();
    let mut words = line.split(|b| *b == b' ');
    let (status, body) = match (words.next(), words.next()) {
        (Some(b"GET"), Some(path)) if path == PATH.as_bytes() => ("200 OK", policy),
        (Some(b"GET"), _) => ("404 Not Found", ""),
        _ => ("405 Method Not Allowed", ""),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// What has come of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Response<'a> {
    /// Not all of it.
    Partial,
    /// A 200 with a text.
    Text(&'a str),
    /// Anything else. RFC 8461 3.3: redirects are not followed.
    Refused,
}

/// Reads an answer; without Content-Length its end is the end of the stream.
pub(super) fn read(bytes: &[u8], is_ended: bool) -> Response<'_> {
    let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else {
        return if is_ended { Response::Refused } else { Response::Partial };
    };
    let (Ok(head), body) = (std::str::from_utf8(&bytes[..end]), &bytes[end + 4..]) else {
        return Response::Refused;
    };
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.split(' ').nth(1));
    let field = |wanted: &str| {
        let mut fields = lines.clone().filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    // RFC 8461 3.3: the media type must be text/plain
    let is_text = field("content-type").is_some_and(|kind| kind.split(';').next() == Some("text/plain"));
    if status != Some("200") || !is_text || field("transfer-encoding").is_some() {
        return Response::Refused;
    }
    let length = field("content-length").and_then(|length| length.parse::<usize>().ok());
    let body = match length {
        Some(length) if body.len() >= length => &body[..length],
        None if is_ended => body,
        _ => return if is_ended { Response::Refused } else { Response::Partial },
    };
    std::str::from_utf8(body).map_or(Response::Refused, Response::Text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_asked_for_is_answered() {
        let asked = request(&"mta-sts.example.test".parse().expect("a name"));
        assert!(is_whole_request(asked.as_bytes()) && !is_whole_request(&asked.as_bytes()[..20]));
        let said = answer(asked.as_bytes(), "mode: none\r\n");
        assert_eq!(read(said.as_bytes(), false), Response::Text("mode: none\r\n"));
        assert_eq!(read(&said.as_bytes()[..said.len() - 1], false), Response::Partial);
        assert_eq!(read(&said.as_bytes()[..said.len() - 1], true), Response::Refused);
        let other = answer(b"GET / HTTP/1.1\r\n\r\n", "mode: none");
        assert_eq!(read(other.as_bytes(), false), Response::Refused);
    }

    #[test]
    fn redirects_and_other_kinds_are_no_policies() {
        let refused = |text: &str| assert_eq!(read(text.as_bytes(), true), Response::Refused, "{text}");
        refused("HTTP/1.1 301 Moved\r\nLocation: https://b.test/\r\nContent-Type: text/plain\r\n\r\nx");
        refused("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nx");
        refused("HTTP/1.1 200 OK\r\n\r\nx");
        refused("220 mx1 ESMTP");
        let open = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\n\r\nx";
        assert_eq!(read(open.as_bytes(), true), Response::Text("x"), "the end of the stream is its end");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200), ended in any::<bool>()) {
            let _ = read(&bytes, ended);
            let _ = answer(&bytes, "x");
        }
    }
}
