//! Changes of a trie while others look up.
//!
//! There is a page for each slot in which a longer prefix lies, and no other: `Pages::prefixes`
//! counts them. So a trie that was changed has the pages that a new one would have.
//!
//! A prefix of the greatest length (a host of IPv4) is a bit beside the leaf's slot that holds its
//! value; only the shorter ones are kept in a map. So millions of hosts cost the writer little
//! memory, and a change of one no search.
//!
//! ```text
//! spare ─fill─▶ ─publish─▶ in use ─last prefix leaves: slot above says one value─▶ retired
//!   ▲                                                                                 │
//!   └──────────────────────── every reader has announced a later burst ◀──────────────┘
//! ```

use std::collections::VecDeque;

use prefix_trie::PrefixMap;

use super::{SLOTS, Short, Trie, UNIFORM_PAGES, bits_above, depth_of, is_uniform, slot};
use crate::lpm::readers::{Epoch, Readers};
use crate::lpm::{Part, Refused};

/// Which prefixes a trie holds, and which of its pages are in use, spare, or retired.
pub(in crate::lpm) struct TrieWriter<const INNER: usize> {
    /// By depth, without the roots.
    levels: Vec<Pages>,
    /// The oldest first.
    retired: VecDeque<Retired>,
    /// By leaf page.
    longest: Vec<SlotSet>,
    /// The prefixes shorter than the greatest length, by top bits and length.
    shorter: PrefixMap<(u64, u8), u8>,
}

/// The slots of a leaf that are a prefix of the greatest length.
#[derive(Clone, Copy, Default)]
struct SlotSet([u64; SLOTS.div_ceil(64)]);

/// The pages of one depth.
struct Pages {
    /// By page: the prefixes that keep it in use.
    prefixes: Vec<u32>,
    spare: Vec<u32>,
}

/// A page that a reader may still be in until all have passed the epoch.
struct Retired {
    epoch: Epoch,
    depth: usize,
    page: u32,
}

impl<const INNER: usize> TrieWriter<INNER> {
    /// Takes charge of a trie that was built from these prefixes. Of equal ones the last counts.
    pub(in crate::lpm) fn new(trie: &Trie<INNER>, sorted: &[Short]) -> Self {
        let inner = trie.inner.iter().map(Vec::len);
        let pages = inner.chain([trie.leaves.len()]);
        let mut writer = Self {
            levels: pages.map(Pages::new).collect(),
            retired: VecDeque::new(),
            longest: vec![SlotSet::default(); trie.leaves.len()],
            shorter: PrefixMap::new(),
        };
        for &prefix in sorted {
            if writer.keep(trie, prefix) {
                writer.count_above(trie, prefix);
            }
        }
        for level in &mut writer.levels {
            // The last is taken first: low ids before high ones.
            let unused = (UNIFORM_PAGES..level.prefixes.len()).rev();
            let unused = unused.filter(|page| level.prefixes.get(*page) == Some(&0));
            level.spare = unused.map(|page| page as u32).collect();
        }
        writer
    }

    /// Gives a prefix a value, be it new or not; the value that it had.
    pub(in crate::lpm) fn insert(
        &mut self,
        trie: &Trie<INNER>,
        readers: &Readers,
        prefix: Short,
    ) -> Result<Option<u8>, Refused> {
        let before = self.value(trie, prefix);
        if before.is_none() {
            self.reserve(trie, readers, prefix)?;
            self.divide(trie, prefix);
            self.count_above(trie, prefix);
        }
        self.keep(trie, prefix);
        self.paint_around(trie, prefix);
        Ok(before)
    }

    /// Takes a prefix out, whatever its value here says; the value that it had.
    ///
    /// If pages are not needed any more, the slot above them takes the value that lies around the
    /// prefix, in one store, and they are retired.
    pub(in crate::lpm) fn remove(
        &mut self,
        trie: &Trie<INNER>,
        readers: &Readers,
        prefix: Short,
    ) -> Option<u8> {
        let before = self.value(trie, prefix)?;
        self.forget(trie, prefix);
        let around = self.shorter.get_lpm(&(prefix.top(), prefix.length()));
        let around = prefix.with_value(around.map_or(0, |(_, value)| *value));
        match self.count_out_above(trie, prefix) {
            None => self.paint_around(trie, around),
            Some(emptied) => {
                let (depth, page, slot) = emptied.above;
                trie.set(depth, page, slot, around.value().into());
                let epoch = readers.advance();
                let retire = |(depth, page)| Retired { epoch, depth, page };
                self.retired.extend(emptied.pages.into_iter().map(retire));
            }
        }
        Some(before)
    }

    /// Every prefix, those of the greatest length last.
    pub(in crate::lpm) fn prefixes(&self, trie: &Trie<INNER>) -> Vec<Short> {
        let shorter = self.shorter.iter();
        let mut found: Vec<_> = shorter
            .map(|((top, length), value)| Short::new(top, length, *value))
            .collect();
        self.collect_longest(trie, 0, 0, 0, &mut found);
        found
    }

    /// Makes pages spare that no reader can be in.
    pub(in crate::lpm) fn reclaim(&mut self, readers: &Readers) {
        let passed = readers.passed();
        while let Some(page) = self.retired.pop_front_if(|page| page.epoch <= passed) {
            if let Some(level) = self.levels.get_mut(page.depth - 1) {
                level.spare.push(page.page);
            }
        }
    }

    /// Pages that wait for readers.
    pub(in crate::lpm) fn retired(&self) -> usize {
        self.retired.len()
    }

    /// The value of exactly this prefix, if it is there.
    fn value(&self, trie: &Trie<INNER>, prefix: Short) -> Option<u8> {
        if prefix.length() < Trie::<INNER>::MAX_LENGTH {
            return self.shorter.get(&(prefix.top(), prefix.length())).copied();
        }
        let (leaf, slot) = place_of_longest(trie, prefix)?;
        let there = self.longest.get(leaf as usize)?.contains(slot);
        there.then(|| trie.get(INNER + 1, leaf, slot) as u8)
    }

    /// Notes a prefix, in whose slots there are pages; whether it is new.
    fn keep(&mut self, trie: &Trie<INNER>, prefix: Short) -> bool {
        if prefix.length() < Trie::<INNER>::MAX_LENGTH {
            let key = (prefix.top(), prefix.length());
            return self.shorter.insert(key, prefix.value()).is_none();
        }
        self.slot_set(trie, prefix)
            .is_some_and(|(set, slot)| set.insert(slot))
    }

    fn forget(&mut self, trie: &Trie<INNER>, prefix: Short) {
        if prefix.length() < Trie::<INNER>::MAX_LENGTH {
            self.shorter.remove(&(prefix.top(), prefix.length()));
        } else if let Some((set, slot)) = self.slot_set(trie, prefix) {
            set.remove(slot);
        }
    }

    fn slot_set(&mut self, trie: &Trie<INNER>, prefix: Short) -> Option<(&mut SlotSet, usize)> {
        let (leaf, slot) = place_of_longest(trie, prefix)?;
        Some((self.longest.get_mut(leaf as usize)?, slot))
    }

    fn collect_longest(
        &self,
        trie: &Trie<INNER>,
        depth: usize,
        page: u32,
        top: u64,
        found: &mut Vec<Short>,
    ) {
        let slots = if depth == 0 { super::ROOTS } else { SLOTS };
        for slot in 0..slots {
            let id = trie.get(depth, page, slot);
            let top = top | (slot as u64) << (64 - bits_above(depth + 1));
            if depth == INNER + 1 {
                let leaf = self.longest.get(page as usize);
                if leaf.is_some_and(|leaf| leaf.contains(slot)) {
                    found.push(Short::new(top, Trie::<INNER>::MAX_LENGTH, id as u8));
                }
            } else if !is_uniform(id) {
                self.collect_longest(trie, depth + 1, id, top, found);
            }
        }
    }

    /// Makes sure that there are pages for a new prefix.
    fn reserve(
        &mut self,
        trie: &Trie<INNER>,
        readers: &Readers,
        prefix: Short,
    ) -> Result<(), Refused> {
        let missing = missing_pages(trie, prefix);
        if missing.clone().all(|depth| self.has_spare(depth)) {
            return Ok(());
        }
        self.reclaim(readers);
        let Some(lacking) = missing.clone().find(|depth| !self.has_spare(*depth)) else {
            return Ok(());
        };
        let oldest = self.retired.iter().find(|page| page.depth == lacking);
        Err(oldest.map_or(Refused::Rebuild(Part::Pages), |oldest| {
            Refused::waiting(self.retired.len(), readers, oldest.epoch)
        }))
    }

    /// Divides the slots that a prefix lies in. Nothing that a lookup finds changes: the new pages
    /// say what the slots said. [`Self::reserve`] has been asked.
    fn divide(&mut self, trie: &Trie<INNER>, prefix: Short) {
        let mut page = 0;
        for depth in 0..depth_of(prefix.length()) {
            let place = slot(prefix.top(), depth);
            let mut id = trie.get(depth, page, place);
            if is_uniform(id) {
                let Some(new) = self.take_spare(depth + 1) else {
                    unreachable!("a page was reserved for each slot that is not divided");
                };
                trie.fill(depth + 1, new, id);
                trie.set(depth, page, place, new);
                id = new;
            }
            page = id;
        }
    }

    /// Counts a prefix in the pages that it lies in.
    fn count_above(&mut self, trie: &Trie<INNER>, prefix: Short) {
        let mut page = 0;
        for depth in 0..depth_of(prefix.length()) {
            page = trie.get(depth, page, slot(prefix.top(), depth));
            self.count_in(depth + 1, page);
        }
    }

    /// Counts a prefix out of the pages that it lay in, and says which of them are empty now.
    fn count_out_above(&mut self, trie: &Trie<INNER>, prefix: Short) -> Option<Emptied> {
        let mut page = 0;
        let mut emptied: Option<Emptied> = None;
        for depth in 0..depth_of(prefix.length()) {
            let place = slot(prefix.top(), depth);
            let id = trie.get(depth, page, place);
            if self.count_out(depth + 1, id) {
                let above = (depth, page, place);
                let emptied = emptied.get_or_insert(Emptied {
                    above,
                    pages: Vec::new(),
                });
                emptied.pages.push((depth + 1, id));
            }
            page = id;
        }
        emptied
    }

    /// Stores a prefix's value in every slot of it but those of the longer ones inside it: one
    /// store a slot.
    fn paint_around(&self, trie: &Trie<INNER>, prefix: Short) {
        if prefix.length() == Trie::<INNER>::MAX_LENGTH {
            if let Some((leaf, slot)) = place_of_longest(trie, prefix) {
                trie.set(INNER + 1, leaf, slot, prefix.value().into());
            }
            return;
        }
        let key = (prefix.top(), prefix.length());
        let mut next = prefix.top();
        for ((top, length), _) in self.shorter.children(&key) {
            let inside = Short::new(top, length, 0);
            if length == prefix.length() || inside.last() < next {
                continue;
            }
            if next < top {
                self.paint(trie, (0, 0), next..=top - 1, prefix.value());
            }
            let Some(behind) = inside.last().checked_add(1) else {
                return;
            };
            next = behind;
        }
        if next <= prefix.last() {
            self.paint(trie, (0, 0), next..=prefix.last(), prefix.value());
        }
    }

    /// Stores a value in the slots of a range of addresses, of which `shorter` has no prefix but
    /// those around the range, and which begins and ends where a slot does. Below `(depth, page)`.
    fn paint(
        &self,
        trie: &Trie<INNER>,
        (depth, page): (usize, u32),
        range: std::ops::RangeInclusive<u64>,
        value: u8,
    ) {
        let (first, last) = range.into_inner();
        let slot_bits = 64 - bits_above(depth + 1);
        for number in first >> slot_bits..=last >> slot_bits {
            let slot_first = number << slot_bits;
            let slot_last = slot_first | ((1 << slot_bits) - 1);
            let place = slot(slot_first, depth);
            if depth == INNER + 1 {
                let leaf = self.longest.get(page as usize);
                if leaf.is_some_and(|leaf| !leaf.contains(place)) {
                    trie.set(depth, page, place, value.into());
                }
                continue;
            }
            let below = trie.get(depth, page, place);
            if is_uniform(below) {
                debug_assert!(first <= slot_first && slot_last <= last, "a whole slot");
                trie.set(depth, page, place, value.into());
            } else {
                let part = first.max(slot_first)..=last.min(slot_last);
                self.paint(trie, (depth + 1, below), part, value);
            }
        }
    }

    fn has_spare(&self, depth: usize) -> bool {
        self.levels
            .get(depth - 1)
            .is_some_and(|level| !level.spare.is_empty())
    }

    fn take_spare(&mut self, depth: usize) -> Option<u32> {
        self.levels.get_mut(depth - 1)?.spare.pop()
    }

    fn count_in(&mut self, depth: usize, page: u32) {
        if let Some(prefixes) = self.prefixes_in(depth, page) {
            *prefixes += 1;
        }
    }

    /// Whether that was the last prefix in the page.
    fn count_out(&mut self, depth: usize, page: u32) -> bool {
        self.prefixes_in(depth, page).is_some_and(|prefixes| {
            *prefixes = prefixes.saturating_sub(1);
            *prefixes == 0
        })
    }

    fn prefixes_in(&mut self, depth: usize, page: u32) -> Option<&mut u32> {
        self.levels
            .get_mut(depth - 1)?
            .prefixes
            .get_mut(page as usize)
    }
}

impl Pages {
    fn new(pages: usize) -> Self {
        Self {
            prefixes: vec![0; pages],
            spare: Vec::new(),
        }
    }
}

/// The depths at which a prefix would need a page that is not there: from the first slot above it
/// that is not divided, downward.
fn missing_pages<const INNER: usize>(
    trie: &Trie<INNER>,
    prefix: Short,
) -> impl Iterator<Item = usize> + Clone {
    let deepest = depth_of(prefix.length());
    let mut page = 0;
    let divided = (0..deepest).take_while(|&depth| {
        page = trie.get(depth, page, slot(prefix.top(), depth));
        !is_uniform(page)
    });
    divided.count() + 1..=deepest
}

/// The leaf and the slot of a prefix of the greatest length, if its slots above are divided.
fn place_of_longest<const INNER: usize>(trie: &Trie<INNER>, prefix: Short) -> Option<(u32, usize)> {
    let mut page = 0;
    for depth in 0..=INNER {
        page = trie.get(depth, page, slot(prefix.top(), depth));
        if is_uniform(page) {
            return None;
        }
    }
    Some((page, slot(prefix.top(), INNER + 1)))
}

/// Pages that no prefix lies in any more.
struct Emptied {
    /// Depth, page and slot that named the topmost of them.
    above: (usize, u32, usize),
    /// Depth and page of each.
    pages: Vec<(usize, u32)>,
}

impl SlotSet {
    fn contains(&self, slot: usize) -> bool {
        self.0
            .get(slot / 64)
            .is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// Whether it is new.
    fn insert(&mut self, slot: usize) -> bool {
        let new = !self.contains(slot);
        if let Some(word) = self.0.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
        new
    }

    fn remove(&mut self, slot: usize) {
        if let Some(word) = self.0.get_mut(slot / 64) {
            *word &= !(1 << (slot % 64));
        }
    }
}
