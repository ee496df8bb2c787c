//! The trie that both families share: 65,536 roots, then pages of 256 slots.
//!
//! ```text
//! roots[top 16 bits] ─▶ inner page[8 bits] ─▶ … ─▶ leaf page[8 bits] = value
//! ```
//!
//! Pages 0–255 of every level are *uniform*: page `v` says "value `v` everywhere below". A prefix
//! that covers a whole slot stores its value there, and that value is the id of the uniform page
//! of the next level. So every lookup walks all levels, and no branch depends on the table.
//!
//! Slots are atomics, which one writer may store to while others look up (`writer.rs`). A page's
//! id is released into the slot above only when the page is filled, and a lookup acquires it there;
//! a leaf's values are one byte each and need no order. On x86-64 all of these are plain moves.

mod writer;

pub(super) use writer::TrieWriter;

use super::atomics::{AtomicU8, AtomicU32, Ordering};

/// In a model under loom a trie of three bits, with three values, stands for the real one.
const MODEL: bool = cfg!(all(test, loom));

/// Pages 0–255 of a level.
const UNIFORM_PAGES: usize = if MODEL { 3 } else { 256 };

const ROOT_BITS: u8 = if MODEL { 1 } else { 16 };
const PAGE_BITS: u8 = if MODEL { 1 } else { 8 };
const ROOTS: usize = 1 << ROOT_BITS;
const SLOTS: usize = 1 << PAGE_BITS;

/// The ids of pages of the next level.
struct InnerPage([AtomicU32; SLOTS]);

struct LeafPage([AtomicU8; SLOTS]);

impl InnerPage {
    fn of(id: u32) -> Self {
        Self(std::array::from_fn(|_| AtomicU32::new(id)))
    }
}

impl LeafPage {
    fn of(value: u8) -> Self {
        Self(std::array::from_fn(|_| AtomicU8::new(value)))
    }
}

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

    pub(super) fn top(self) -> u64 {
        self.0 & !0xFF_FFFF
    }

    pub(super) fn length(self) -> u8 {
        (self.0 >> 16) as u8
    }

    pub(super) fn value(self) -> u8 {
        self.0 as u8
    }

    fn with_value(self, value: u8) -> Self {
        Self(self.0 & !0xFF | u64::from(value))
    }

    /// The last address that it covers, with every bit below set too.
    fn last(self) -> u64 {
        self.top() | u64::MAX >> self.length()
    }
}

/// How many pages of each level are not uniform, or kept for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape<const INNER: usize> {
    inner: [usize; INNER],
    leaves: usize,
}

impl<const INNER: usize> Shape<INNER> {
    /// Counts the pages that `sorted` touches: one for each slot that a prefix longer than the slot
    /// lies in, and the prefixes that lie in one slot stand in a row.
    pub(super) fn of(sorted: &[Short]) -> Self {
        // By depth; the address of a slot has at most 40 bits, so none is all ones.
        let mut last = [u64::MAX; MOST_DEPTHS];
        let mut pages = [0; MOST_DEPTHS];
        for prefix in sorted {
            let by_depth = last.iter_mut().zip(&mut pages).enumerate();
            let divided = by_depth.take(depth_of(prefix.length()) + 1).skip(1);
            // Who lies in the same slot as the one before lies in the same slots above it.
            for (depth, (last, pages)) in divided.rev() {
                let slot = prefix.top() >> (64 - bits_above(depth));
                if *last == slot {
                    break;
                }
                *last = slot;
                *pages += 1;
            }
        }
        let [_, below @ ..] = pages;
        let mut below = below.into_iter();
        Self {
            inner: std::array::from_fn(|_| below.next().unwrap_or(0)),
            leaves: below.next().unwrap_or(0),
        }
    }

    /// With so many more pages of each inner level, and so many more leaves.
    pub(super) fn with_spare(self, inner_pages: u32, leaf_pages: u32) -> Self {
        Self {
            inner: self.inner.map(|pages| pages + inner_pages as usize),
            leaves: self.leaves + leaf_pages as usize,
        }
    }

    /// What a trie of this shape takes.
    pub(super) fn bytes(&self) -> u64 {
        let pages = |mixed: usize, page: usize| (UNIFORM_PAGES + mixed) as u64 * page as u64;
        let inner = self.inner.iter();
        (ROOTS * size_of::<AtomicU32>()) as u64
            + inner
                .map(|&mixed| pages(mixed, size_of::<InnerPage>()))
                .sum::<u64>()
            + pages(self.leaves, size_of::<LeafPage>())
    }
}

/// The roots, two inner levels and the leaves.
const MOST_DEPTHS: usize = 4;

/// How many bits of the address are used up above a depth: the roots are depth 0, the leaves
/// depth `INNER` + 1.
const fn bits_above(depth: usize) -> u8 {
    match depth {
        0 => 0,
        _ => ROOT_BITS + PAGE_BITS * (depth as u8 - 1),
    }
}

/// The depth at which a prefix is written: the first one whose slots are not wider than it.
fn depth_of(length: u8) -> usize {
    usize::from(length.saturating_sub(ROOT_BITS).div_ceil(PAGE_BITS))
}

/// Where the pages are. A copy of it, since behind a reference the compiler would have to look anew
/// after each load that acquires.
#[derive(Clone, Copy)]
struct Pages<'t, const INNER: usize> {
    roots: &'t [AtomicU32; ROOTS],
    inner: [&'t [InnerPage]; INNER],
    leaves: &'t [LeafPage],
}

impl<const INNER: usize> Pages<'_, INNER> {
    #[inline(always)]
    #[expect(
        clippy::indexing_slicing,
        reason = "slots are cut to their depth's width; a page id is stored only once its page is there"
    )]
    fn lookup(self, top: u64) -> u8 {
        let mut page = self.roots[slot(top, 0)].load(Ordering::Acquire);
        for (level, pages) in self.inner.into_iter().enumerate() {
            page = pages[page as usize].0[slot(top, level + 1) % SLOTS].load(Ordering::Acquire);
        }
        self.leaves[page as usize].0[slot(top, INNER + 1) % SLOTS].load(Ordering::Relaxed)
    }
}

/// 16 bits, then `INNER` levels of 8 bits, then 8 bits: `INNER` + 2 loads.
pub(super) struct Trie<const INNER: usize> {
    roots: Box<[AtomicU32; ROOTS]>,
    inner: [Vec<InnerPage>; INNER],
    leaves: Vec<LeafPage>,
}

impl<const INNER: usize> Trie<INNER> {
    /// The longest prefix that a trie of this many levels holds.
    pub(super) const MAX_LENGTH: u8 = bits_above(INNER + 2);

    /// Builds from prefixes that [`Short::sort`] has sorted, none longer than
    /// [`Self::MAX_LENGTH`]; the shape is theirs, or theirs with spare pages.
    pub(super) fn build(sorted: &[Short], shape: &Shape<INNER>) -> Self {
        let mut trie = Self {
            roots: boxed_roots(),
            inner: shape
                .inner
                .map(|pages| Vec::with_capacity(UNIFORM_PAGES + pages)),
            leaves: Vec::with_capacity(UNIFORM_PAGES + shape.leaves),
        };
        for pages in &mut trie.inner {
            pages.extend((0..UNIFORM_PAGES as u32).map(InnerPage::of));
        }
        let values = 0..=(UNIFORM_PAGES - 1) as u8;
        trie.leaves.extend(values.map(LeafPage::of));
        // The slot above the last leaf that was written to, and that leaf.
        let mut last = (u64::MAX, 0);
        for &prefix in sorted {
            let deepest = depth_of(prefix.length());
            let above = prefix
                .top()
                .unbounded_shr(u32::from(64 - bits_above(deepest)));
            if deepest <= INNER || last.0 != above {
                let page = trie.divide_above(prefix, deepest);
                if deepest <= INNER {
                    trie.place(prefix, deepest, page);
                    continue;
                }
                last = (above, page);
            }
            trie.place_in_leaf(prefix, last.1);
        }
        for (pages, mixed) in trie.inner.iter_mut().zip(shape.inner) {
            pages.resize_with(UNIFORM_PAGES + mixed, || InnerPage::of(0));
        }
        let leaves = UNIFORM_PAGES + shape.leaves;
        trie.leaves.resize_with(leaves, || LeafPage::of(0));
        trie
    }

    /// `top` holds the address, left-aligned.
    #[inline(always)]
    pub(super) fn lookup(&self, top: u64) -> u8 {
        self.pages().lookup(top)
    }

    /// Looks many up at once: the loads of one do not wait for those of another.
    #[inline(always)]
    pub(super) fn lookup_each(&self, tops: impl Iterator<Item = u64>, values: &mut [u8]) {
        let pages = self.pages();
        for (value, top) in values.iter_mut().zip(tops) {
            *value = pages.lookup(top);
        }
    }

    #[inline(always)]
    fn pages(&self) -> Pages<'_, INNER> {
        Pages {
            roots: &self.roots,
            inner: self.inner.each_ref().map(Vec::as_slice),
            leaves: &self.leaves,
        }
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

    /// Gives each slot in which the prefix lies a page of its own; the lowest of these pages.
    fn divide_above(&mut self, prefix: Short, deepest: usize) -> u32 {
        let mut page = 0;
        for depth in 0..deepest {
            let place = slot(prefix.top(), depth);
            let mut id = self.get(depth, page, place);
            if is_uniform(id) {
                let new = self.push(depth + 1, id);
                self.set(depth, page, place, new);
                id = new;
            }
            page = id;
        }
        page
    }

    /// Stores a value in every slot that the prefix covers, before anybody looks up. None of them
    /// is divided yet: what divides a slot is longer, and comes later.
    fn place(&self, prefix: Short, depth: usize, page: u32) {
        for slot in slot(prefix.top(), depth)..=slot(prefix.last(), depth) {
            self.set(depth, page, slot, prefix.value().into());
        }
    }

    fn place_in_leaf(&self, prefix: Short, leaf: u32) {
        let slots = slot(prefix.top(), INNER + 1)..=slot(prefix.last(), INNER + 1);
        let leaf = self.leaves.get(leaf as usize);
        for value in leaf
            .and_then(|leaf| leaf.0.get(slots))
            .into_iter()
            .flatten()
        {
            value.store(prefix.value(), Ordering::Relaxed);
        }
    }

    /// Appends a page that says `id` everywhere; the new page's id.
    fn push(&mut self, depth: usize, id: u32) -> u32 {
        // At most 2^24 pages lie below 16 + 8 bits of IPv4, and at most one for each prefix of
        // IPv6, of which memory holds fewer than 2^32.
        if let Some(pages) = depth
            .checked_sub(1)
            .and_then(|level| self.inner.get_mut(level))
        {
            pages.push(InnerPage::of(id));
            (pages.len() - 1) as u32
        } else {
            self.leaves.push(LeafPage::of(id as u8));
            (self.leaves.len() - 1) as u32
        }
    }

    /// What a slot says: the id of a page of the next depth or, in a leaf, a value.
    #[expect(
        clippy::indexing_slicing,
        reason = "callers pass a page that a slot names, and a slot of its depth's width"
    )]
    fn get(&self, depth: usize, page: u32, slot: usize) -> u32 {
        match depth.checked_sub(1) {
            None => self.roots[slot].load(Ordering::Acquire),
            Some(level) if level == INNER => self.leaves[page as usize].0[slot]
                .load(Ordering::Relaxed)
                .into(),
            Some(level) => self.inner[level][page as usize].0[slot].load(Ordering::Acquire),
        }
    }

    /// One store: from now on the slot says `id`. What the page `id` says was stored before.
    #[expect(
        clippy::indexing_slicing,
        reason = "callers pass a page that a slot names, and a slot of its depth's width"
    )]
    fn set(&self, depth: usize, page: u32, slot: usize, id: u32) {
        match depth.checked_sub(1) {
            None => self.roots[slot].store(id, Ordering::Release),
            Some(level) if level == INNER => {
                self.leaves[page as usize].0[slot].store(id as u8, Ordering::Relaxed)
            }
            Some(level) => self.inner[level][page as usize].0[slot].store(id, Ordering::Release),
        }
    }

    /// Makes a spare page say `id` everywhere, before it is published.
    fn fill(&self, depth: usize, page: u32, id: u32) {
        for slot in 0..SLOTS {
            self.set(depth, page, slot, id);
        }
    }
}

fn is_uniform(id: u32) -> bool {
    (id as usize) < UNIFORM_PAGES
}

/// Which of a page's slots the address takes, or which root.
#[inline(always)]
fn slot(top: u64, depth: usize) -> usize {
    let shifted = (top >> (64 - bits_above(depth + 1))) as usize;
    match depth {
        0 => shifted,
        _ => shifted % SLOTS,
    }
}

/// Allocated on the heap at once: 256 KiB do not pass through the stack.
fn boxed_roots() -> Box<[AtomicU32; ROOTS]> {
    let roots: Box<[AtomicU32]> = (0..ROOTS).map(|_| AtomicU32::new(0)).collect();
    match roots.try_into() {
        Ok(roots) => roots,
        Err(_) => unreachable!("the slice has exactly {ROOTS} slots"),
    }
}
