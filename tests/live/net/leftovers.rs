use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Once;

const PREFIX: &str = "sekisho-test";

/// The name of a namespace of a process.
pub(super) fn name(process: u32, number: u32, role: &str) -> String {
    format!("{PREFIX}-{process}-{number}-{role}")
}

/// Removes the namespaces of runs whose process is no more, the first time it is called.
pub(super) fn remove_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
            let found = entry.file_name();
            if found.to_str().and_then(maker).is_some_and(is_gone) {
                let _ = Command::new("ip")
                    .args(["netns", "delete"])
                    .arg(&found)
                    .status();
            }
        }
    });
}

/// The process that made a namespace, if a test did.
fn maker(name: &str) -> Option<u32> {
    let (process, _) = name
        .strip_prefix(PREFIX)?
        .strip_prefix('-')?
        .split_once('-')?;
    process.parse().ok()
}

fn is_gone(process: u32) -> bool {
    !Path::new("/proc").join(process.to_string()).exists()
}

#[test]
fn a_name_tells_its_maker() {
    assert_eq!(maker(&name(4711, 0, "box")), Some(4711));
    assert_eq!(maker("sekisho-test-x-0-box"), None);
    assert_eq!(maker("4711-0-box"), None);
}
