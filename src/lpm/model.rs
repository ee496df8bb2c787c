//! The tries and their readers under loom, which runs each model in every order that the memory
//! model allows (with at most three preemptions).
//!
//! The code is the one that runs; only the trie is smaller (two roots, pages of two slots, three
//! values), see `trie/mod.rs`.

use std::sync::Arc;

use loom::thread;

use super::Refused;
use super::readers::{Reader, Readers};
use super::trie::{Shape, Short, Trie, TrieWriter};

/// The first addresses of the two roots: they have the same slots in the pages below.
const LEFT: u64 = 0;
const RIGHT: u64 = 1 << 63;

/// The greatest length: a root, a slot of an inner page, a slot of a leaf.
const HOST: u8 = Trie::<1>::MAX_LENGTH;

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// A trie of these prefixes, and nothing spare but what is asked for.
struct Live {
    trie: Arc<Trie<1>>,
    readers: Arc<Readers>,
    writer: TrieWriter<1>,
}

impl Live {
    fn build(prefixes: &[Short], spare: u32) -> Self {
        let shape = Shape::of(prefixes).with_spare(spare, spare);
        let trie = Arc::new(Trie::build(prefixes, &shape));
        Self {
            writer: TrieWriter::new(&trie, prefixes),
            readers: Readers::new(),
            trie,
        }
    }

    fn insert(&mut self, top: u64, length: u8, value: u8) -> Result<Option<u8>, Refused> {
        let prefix = Short::new(top, length, value);
        self.writer.insert(&self.trie, &self.readers, prefix)
    }

    fn remove(&mut self, top: u64, length: u8) -> Option<u8> {
        let prefix = Short::new(top, length, 0);
        self.writer.remove(&self.trie, &self.readers, prefix)
    }
}

#[test]
fn a_page_is_filled_before_anybody_finds_it() {
    check(|| {
        let mut live = Live::build(&[Short::new(LEFT, 1, 1)], 1);
        let trie = Arc::clone(&live.trie);
        let reader = thread::spawn(move || {
            let beside = trie.lookup(LEFT | 1 << 61);
            assert_eq!(beside, 1, "what lies beside the new prefix does not change");
            assert!([1, 2].contains(&trie.lookup(LEFT)));
        });
        live.insert(LEFT, HOST, 2).unwrap();
        reader.join().unwrap();
        assert_eq!(live.trie.lookup(LEFT), 2);
    });
}

#[test]
fn a_replaced_prefix_never_shows_the_one_around_it() {
    check(|| {
        let built = [Short::new(LEFT, 1, 0), Short::new(LEFT, HOST, 1)];
        let mut live = Live::build(&built, 0);
        let trie = Arc::clone(&live.trie);
        let reader = thread::spawn(move || {
            let (first, then) = (trie.lookup(LEFT), trie.lookup(LEFT));
            assert!(
                [(1, 1), (1, 2), (2, 2)].contains(&(first, then)),
                "{first} {then}"
            );
        });
        live.insert(LEFT, HOST, 2).unwrap();
        reader.join().unwrap();
    });
}

/// Two bursts: what they find on either side.
fn read(trie: &Trie<1>, reader: &mut Reader) {
    for _ in 0..2 {
        reader.announce();
        assert_ne!(trie.lookup(LEFT), 2, "the page is the right side's already");
        assert_ne!(trie.lookup(RIGHT), 1, "the page is the left side's still");
    }
}

/// Moves the only pages there are from one side to the other, as soon as the readers allow it.
fn move_pages(live: &mut Live) {
    assert_eq!(live.remove(LEFT, HOST), Some(1));
    for _ in 0..2 {
        match live.insert(RIGHT, HOST, 2) {
            Ok(_) => return assert_eq!(live.trie.lookup(RIGHT), 2),
            Err(refused) => assert_eq!(
                refused,
                Refused::Waiting {
                    waiting: 2,
                    readers: 1
                }
            ),
        }
        thread::yield_now();
    }
}

#[test]
fn a_retired_page_is_not_reused_before_the_reader_has_announced() {
    check(|| {
        let mut live = Live::build(&[Short::new(LEFT, HOST, 1)], 0);
        let trie = Arc::clone(&live.trie);
        let mut reader = live.readers.register();
        let thread = thread::spawn(move || read(&trie, &mut reader));
        move_pages(&mut live);
        thread.join().unwrap();
        live.insert(RIGHT, HOST, 2).unwrap();
        assert_eq!((live.trie.lookup(LEFT), live.trie.lookup(RIGHT)), (0, 2));
    });
}

#[test]
fn a_reader_that_registers_late_finds_no_reused_page() {
    check(|| {
        let mut live = Live::build(&[Short::new(LEFT, HOST, 1)], 0);
        let trie = Arc::clone(&live.trie);
        let readers = Arc::clone(&live.readers);
        let thread = thread::spawn(move || {
            let reader = readers.register();
            assert_ne!(trie.lookup(LEFT), 2);
            let reader = reader.park().resume();
            assert_ne!(trie.lookup(LEFT), 2);
            drop(reader);
        });
        move_pages(&mut live);
        thread.join().unwrap();
    });
}
