//! On what kind of file system a file lies, as Linux lists it.

use std::fs;
use std::path::{Path, PathBuf};

/// File systems that another machine keeps.
const NETWORK: [&str; 16] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "smb2",
    "ncpfs",
    "afs",
    "9p",
    "ceph",
    "glusterfs",
    "lustre",
    "gpfs",
    "davfs",
    "sshfs",
    "rclone",
];

/// The type of the file system that `path` lies on; `None` where the system has no such list.
pub(super) fn kind_of(path: &Path) -> Option<String> {
    let list = fs::read_to_string("/proc/self/mountinfo").ok()?;
    find(&list, &path.canonicalize().ok()?)
}

/// The last one listed wins where two are mounted at the same place.
fn find(list: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for line in list.lines() {
        let (before, after) = line.split_once(" - ")?;
        let (Some(at), Some(kind)) = (before.split(' ').nth(4), after.split(' ').next()) else {
            continue;
        };
        let at = PathBuf::from(unescape(at));
        let depth = at.components().count();
        if path.starts_with(&at) && best.as_ref().is_none_or(|(deepest, _)| depth >= *deepest) {
            best = Some((depth, kind.to_owned()));
        }
    }
    best.map(|(_, kind)| kind)
}

/// Spaces and the like are written in octal: `\040`.
fn unescape(text: &str) -> String {
    ["\\040 ", "\\011\t", "\\012\n", "\\134\\"]
        .iter()
        .fold(text.to_owned(), |text, pair| {
            let (code, letter) = pair.split_at(4);
            text.replace(code, letter)
        })
}

pub(super) fn is_network(kind: &str) -> bool {
    let plain = kind.strip_prefix("fuse.").unwrap_or(kind);
    NETWORK.contains(&plain)
}

pub(super) fn is_memory(kind: &str) -> bool {
    matches!(kind, "tmpfs" | "ramfs")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:25 / /mnt/office\\040share rw - cifs //server/share rw
31 27 0:26 / /mnt/office rw,relatime - xfs /dev/vdb rw
32 27 0:27 / /home/anna/cloud rw - fuse.sshfs anna@host: rw
33 31 0:28 / /mnt/office rw - nfs4 server:/x rw";

    #[test]
    fn the_deepest_mount_says_what_a_path_lies_on() {
        let kind = |path: &str| find(LIST, Path::new(path)).unwrap();
        assert_eq!(kind("/srv/a.db"), "ext4");
        assert_eq!(kind("/mnt/office share/a.db"), "cifs");
        assert_eq!(kind("/mnt/offices/a.db"), "ext4");
        assert_eq!(kind("/mnt/office/a.db"), "nfs4");
        assert!(is_network(&kind("/home/anna/cloud/a.db")));
        assert!(!is_network("fuse.ntfs-3g") && !is_network("ext4") && is_network("nfs4"));
    }
}
