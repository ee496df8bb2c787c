//! Unfinished outputs are discarded while others begin, grow and end; alone in its process, for no
//! output can begin after that.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use sekisho::io::{OutputFile, discard_unfinished};
use std::fs;
use std::io::Write as _;
use std::thread;
use std::time::Duration;

#[test]
fn whatever_an_output_is_about_nothing_unfinished_is_left() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..8 {
        let path = folder.path().join(format!("out-{number}"));
        // Ends with the process: from some instant on it waits.
        thread::spawn(move || {
            for is_finished in [true, false].into_iter().cycle() {
                let mut output = OutputFile::create(&path).unwrap();
                output.write_all(b"whole").unwrap();
                if is_finished {
                    output.finish().unwrap();
                }
            }
        });
    }
    thread::sleep(Duration::from_millis(100));
    discard_unfinished();
    let names = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<Vec<_>>()
    };
    let left = names();
    assert!(left.iter().all(|name| name.starts_with("out-")), "{left:?}");
    thread::sleep(Duration::from_millis(50));
    assert_eq!(names(), left, "nothing begins after the end");
    for name in left {
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"whole");
    }
}
