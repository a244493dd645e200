//! Which entries of a compound file's directory ([MS-CFB]) are its own, and which belong to an
//! object inside it: a sheet in a letter, or a sheet in a sheet.

/// Bytes of an entry.
pub(super) const ENTRY_BYTES: usize = 128;

/// For each entry of a directory, whether it lies in a storage below the root. What no tree leads
/// to is the file's own: some writers leave the root's tree unfinished.
pub(super) fn inside(directory: &[u8]) -> Vec<bool> {
    let entries: Vec<&[u8]> = directory.chunks_exact(ENTRY_BYTES).collect();
    let mut inside = vec![false; entries.len()];
    for storage in entries.iter().filter(|entry| entry.get(66) == Some(&1)) {
        mark(&entries, storage, &mut inside);
    }
    let mut own = vec![false; entries.len()];
    if let Some(root) = entries.first() {
        mark(&entries, root, &mut own);
    }
    for (inside, own) in inside.iter_mut().zip(own) {
        *inside &= !own;
    }
    inside
}

/// Marks the members of a storage: the tree of its first one, by left and right neighbours.
fn mark(entries: &[&[u8]], storage: &[u8], marks: &mut [bool]) {
    let mut ahead = vec![link(storage, 76)];
    while let Some(next) = ahead.pop() {
        // The root is nobody's member: some writers name it where there is no neighbour.
        if let (1.., Some(entry), Some(mark)) = (next, entries.get(next), marks.get_mut(next))
            && !std::mem::replace(mark, true)
        {
            ahead.extend([link(entry, 68), link(entry, 72)]);
        }
    }
}

/// The number of an entry; one that doesn't exist where there is none.
fn link(entry: &[u8], at: usize) -> usize {
    let four = entry.get(at..at + 4).and_then(|four| four.try_into().ok());
    let number = four.map_or(u32::MAX, u32::from_le_bytes);
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: u32 = u32::MAX;

    /// A directory of entries: kind, left, right and first member.
    fn directory(entries: &[(u8, u32, u32, u32)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, left, right, first) in entries {
            let mut entry = vec![0; ENTRY_BYTES];
            entry[66] = *kind;
            for (at, link) in [(68, left), (72, right), (76, first)] {
                entry[at..at + 4].copy_from_slice(&link.to_le_bytes());
            }
            bytes.extend(entry);
        }
        bytes
    }

    #[test]
    fn members_of_a_storage_are_told_from_those_of_the_root() {
        let sound = [
            (5, NONE, NONE, 2),
            (2, NONE, NONE, NONE),
            (2, 1, 3, NONE),
            (1, NONE, NONE, 4),
            (2, NONE, 5, NONE),
            (1, NONE, NONE, 6),
            (2, NONE, NONE, NONE),
        ];
        let expected = [false, false, false, false, true, true, true];
        assert_eq!(inside(&directory(&sound)), expected);
    }

    #[test]
    fn links_that_lead_nowhere_or_in_circles_end() {
        let circle = [(5, 0, 0, 1), (2, 1, 2, 9), (2, 1, 99, 0), (1, 3, 3, 3)];
        assert_eq!(
            inside(&directory(&circle)),
            [false, false, false, true],
            "the storage is its own member"
        );
        // A root without a tree: what no storage has is its own.
        let unfinished = [(5, 0, 0, NONE), (2, 0, 0, 0), (1, 0, 0, 3), (2, 0, 0, 0)];
        assert_eq!(inside(&directory(&unfinished)), [false, false, false, true]);
        assert!(inside(&[]).is_empty());
    }
}
