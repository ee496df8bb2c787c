//! Generated frames before another reader: see `fuzz/check_lax.rs`.

use crate::check_parse::check_lax::agrees;
use crate::frames::ethernet;
use crate::generated::generated;
use proptest::prelude::*;
use proptest::sample::Index;
use sekisho::wire::LinkType;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases * 16))]

    #[test]
    fn the_full_lane_agrees_with_lax_slicing(
        mut of in generated(),
        changes in prop::collection::vec(any::<(Index, u8)>(), 0..4),
        cut in prop::option::of(any::<Index>()),
    ) {
        of.plan.link = LinkType::ETHERNET;
        of.plan.tags.truncate(3);
        (of.plan.snap, of.plan.pppoe, of.plan.labels) = (false, None, 0);
        let mut frame = of.frame();
        for (index, octet) in changes {
            let at = index.index(frame.len());
            frame[at] = octet;
        }
        if let Some(cut) = cut {
            frame.truncate(cut.index(frame.len()));
        }
        agrees(&frame);
    }
}

/// ARP whose lengths promise more than is there, found by chance: it is ARP all the same.
#[test]
fn an_arp_with_long_addresses() {
    let arp = [0, 1, 8, 0, 16, 4, 0, 1].into_iter().chain([0; 20]);
    agrees(&ethernet(0x0806, arp.collect()));
}

/// The comparison is no empty one: most frames get an opinion.
#[test]
fn the_other_reader_has_an_opinion() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut opinions = 0;
    for _ in 0..1_000 {
        let mut of = generated().new_tree(&mut runner).unwrap().current();
        of.plan.link = LinkType::ETHERNET;
        of.plan.tags.truncate(3);
        (of.plan.snap, of.plan.pppoe, of.plan.labels) = (false, None, 0);
        opinions += u32::from(agrees(&of.frame()));
    }
    assert!(opinions > 500, "{opinions} of 1000");
}
