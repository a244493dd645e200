//! Which row had a key first: a table of hashes that takes a little more than twelve bytes a key, for a
//! file of a million rows has millions of them.

/// The table is so many lists of a few dozen keys each: they grow one by one and by little, where one
/// large table is up to three quarters empty, and needs its size again while it grows.
const LISTS: usize = 1 << 14;

/// Bits of a hash that say in which list it is.
const LIST_BITS: u32 = LISTS.trailing_zeros();

/// Keys that a list makes room for, at least.
const ROOM_MIN: usize = 4;

/// What is kept of a key.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// 64 bits of its hash.
    hash: [u32; 2],
    /// The row that had it first.
    row: u32,
}

/// The keys that were seen.
///
/// Keys are told apart by 78 bits of a cryptographic hash. That any two of four million share them by
/// chance happens to one file in tens of billions.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// None before the first key.
    lists: Vec<Vec<Entry>>,
}

impl Seen {
    /// The row that had this key before; where there is none, `row` is noted as the first. Of the hash
    /// count the first 96 bits.
    pub(super) fn note(&mut self, hash: [u32; 3], row: u32) -> Option<u32> {
        if self.lists.is_empty() {
            self.lists.resize_with(LISTS, Vec::new);
        }
        let [at, hash @ ..] = hash;
        let at = usize::try_from(at >> (u32::BITS - LIST_BITS)).unwrap_or(0);
        let list = self.lists.get_mut(at)?;
        if let Some(first) = list.iter().find(|entry| entry.hash == hash) {
            return Some(first.row);
        }
        if list.len() == list.capacity() {
            list.reserve_exact((list.len() / 4).max(ROOM_MIN));
        }
        list.push(Entry { hash, row });
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_hash_tells_keys_apart() {
        let mut seen = Seen::default();
        let hashes = [
            [0, 0, 0],
            [u32::MAX, 0, 0],
            [1 << (u32::BITS - LIST_BITS), 0, 0],
            [0, 1, 0],
            [0, 0, 1],
        ];
        for (row, hash) in (2..).zip(hashes) {
            assert_eq!(seen.note(hash, row), None);
        }
        for (row, hash) in (2..).zip(hashes) {
            assert_eq!(seen.note(hash, 99), Some(row));
        }
    }

    #[test]
    fn a_key_takes_little_more_than_what_is_kept_of_it() {
        let mut seen = Seen::default();
        let keys = 200_000_u32;
        for row in 0..keys {
            // Spread as a hash is.
            let spread = row.wrapping_mul(2_654_435_761);
            assert_eq!(seen.note([spread, row, 0], row), None);
        }
        let room: usize = seen.lists.iter().map(Vec::capacity).sum();
        let kept = usize::try_from(keys).unwrap();
        assert!(room < kept * 3 / 2, "room for {room} keys where {kept} are");
    }
}
