//! What must not stand in an artifact: where, or by whom, it was made.

use std::env;
use std::path::Path;

use crate::command;

/// A name shorter than this occurs by chance.
const NAME_LEN_MIN: usize = 3;

/// The first path or name of this machine that occurs in `bytes`.
pub fn first_in(bytes: &[u8]) -> Option<String> {
    first_of(&marks(), bytes)
}

/// Workspace, build folder, home, folder for temporary files, and user.
fn marks() -> Vec<String> {
    let mut marks = vec![
        command::root().display().to_string(),
        command::target().display().to_string(),
        env::temp_dir().display().to_string() + "/",
        ["", "home", ""].join("/"),
    ];
    marks.extend(["HOME", "USERPROFILE", "USER", "LOGNAME", "USERNAME"].map(variable));
    marks.retain(|mark| mark.len() >= NAME_LEN_MIN && Path::new(mark) != Path::new("/"));
    marks
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// A path occurs anywhere; a name only as a whole word.
fn first_of(marks: &[String], bytes: &[u8]) -> Option<String> {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let occurs = |mark: &&String| {
        let text = mark.as_bytes();
        let mut windows = bytes.windows(text.len()).enumerate();
        windows.any(|(at, window)| {
            let whole = || {
                let before = at.checked_sub(1).and_then(|i| bytes.get(i));
                !is_word(before) && !is_word(bytes.get(at + text.len()))
            };
            window == text && (text.contains(&b'/') || whole())
        })
    };
    marks.iter().find(occurs).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_a_name_is_found_and_a_part_of_a_word_is_not() {
        let marks = ["/there/is".to_owned(), "sam".to_owned()];
        let found = |bytes: &[u8]| first_of(&marks, bytes);
        assert_eq!(found(b"x/there/isy").as_deref(), Some("/there/is"));
        assert_eq!(found(b"\x00sam\x01").as_deref(), Some("sam"));
        assert_eq!(found(b"samescore sample"), None);
    }

    #[test]
    fn the_workspace_is_among_the_marks() {
        let path = command::root().join("data").display().to_string();
        assert!(first_in(path.as_bytes()).is_some());
    }
}
