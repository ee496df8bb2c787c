//! The trie that both families share: 65,536 roots, then pages of 256 slots.
//!
//! ```text
//! roots[top 16 bits] ─▶ inner page[8 bits] ─▶ … ─▶ leaf page[8 bits] = value
//! ```
//!
//! Pages 0–255 of every level are *uniform*: page `v` says "value `v` everywhere below". A prefix
//! that covers a whole slot stores its value there, and that value is the id of the uniform page
//! of the next level. So every lookup walks all levels, and no branch depends on the table.

/// Pages 0–255 of a level.
const UNIFORM_PAGES: usize = 256;

const ROOTS: usize = 1 << 16;
const ROOT_BITS: u8 = 16;
const PAGE_BITS: u8 = 8;

type InnerPage = [u32; 256];
type LeafPage = [u8; 256];

/// A prefix of at most 40 bits and its value in one word: 40 bits of address (left-aligned, host
/// bits zero), 8 of length, 8 unused, 8 of value. The order of these words is the one that a trie
/// is built in: every prefix stands behind the prefixes that cover it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short(u64);

impl Short {
    /// `top` holds the address in its highest 40 bits.
    pub(super) fn new(top: u64, length: u8, value: u8) -> Self {
        Self(top & !0xFF_FFFF | u64::from(length) << 16 | u64::from(value))
    }

    /// Sorts by address, then by length; equal prefixes keep their order, so that the last one
    /// is painted last.
    pub(super) fn sort(prefixes: &mut [Self]) {
        prefixes.sort_by_key(|prefix| prefix.0 >> 16);
    }

    fn top(self) -> u64 {
        self.0 & !0xFF_FFFF
    }

    fn length(self) -> u8 {
        (self.0 >> 16) as u8
    }

    fn value(self) -> u8 {
        self.0 as u8
    }
}

/// How many pages of each level are not uniform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape<const INNER: usize> {
    inner: [usize; INNER],
    leaves: usize,
}

impl<const INNER: usize> Shape<INNER> {
    /// Counts the pages that `sorted` touches: a slot at depth *d* is divided when a prefix
    /// longer than *d* lies in it, and the prefixes that divide one slot stand in a row.
    pub(super) fn of(sorted: &[Short]) -> Self {
        let pages_below = |bits: u8| {
            let mut last = None;
            let mut pages = 0;
            for prefix in sorted.iter().filter(|prefix| prefix.length() > bits) {
                let slot = Some(prefix.top() >> (64 - bits));
                pages += usize::from(slot != last);
                last = slot;
            }
            pages
        };
        Self {
            inner: std::array::from_fn(|level| pages_below(bits_above(level))),
            leaves: pages_below(bits_above(INNER)),
        }
    }

    /// What a trie of this shape takes.
    pub(super) fn bytes(&self) -> u64 {
        let pages = |mixed: usize, page: usize| (UNIFORM_PAGES + mixed) as u64 * page as u64;
        let inner = self.inner.iter();
        (ROOTS * size_of::<u32>()) as u64
            + inner
                .map(|&mixed| pages(mixed, size_of::<InnerPage>()))
                .sum::<u64>()
            + pages(self.leaves, size_of::<LeafPage>())
    }
}

/// How many bits of the address are used up above `level`.
const fn bits_above(level: usize) -> u8 {
    ROOT_BITS + PAGE_BITS * level as u8
}

/// 16 bits, then `INNER` levels of 8 bits, then 8 bits: `INNER` + 2 loads.
pub(super) struct Trie<const INNER: usize> {
    roots: Box<[u32; ROOTS]>,
    inner: [Vec<InnerPage>; INNER],
    leaves: Vec<LeafPage>,
}

impl<const INNER: usize> Trie<INNER> {
    /// The longest prefix that a trie of this many levels holds.
    pub(super) const MAX_LENGTH: u8 = bits_above(INNER) + PAGE_BITS;

    /// Builds from prefixes that [`Short::sort`] has sorted, none longer than
    /// [`Self::MAX_LENGTH`].
    pub(super) fn build(sorted: &[Short], shape: &Shape<INNER>) -> Self {
        let mut trie = Self {
            roots: boxed_roots(),
            inner: shape.inner.map(|mixed| {
                let mut pages = Vec::with_capacity(UNIFORM_PAGES + mixed);
                pages.extend((0..=u8::MAX).map(|value| [u32::from(value); 256]));
                pages
            }),
            leaves: Vec::with_capacity(UNIFORM_PAGES + shape.leaves),
        };
        trie.leaves.extend((0..=u8::MAX).map(|value| [value; 256]));
        for &prefix in sorted {
            trie.paint(prefix);
        }
        trie
    }

    /// `top` holds the address, left-aligned.
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "slots are cut to their level's width; a page id is stored only once its page is there"
    )]
    pub(super) fn lookup(&self, top: u64) -> u8 {
        let mut page = self.roots[usize::from((top >> 48) as u16)];
        for (level, pages) in self.inner.iter().enumerate() {
            page = pages[page as usize][slot(top, level)];
        }
        self.leaves[page as usize][slot(top, INNER)]
    }

    /// What the trie takes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let inner = self.inner.iter();
        (size_of_val(&*self.roots)
            + inner
                .map(|pages| pages.capacity() * size_of::<InnerPage>())
                .sum::<usize>()
            + self.leaves.capacity() * size_of::<LeafPage>()) as u64
    }

    /// Stores a value in every slot that the prefix covers. What it covers is not divided yet:
    /// whatever divides it is longer, and comes later.
    #[expect(
        clippy::indexing_slicing,
        reason = "`covered` cuts its range to the width of the level that it is asked for"
    )]
    fn paint(&mut self, prefix: Short) {
        let (top, length, value) = (prefix.top(), prefix.length(), prefix.value());
        if length <= ROOT_BITS {
            let first = (top >> 48) as usize;
            let count = 1 << (ROOT_BITS - length);
            self.roots[first..(first + count).min(ROOTS)].fill(u32::from(value));
            return;
        }
        let mut page = &mut self.roots[usize::from((top >> 48) as u16)];
        for (level, pages) in self.inner.iter_mut().enumerate() {
            let divided = divide(pages, page, |value| [value; 256]);
            if length <= bits_above(level + 1) {
                divided[covered(top, length, level)].fill(u32::from(value));
                return;
            }
            page = &mut divided[slot(top, level)];
        }
        let divided = divide(&mut self.leaves, page, |value| [value as u8; 256]);
        divided[covered(top, length, INNER)].fill(value);
    }
}

/// The page that `id` names; a uniform one is replaced by a page of its own, of the same value.
#[expect(
    clippy::indexing_slicing,
    reason = "the page is there or was pushed just now"
)]
fn divide<'p, Page>(
    pages: &'p mut Vec<Page>,
    id: &mut u32,
    uniform: impl FnOnce(u32) -> Page,
) -> &'p mut Page {
    if (*id as usize) < UNIFORM_PAGES {
        let page = uniform(*id);
        // At most 2^24 pages lie below 16 + 8 bits of IPv4, and at most one for each prefix of
        // IPv6, of which memory holds fewer than 2^32.
        *id = pages.len() as u32;
        pages.push(page);
    }
    &mut pages[*id as usize]
}

/// Which of a page's 256 slots the address takes.
#[inline(always)]
fn slot(top: u64, level: usize) -> usize {
    usize::from((top >> (64 - bits_above(level) - PAGE_BITS)) as u8)
}

/// The slots of one page that a prefix covers; its length is that level's or the ones just above.
fn covered(top: u64, length: u8, level: usize) -> std::ops::Range<usize> {
    let first = slot(top, level);
    first..first + (1 << (bits_above(level) + PAGE_BITS - length))
}

/// Allocated on the heap at once: 256 KiB do not pass through the stack.
fn boxed_roots() -> Box<[u32; ROOTS]> {
    match vec![0; ROOTS].into_boxed_slice().try_into() {
        Ok(roots) => roots,
        Err(_) => unreachable!("the slice has exactly {ROOTS} slots"),
    }
}
