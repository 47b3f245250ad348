//! Fields of heads: their grammar (RFC 9110 §5, RFC 9112 §5), read strictly,
//! and which of them concern one connection only (RFC 9110 §7.6.1).

use super::refusal::Refusal;

/// A piece of a head, as offsets into its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(super) fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// One field line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: Span,
    pub(super) value: Span,
    pub(super) kind: Kind,
}

/// What a proxy must know of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It goes through.
    Other,
    Connection,
    ContentLength,
    TransferEncoding,
    Host,
    Expect,
    Upgrade,
    Te,
    Trailer,
    MaxForwards,
    Accept,
    ContentType,
    Cookie,
    IdempotencyKey,
    /// `Keep-Alive`: for one connection, with a time that is worth reading.
    KeepAlive,
    /// For one connection only: dropped.
    Hop,
    /// Who asked, as somebody before us says: believed from few.
    Forwarded,
    /// A spelling that some servers take for a field that we write
    /// (`X_Forwarded_For`): dropped.
    Impostor,
    /// What an upstream says of its load.
    Load,
    /// The mark of an answer that was shed.
    Shed,
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        byte += 1;
    }
    table
};

/// Whether the bytes are a token (RFC 9110 §5.6.2).
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| TOKEN[usize::from(*byte)])
}

/// Whether a value has no control characters but tabs: no CR, LF, NUL.
pub(super) fn is_value(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (*byte >= 0x20 && *byte != 0x7f) || *byte == b'\t')
}

/// Without the spaces and tabs around it.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The members of a comma-separated list.
pub(super) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim).filter(|member| !member.is_empty())
}

/// Reads the line `head[start..end]`, which ends before its CR LF.
pub(super) fn parse(head: &[u8], start: usize, end: usize) -> Result<Field, Refusal> {
    let line = head.get(start..end).unwrap_or_default();
    let Some(colon) = memchr::memchr(b':', line) else {
        return Err(Refusal::bad("a header line has no colon"));
    };
    let (name, value) = line.split_at(colon);
    // A space before the colon, or a folded line, is read differently by
    // different servers (RFC 9112 §5.1, §5.2).
    if !is_token(name) {
        return Err(Refusal::bad("a header's name is not a token"));
    }
    let value = trim(value.get(1..).unwrap_or_default());
    if !is_value(value) {
        return Err(Refusal::bad("a header's value has control characters"));
    }
    // `trim` gives a part of `head`; its place is found by what follows it.
    let lead = line[colon + 1..].len() - trim_start(&line[colon + 1..]).len();
    let value_at = start + colon + 1 + lead;
    Ok(Field {
        name: Span::new(start, start + colon),
        value: Span::new(value_at, value_at + value.len()),
        kind: kind(name),
    })
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// What a field's name means to a proxy.
pub(super) fn kind(name: &[u8]) -> Kind {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    match name.len() {
        2 if is("te") => Kind::Te,
        4 if is("host") => Kind::Host,
        // Programs take it for a variable that names their own proxy.
        5 if is("proxy") => Kind::Hop,
        6 if is("accept") => Kind::Accept,
        6 if is("expect") => Kind::Expect,
        6 if is("cookie") => Kind::Cookie,
        7 if is("upgrade") => Kind::Upgrade,
        7 if is("trailer") => Kind::Trailer,
        9 if is("forwarded") => Kind::Forwarded,
        10 if is("connection") => Kind::Connection,
        10 if is("keep-alive") => Kind::KeepAlive,
        12 if is("max-forwards") => Kind::MaxForwards,
        12 if is("content-type") => Kind::ContentType,
        12 if is(crate::proxy::SHED_HEADER) => Kind::Shed,
        14 if is("content-length") => Kind::ContentLength,
        14 if is("http2-settings") => Kind::Hop,
        15 if is("idempotency-key") => Kind::IdempotencyKey,
        15 if is("x-forwarded-for") => Kind::Forwarded,
        16 if is("proxy-connection") => Kind::Hop,
        16 if is("x-forwarded-host") || is("x-forwarded-port") => Kind::Forwarded,
        17 if is("transfer-encoding") => Kind::TransferEncoding,
        17 if is("x-forwarded-proto") => Kind::Forwarded,
        18 if is("proxy-authenticate") => Kind::Hop,
        19 if is("proxy-authorization") => Kind::Hop,
        21 if is(crate::proxy::LOAD_HEADER) => Kind::Load,
        25 if is("proxy-authentication-info") => Kind::Hop,
        28 if is(crate::proxy::LOAD_WANTED_HEADER) => Kind::Hop,
        _ if name.contains(&b'_') => disguised(name),
        _ => Kind::Other,
    }
}

/// Servers that hand fields to programs as variables cannot tell `_` from
/// `-`; so a field that we drop or write must not come in disguise.
fn disguised(name: &[u8]) -> Kind {
    let mut plain = [0u8; 32];
    let Some(plain) = plain.get_mut(..name.len()) else { return Kind::Other };
    for (to, from) in plain.iter_mut().zip(name) {
        *to = if *from == b'_' { b'-' } else { *from };
    }
    if kind(plain) == Kind::Other { Kind::Other } else { Kind::Impostor }
}

/// Whether a field may stand in a trailer section: not what frames, routes or
/// authorises a message (RFC 9110 §6.5.1).
pub(super) fn may_trail(name: &[u8], kind: Kind) -> bool {
    const NEVER: [&str; 9] = [
        "authorization",
        "set-cookie",
        "content-encoding",
        "content-range",
        "cache-control",
        "www-authenticate",
        "location",
        "via",
        "age",
    ];
    kind == Kind::Other && !NEVER.iter().any(|never| name.eq_ignore_ascii_case(never.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(String, String, Kind)> {
        let head = format!("GET / HTTP/1.1\r\n{line}\r\n");
        let field = parse(head.as_bytes(), 16, 16 + line.len()).ok()?;
        let text = |span: Span| String::from_utf8(span.of(head.as_bytes()).to_vec()).unwrap();
        Some((text(field.name), text(field.value), field.kind))
    }

    #[test]
    fn lines_are_read_strictly() {
        type Read = Option<(&'static str, &'static str, Kind)>;
        let cases: [(&str, Read); 14] = [
            ("A: b", Some(("A", "b", Kind::Other))),
            ("A:b c \t", Some(("A", "b c", Kind::Other))),
            ("A:", Some(("A", "", Kind::Other))),
            ("A:  \t ", Some(("A", "", Kind::Other))),
            ("cOnTeNt-LeNgTh: 5", Some(("cOnTeNt-LeNgTh", "5", Kind::ContentLength))),
            ("X_Forwarded-For: 1", Some(("X_Forwarded-For", "1", Kind::Impostor))),
            ("Content_Length: 1", Some(("Content_Length", "1", Kind::Impostor))),
            ("my_own: 1", Some(("my_own", "1", Kind::Other))),
            ("A : b", None),
            (" A: b", None),
            ("\tfolded", None),
            ("A", None),
            (": b", None),
            ("A: b\rc", None),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|(n, v, k)| (n.to_owned(), v.to_owned(), k));
            assert_eq!(read(line), expected, "{line:?}");
        }
        for byte in [0u8, 0x0a, 0x0d, 0x7f, 0x1b] {
            assert!(!is_value(&[b'a', byte]), "{byte}");
        }
        assert!(is_value("a\tb é".as_bytes()));
    }
}
