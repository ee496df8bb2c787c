//! The tricks, by what they bend.

mod addresses;
mod chains;
mod fragments;
mod lengths;
mod links;
mod ppp;
mod routes;
mod tcp;
mod tunnels;
mod unopened;

use super::Trick;

/// Every trick, by number.
pub fn catalogue() -> Vec<&'static Trick> {
    let mut all: Vec<_> = [
        addresses::TRICKS,
        chains::TRICKS,
        fragments::TRICKS,
        lengths::TRICKS,
        links::TRICKS,
        ppp::TRICKS,
        routes::TRICKS,
        tcp::TRICKS,
        tunnels::TRICKS,
        unopened::TRICKS,
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|trick| trick.number);
    all
}
