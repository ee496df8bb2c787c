//! What holds for every frame: random ones, and generated ones that were then spoilt.

use crate::check_parse::{check, check_frame, check_opening, every_tunnel, stays_decided};
use crate::closed::{parse, parse_fast};
use crate::frames::*;
use crate::generated::{Generated, Ip, generated};
use crate::tunnelled::{tunnelled, unwraps};
use proptest::prelude::*;
use proptest::sample::Index;
use sekisho::wire::{LinkType, Shape, Unwrap};

/// Some octets overwritten.
fn spoilt(mut frame: Vec<u8>, changes: &[(Index, u8)]) -> Vec<u8> {
    for (index, octet) in changes {
        let at = index.index(frame.len());
        frame[at] = *octet;
    }
    frame
}

fn any_link_type() -> impl Strategy<Value = LinkType> {
    let types = LinkType::READ.map(|(link_type, _)| link_type);
    prop_oneof![3 => Just(LinkType::ETHERNET), 2 => prop::sample::select(types.to_vec())]
}

/// More than proptest's own number of cases (`PROPTEST_CASES`), by this factor.
fn times(factor: u32) -> ProptestConfig {
    ProptestConfig::with_cases(ProptestConfig::default().cases * factor)
}

proptest! {
    #![proptest_config(times(8))]

    #[test]
    fn random_octets(input in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&input);
    }

    #[test]
    fn generated_frames_have_the_shape_of_their_plan(of in generated()) {
        let frame = of.frame();
        check_frame(&frame, of.plan.link);
        let packet = parse(&frame, of.plan.link);
        prop_assert_eq!(packet.shape, of.shape());
        prop_assert!(!packet.wants_more || packet.shape != Shape::Tcp);
        if packet.shape != Shape::EncapsulationLimit {
            prop_assert_eq!(usize::from(packet.ip_offset), of.ip_offset());
        }
    }

    #[test]
    fn spoilt_frames(
        of in generated(),
        link_type in any_link_type(),
        changes in prop::collection::vec(any::<(Index, u8)>(), 0..5),
        pad in 0..20usize,
    ) {
        let padded = [of.frame(), vec![0; pad]].concat();
        check_frame(&spoilt(padded, &changes), link_type);
    }

    /// Whatever is opened: wrapped up to three times, and then spoilt.
    #[test]
    fn spoilt_tunnels(
        of in tunnelled(),
        unwrap in unwraps(),
        changes in prop::collection::vec(any::<(Index, u8)>(), 0..4),
        cut in prop::option::weighted(0.3, any::<Index>()),
    ) {
        let mut frame = spoilt(of.frame(), &changes);
        if let Some(cut) = cut {
            frame.truncate(cut.index(frame.len()));
        }
        check_opening(&unwrap, &frame, of.plan.link);
    }
}

proptest! {
    #![proptest_config(times(1))]

    /// Each prefix is a frame of its own; and one that wants no more has the shape of the whole.
    #[test]
    fn every_prefix(
        of in generated(),
        changes in prop::collection::vec(any::<(Index, u8)>(), 0..3),
    ) {
        let frame = spoilt(of.frame(), &changes);
        let whole = parse(&frame, of.plan.link);
        for len in 0..frame.len() {
            check_frame(&frame[..len], of.plan.link);
            let short = parse(&frame[..len], of.plan.link);
            if !short.wants_more {
                stays_decided(&short, &whole);
            }
        }
    }

    /// So is each prefix where every tunnel is opened.
    #[test]
    fn every_prefix_of_tunnels(of in tunnelled()) {
        let unwrap = Unwrap::new(every_tunnel());
        let frame = of.frame();
        let whole = sekisho::wire::parse(&frame, of.plan.link, &unwrap);
        for len in 0..frame.len() {
            let short = sekisho::wire::parse(&frame[..len], of.plan.link, &unwrap);
            if !short.wants_more {
                stays_decided(&short, &whole);
            }
        }
    }

    /// The common layouts are what the fast lane is for: it has to answer them.
    #[test]
    fn plain_tcp_takes_the_fast_lane(mut of in generated()) {
        let ordinary = Generated { protocol: 6, transport: syn25(), ..of.clone() };
        of = ordinary;
        of.plan.link = LinkType::ETHERNET;
        of.plan.tags.truncate(1);
        (of.plan.snap, of.plan.pppoe, of.plan.labels) = (false, None, 0);
        of.plan.ip = match of.plan.ip {
            Ip::V4 { .. } => Ip::V4 { options: 0, offset: 0, more: false, chain: vec![] },
            Ip::V6 { .. } => Ip::V6 { chain: vec![] },
        };
        prop_assert!(parse_fast(&of.frame()).is_some());
    }
}

/// So are those of segmentation offload, whose length field is 0.
#[test]
fn a_length_of_zero_takes_the_fast_lane() {
    let four = ethernet(IP4, V4::tcp().total_len(0).over(syn25()));
    assert_eq!(parse_fast(&four), Some(syn25_over_v4(14)));
    let six = ethernet(IP6, V6::tcp().payload_len(0).over(syn25()));
    assert_eq!(parse_fast(&six), Some(syn25_over_v6(14)));
}
