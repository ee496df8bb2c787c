//! Names of users and groups, as `/etc/passwd` and `/etc/group` have them.
//!
//! What a directory service adds is not seen: its users and groups go by their numbers.

use std::fs;
use std::path::Path;

/// The name of a user.
pub fn user_name(uid: u32) -> Option<String> {
    name_of(Path::new("/etc/passwd"), uid)
}

/// The name of a group.
pub fn group_name(gid: u32) -> Option<String> {
    name_of(Path::new("/etc/group"), gid)
}

/// The number of a group, which is given by its name or by the number itself.
pub fn group_id(group: &str) -> Option<u32> {
    let named = accounts(Path::new("/etc/group"))
        .into_iter()
        .find(|(name, _)| name == group);
    named.map(|(_, gid)| gid).or_else(|| group.parse().ok())
}

fn name_of(file: &Path, id: u32) -> Option<String> {
    let found = accounts(file).into_iter().find(|(_, other)| *other == id);
    found.map(|(name, _)| name)
}

/// Name and number of each line; both files have them in the same places.
fn accounts(file: &Path) -> Vec<(String, u32)> {
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let account = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((name, fields.nth(1)?.parse().ok()?))
    };
    text.lines().filter_map(account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_root_and_a_number_is_itself() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(group_name(0).as_deref(), Some("root"));
        assert_eq!(group_id("root"), Some(0));
        assert_eq!(group_id("4000000001"), Some(4_000_000_001));
        assert_eq!(group_id("no such group"), None);
        assert_eq!(user_name(4_000_000_001), None);
    }
}
