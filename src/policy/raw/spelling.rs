//! "Did you mean": the nearest of a few words.

/// How many words a message lists.
const LISTED: usize = 12;

/// How many letters a word that was cut short must have.
const LEAST: usize = 3;

/// The words, quoted and joined.
pub(crate) fn list<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .take(LISTED)
        .map(|word| format!("`{}`", word.as_ref()))
        .collect();
    let mut text = quoted.join(", ");
    if words.len() > LISTED {
        text.push_str(&format!(" and {} more", words.len() - LISTED));
    }
    text
}

/// "did you mean …?" if a word is near, else what there is.
pub(crate) fn suggest<S: AsRef<str>>(found: &str, words: &[S]) -> String {
    let all = words.iter().map(AsRef::as_ref);
    let begun = all.filter(|word| found.len() >= LEAST && word.starts_with(found));
    let begun: Vec<&str> = begun.collect();
    // Cut short, it is nearer to what it begins than to a word that looks like it.
    match (begun.as_slice(), nearest(found, words)) {
        (&[word], _) | (&[], Some(word)) => format!("did you mean `{word}`?"),
        (&[], None) if words.is_empty() => "none is declared".to_owned(),
        (&[], None) => format!("there is {}", list(words)),
        (words, _) => format!("did you mean one of {}?", list(words)),
    }
}

/// The word that differs least, if it differs in a third of its letters or less.
pub(crate) fn nearest<'w, S: AsRef<str>>(found: &str, words: &'w [S]) -> Option<&'w str> {
    let found = found.to_lowercase();
    words
        .iter()
        .map(AsRef::as_ref)
        .map(|word| (distance(&found, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= word.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, letter) in a.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in b.iter().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX);
            let mut best = (at(&last, column) + usize::from(letter != *other))
                .min(at(&last, column + 1) + 1)
                .min(at(&line, column) + 1);
            let left = column.checked_sub(1);
            if let Some(left) = left
                && previous == Some(*other)
                && b.get(left) == Some(&letter)
            {
                best = best.min(at(&before_last, left) + 1);
            }
            line.push(best);
        }
        before_last = last;
        last = line;
        previous = Some(letter);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (a, b, edits) in [
            ("", "abc", 3),
            ("drop", "drop", 0),
            ("dorp", "drop", 1),
            ("drp", "drop", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} → {b}");
        }
    }

    #[test]
    fn far_words_are_not_meant() {
        assert_eq!(nearest("tow", &["to", "to-other-than"]), Some("to"));
        assert_eq!(nearest("banana", &["to", "plans"]), None);
    }
}
