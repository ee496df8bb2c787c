//! The list of cases in `pcaps/README.md`.

use crate::harness::blessing;
use std::path::Path;

const BEGIN: &str =
    "<!-- The list below is generated: SEKISHO_BLESS=1 cargo test --test golden -->\n";

/// What is wrong with the README's list, which has one line for each case; when blessing, it is
/// rewritten.
pub(crate) fn compare(proven: &[(String, String)], readme: &Path) -> Option<String> {
    let lines = proven
        .iter()
        .map(|(name, proves)| format!("- [`{name}`]({name}/): {proves}\n"));
    let list = format!("\n{}", lines.collect::<String>());
    let text = std::fs::read_to_string(readme).unwrap();
    let (above, found) = text
        .split_once(BEGIN)
        .expect("pcaps/README.md has the generated list");
    if blessing() {
        std::fs::write(readme, format!("{above}{BEGIN}{list}")).unwrap();
        return None;
    }
    (found != list).then(|| "README.md lists other cases than there are".to_owned())
}
