//! Finds the word that was probably meant.

/// The shortest word that is compared, dashes not counted: shorter ones are near to too many.
const CHARS_MIN: usize = 3;

/// The longest. What is longer is no slip, and comparing it takes time.
const CHARS_MAX: usize = 64;

/// The candidate that is nearest to `word`, if one is near: it has an edit in at most every third character, or it is the only
/// one that begins with `word`.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bare: Vec<char> = word.trim_start_matches('-').chars().take(CHARS_MAX + 1).collect();
    if !(CHARS_MIN..=CHARS_MAX).contains(&bare.len()) {
        return None;
    }
    let candidates: Vec<&str> = candidates.collect();
    let most = (bare.len() / 3).max(1);
    let bare_of = |candidate: &str| candidate.trim_start_matches('-').chars().collect::<Vec<_>>();
    let rated = candidates.iter().map(|candidate| (distance(&bare, &bare_of(candidate)), *candidate));
    let near = rated.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance);
    if let Some((_, candidate)) = near {
        return Some(candidate);
    }
    let mut begun = candidates.iter().filter(|candidate| bare_of(candidate).starts_with(&bare));
    let first = begun.next()?;
    begun.next().is_none().then_some(*first)
}

/// The least number of characters to insert, delete, replace or exchange with their neighbour that makes `a` of `b` (optimal
/// string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let is_other = usize::from(a[i] != b[j]);
            let mut least = (last[j] + is_other).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use crate::cli::args::near::{distance, nearest};

    #[test]
    fn edits_are_counted() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("fuel", "fuel", 0),
            ("fule", "fuel", 1),
            ("ful", "fuel", 1),
            ("fuell", "fuel", 1),
            ("fuil", "fuel", 1),
            ("leuf", "fuel", 3),
            ("serve", "server", 1),
            ("ca", "abc", 3),
        ] {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(distance(&chars(a), &chars(b)), expected, "{a} {b}");
            assert_eq!(distance(&chars(b), &chars(a)), expected, "{b} {a}");
        }
    }

    #[test]
    fn only_what_is_near_is_offered() {
        let known = ["--fuel", "--timeout", "--memory-pages", "--max-input", "--max-output", "--max-stack"];
        for (word, expected) in [
            ("--fule", Some("--fuel")),
            ("-fuel", Some("--fuel")),
            ("--Fuel", Some("--fuel")),
            ("--max-inptu", Some("--max-input")),
            ("--mem-pages", Some("--memory-pages")),
            ("--time", Some("--timeout")),
            ("--max", None),
            ("--fly", None),
            ("-f", None),
            ("--", None),
            ("--fool", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
        let long = "a".repeat(1 << 20);
        assert_eq!(nearest(&long, known.into_iter()), None);
    }
}
