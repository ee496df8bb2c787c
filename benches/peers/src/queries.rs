//! Which addresses are asked for.

use crate::random::Random;

const QUERIES: usize = 1 << 16;

/// The addresses of a prefix.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) first: u128,
    pub(crate) host_bits: u128,
    /// Bits of an address of this family.
    pub(crate) address_bits: u32,
}

pub(crate) struct Mix {
    pub(crate) name: &'static str,
    pub(crate) addresses: Vec<u128>,
    /// Whether it is timed; else it is only asked and compared.
    pub(crate) timed: bool,
}

/// 65,536 addresses in each mix.
pub(crate) fn mixes(mut spans: Vec<Span>) -> [Mix; 4] {
    let mut random = Random(7);
    let count = spans.len();
    spans.sort_by_key(|span| span.first);
    let in_order = spans.iter().cycle().take(QUERIES);
    let sequential = in_order.map(|span| span.first).collect();
    for index in (1..count).rev() {
        spans.swap(index, random.below(index + 1));
    }
    let uniform = draw(|random| random.pick(&spans).any(random), &mut random);
    // The rank of a draw by Zipf's law with exponent 1, nearly: n to the power of a uniform draw.
    let by_rank = |random: &mut Random| {
        let exponent = random.next() as f64 / u64::MAX as f64;
        let rank = (count as f64).powf(exponent) as usize;
        spans[rank.min(count - 1)].any(random)
    };
    let zipf = draw(by_rank, &mut random);
    // Within a few bits of a subscriber, and so often outside of its prefix.
    let near = |random: &mut Random| {
        let span = random.pick(&spans);
        let flipped = random.below(span.address_bits as usize);
        span.any(random) ^ 1 << flipped
    };
    let near = draw(near, &mut random);
    let mix = |name, addresses| Mix {
        name,
        addresses,
        timed: name != "near",
    };
    [
        mix("uniform", uniform),
        mix("Zipf", zipf),
        mix("sequential", sequential),
        mix("near", near),
    ]
}

fn draw(one: impl Fn(&mut Random) -> u128, random: &mut Random) -> Vec<u128> {
    (0..QUERIES).map(|_| one(random)).collect()
}

impl Span {
    fn any(self, random: &mut Random) -> u128 {
        let bits = u128::from(random.next()) << 64 | u128::from(random.next());
        self.first | bits & self.host_bits
    }
}
