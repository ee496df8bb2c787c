//! One prefix or address, as an operator writes it.

use crate::policy::Origin;
use crate::policy::diagnostic::{Code, Diagnostic};
use ipnet::IpNet;
use std::net::IpAddr;

/// Reads a prefix; a bare address is a prefix of its full length.
pub(crate) fn parse(text: &str, origin: &Origin) -> Result<IpNet, Diagnostic> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(not_an_address(text, address, origin));
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => most,
        Some(digits) => match digits.parse::<u8>() {
            Ok(length) if length <= most && digits.bytes().all(|b| b.is_ascii_digit()) => length,
            _ => return Err(bad_length(digits, most, origin)),
        },
    };
    match IpNet::new(address, length) {
        Ok(prefix) if prefix.trunc() == prefix => Ok(prefix),
        Ok(prefix) => Err(host_bits(prefix, origin)),
        Err(_) => Err(bad_length(&length.to_string(), most, origin)),
    }
}

fn host_bits(prefix: IpNet, origin: &Origin) -> Diagnostic {
    let (address, length) = (prefix.addr(), prefix.prefix_len());
    Diagnostic::new(
        Code::HOST_BITS_SET,
        format!("`{prefix}` has bits set beyond its length of {length}"),
        origin,
        "host bits set",
    )
    .help(format!(
        "write `{}` for the prefix, or `{address}` for the one address",
        prefix.trunc()
    ))
}

fn bad_length(found: &str, most: u8, origin: &Origin) -> Diagnostic {
    Diagnostic::new(
        Code::BAD_PREFIX,
        format!("`{found}` is not a prefix length"),
        origin,
        "not a prefix",
    )
    .help(format!(
        "expected a whole number from 0 to {most} behind the `/`"
    ))
}

fn not_an_address(text: &str, address: &str, origin: &Origin) -> Diagnostic {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if address.bytes().any(|byte| byte.is_ascii_alphabetic()) && address.bytes().all(name) {
        return Diagnostic::new(
            Code::HOST_NAME,
            format!("`{address}` is a name where an address belongs"),
            origin,
            "not an address",
        )
        .help(
            "a name resolves differently by place and time: look it up, and write the addresses",
        );
    }
    Diagnostic::new(
        Code::BAD_PREFIX,
        format!("`{text}` is neither a prefix nor an address"),
        origin,
        "not a prefix",
    )
    .help("expected such as 192.0.2.0/24, 192.0.2.1, 2001:db8::/32 or 2001:db8::1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::SourceId;

    fn outcome(text: &str) -> Result<String, &'static str> {
        let origin = Origin {
            source: SourceId(0),
            line: 1,
            span: 0..text.len(),
        };
        let parsed = parse(text, &origin);
        parsed
            .map(|prefix| prefix.to_string())
            .map_err(|found| found.code)
    }

    #[test]
    fn prefixes_and_addresses() {
        assert_eq!(outcome("192.0.2.0/24"), Ok("192.0.2.0/24".to_owned()));
        assert_eq!(outcome("192.0.2.1"), Ok("192.0.2.1/32".to_owned()));
        assert_eq!(outcome("0.0.0.0/0"), Ok("0.0.0.0/0".to_owned()));
        assert_eq!(outcome("2001:DB8::/32"), Ok("2001:db8::/32".to_owned()));
        assert_eq!(outcome("::"), Ok("::/128".to_owned()));
    }

    #[test]
    fn what_is_refused() {
        for (text, code) in [
            ("192.0.2.1/24", "host-bits-set"),
            ("2001:db8::1/32", "host-bits-set"),
            ("192.0.2.0/33", "bad-prefix"),
            ("192.0.2.0/+4", "bad-prefix"),
            ("192.0.2.0/", "bad-prefix"),
            ("192.0.2/24", "bad-prefix"),
            ("192.0.2.0-192.0.2.9", "bad-prefix"),
            ("2001:db8::/129", "bad-prefix"),
            ("fe80::1%eth0", "bad-prefix"),
            ("smtp.example.jp", "host-name"),
            ("localhost/32", "host-name"),
            ("", "bad-prefix"),
        ] {
            assert_eq!(outcome(text), Err(code), "{text}");
        }
    }
}
