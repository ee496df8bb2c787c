//! Source routes: IPv4's options (RFC 791 §3.1), IPv6's routing headers of type 0 (RFC 5095),
//! 2 (RFC 6275) and 4 (RFC 8754).

use super::Route;
use super::octets::{Octet, Octets};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Among the options behind IPv4's fixed header.
pub fn of_options(options: Octets<'_>) -> Route {
    const END: u8 = 0;
    const NOTHING: u8 = 1;
    const LOOSE: u8 = 131;
    const STRICT: u8 = 137;
    let (kind, length) = match (options.at(0), options.at(1)) {
        (Octet::Gone | Octet::There(END), _) => return Route::Nowhere,
        (Octet::There(NOTHING), _) => return of_options(options.behind(1)),
        (Octet::There(kind), Octet::There(length)) => (kind, usize::from(length)),
        // What is cut may say anything.
        (Octet::Cut, _) | (_, Octet::Cut) => return Route::Unreadable,
        (Octet::There(kind), Octet::Gone) => (kind, 0),
    };
    let is_whole = (2..=options.left()).contains(&length);
    match kind {
        LOOSE | STRICT if !is_whole || options.bounded(length).are_cut() => Route::Unreadable,
        LOOSE | STRICT => {
            let mut route = of_list(options.bounded(length));
            add(&mut route, of_options(options.behind(length)));
            route
        }
        _ if is_whole => of_options(options.behind(length)),
        _ => Route::Nowhere,
    }
}

/// Kind, length, where in the option the next address stands (from 1), addresses.
fn of_list(option: Octets<'_>) -> Route {
    let pointer = match option.at(2) {
        Octet::There(pointer) => usize::from(pointer),
        _ => return Route::Unreadable,
    };
    if pointer > option.left() {
        return Route::Nowhere;
    }
    if pointer < 4 {
        return Route::Unreadable;
    }
    let first = pointer - 1;
    if !(option.left() - first).is_multiple_of(4) {
        return Route::Unreadable;
    }
    let count = (option.left() - first) / 4;
    let addresses = (0..count).map(|index| option.number(first + index * 4, 4));
    let addresses: Option<Vec<_>> = addresses.map(Result::ok).collect();
    match addresses {
        Some(list) if !list.is_empty() => {
            let v4 = |number| IpAddr::V4(Ipv4Addr::from(number as u32));
            Route::Through(list.into_iter().map(v4).collect())
        }
        _ => Route::Unreadable,
    }
}

/// Of a routing header of so many octets; where they are not all there, its list is not read.
pub fn of_header(header: Octets<'_>, octets: usize) -> Route {
    const FIXED: usize = 8;
    let header = header.bounded(octets);
    let (kind, left) = match (header.at(2), header.at(3)) {
        (_, Octet::There(0)) => return Route::Nowhere,
        (Octet::There(kind), Octet::There(left)) => (kind, usize::from(left)),
        _ => return Route::Unreadable,
    };
    if header.left() < octets || header.are_cut() {
        return Route::Unreadable;
    }
    let (room, over) = ((octets - FIXED) / 16, (octets - FIXED) % 16);
    let last_entry = match header.at(4) {
        Octet::There(last_entry) => usize::from(last_entry),
        _ => return Route::Unreadable,
    };
    let listed = match kind {
        // The last so many are to be passed yet.
        0 | 2 if over == 0 && left <= room => room - left..room,
        // From the last to the first (RFC 8754 §4.3.1.1).
        4 if last_entry < room && left <= last_entry + 1 => 0..left,
        _ => return Route::Unreadable,
    };
    let addresses = listed.map(|index| header.number(FIXED + index * 16, 16));
    let addresses: Option<Vec<_>> = addresses.map(Result::ok).collect();
    addresses.map_or(Route::Unreadable, |list| {
        let v6 = |number| IpAddr::V6(Ipv6Addr::from(number));
        Route::Through(list.into_iter().map(v6).collect())
    })
}

/// A second route of one packet: an option that may stand once (RFC 791), or a header to be looked
/// at where the first ends.
pub fn add(route: &mut Route, other: Route) {
    *route = match (std::mem::replace(route, Route::Unreadable), other) {
        (Route::Nowhere, only) | (only, Route::Nowhere) => only,
        _ => Route::Unreadable,
    };
}
