//! Where an upload lies while it comes in: a private file beside the database, gone when nobody
//! needs it any more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::faults;
use crate::id;

/// A file being received. It is removed when this is dropped.
pub struct Spool {
    path: PathBuf,
    file: File,
    size: u64,
    hash: Sha256,
}

impl Spool {
    /// An empty one in `folder`, which is made if it is missing.
    ///
    /// # Errors
    /// What the file system said.
    pub fn new(folder: &Path) -> Result<Spool> {
        make_private_folder(folder)?;
        let path = folder.join(id::hex(&id::random::<16>()?));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        faults::file()?;
        let file = options.open(&path)?;
        Ok(Spool {
            path,
            file,
            size: 0,
            hash: Sha256::new(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of the bytes so far, in hex.
    pub fn sha256(&self) -> String {
        id::hex(&self.hash.clone().finalize())
    }

    /// The file, from its first byte on.
    ///
    /// # Errors
    /// What the file system said.
    pub fn rewind(&mut self) -> Result<&mut File> {
        faults::file()?;
        self.file.seek(SeekFrom::Start(0))?;
        Ok(&mut self.file)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        faults::file()?;
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size += u64::try_from(written).unwrap_or(0);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        faults::file()?;
        self.file.flush()
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // What hindered it the first time may have passed; what can't be removed goes at the next start.
        if let Err(error) = remove(&self.path).or_else(|_| remove(&self.path)) {
            log::warn!("a temporary file could not be removed: {error}");
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    faults::file()?;
    fs::remove_file(path)
}

/// Removes what a process that died left behind.
///
/// # Errors
/// What the file system said.
pub fn clean(folder: &Path) -> Result<()> {
    faults::file()?;
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    faults::file()?;
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_knows_what_went_through_it_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path()).unwrap();
        spool.write_all(b"abc").unwrap();
        assert_eq!(spool.size(), 3);
        assert_eq!(spool.sha256(), id::sha256_hex(b"abc"));
        drop(spool);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
