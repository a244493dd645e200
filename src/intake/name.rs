//! File names that may be kept.

/// Bytes of a file name that is kept.
const BYTES_MAX: usize = 255;

/// The name under which a file is kept: its last path component without control and direction
/// characters, at most 255 bytes long with its ending kept; `file` where nothing is left.
pub fn clean(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or("");
    let kept: String = last.chars().filter(|c| !is_unwanted(*c)).collect();
    let kept = kept.trim();
    if kept.is_empty() || kept == "." || kept == ".." {
        return "file".to_owned();
    }
    if kept.len() <= BYTES_MAX {
        return kept.to_owned();
    }
    let (stem, ending) = match kept.rfind('.') {
        Some(dot) if dot > 0 && kept.len() - dot <= 20 => kept.split_at(dot),
        _ => (kept, ""),
    };
    let mut end = (BYTES_MAX - ending.len()).min(stem.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", stem.get(..end).unwrap_or(""))
}

/// Control characters, and those that change the direction of writing or the line: a name with
/// them can look like another one.
fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_name_is_a_plain_one() {
        assert_eq!(clean("../../etc/passwd"), "passwd");
        assert_eq!(clean("C:\\Users\\me\\list.xlsx"), "list.xlsx");
        assert_eq!(clean("a\u{202e}xslx.exe\u{0}\n"), "axslx.exe");
        for empty in ["", "   ", "dir/", ".", "..", "\u{7}\u{200f}"] {
            assert_eq!(clean(empty), "file");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let long = format!("{}.xlsx", "ü".repeat(200));
        let kept = clean(&long);
        assert!(
            kept.len() <= 255 && kept.len() > 250 && kept.ends_with("ü.xlsx"),
            "{kept}"
        );
        assert_eq!(clean(&"a".repeat(255)).len(), 255);
        assert_eq!(clean(&"a".repeat(256)).len(), 255);
        assert_eq!(clean(&format!(".{}", "b".repeat(300))).len(), 255);
    }
}
