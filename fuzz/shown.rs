//! What holds for whatever is found in a text, shared by the checks of policies and pipelines.

use sekisho::policy::{self, Diagnostic, Severity, Sources};

/// There is either an error or a meaning, and every finding can be shown to people and programs.
pub(super) fn keeps_its_promises(has_meaning: bool, found: &[Diagnostic], sources: &Sources) {
    let is_error = |found: &Diagnostic| found.severity == Severity::Error;
    assert_ne!(has_meaning, found.iter().any(is_error), "{found:?}");
    can_be_shown(found, sources);
}

/// Places are whole characters of their text, lines are counted right, and nothing that was
/// written reaches the terminal as a control character.
pub(super) fn can_be_shown(diagnostics: &[Diagnostic], sources: &Sources) {
    for found in diagnostics {
        assert!(!found.labels.is_empty(), "{found:?}");
        for origin in found.labels.iter().map(|label| &label.origin) {
            let text = sources.text(origin.source);
            let before = text.get(..origin.span.start);
            let lines = before.map(|before| before.matches('\n').count() + 1);
            assert_eq!(lines, usize::try_from(origin.line).ok(), "{found:?}");
            assert!(text.get(origin.span.clone()).is_some(), "{found:?}");
        }
        found.to_json(sources);
    }
    policy::render(sources, diagnostics, true);
    let plain = policy::render(sources, diagnostics, false);
    let control = |letter: char| letter.is_control() && letter != '\n';
    assert!(!plain.contains(control), "{plain:?}");
}
