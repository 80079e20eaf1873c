//! Tar archives.

use std::collections::BTreeMap;

use anyhow::Result;
use tar::{Builder, EntryType, Header};

/// A file: who may read and run it, and its content.
struct File {
    mode: u32,
    content: Vec<u8>,
}

/// The files of a tar archive, by their paths. The same files always make the same bytes: they are sorted,
/// belong to root, and have no time.
#[derive(Default)]
pub(super) struct Archive {
    files: BTreeMap<String, File>,
}

impl Archive {
    pub(super) fn add(&mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), File { mode, content: content.into() });
    }

    /// The archive's bytes. Its folders are implied, as every reader of images accepts.
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        let mut builder = Builder::new(Vec::new());
        for (path, file) in &self.files {
            let mut header = Header::new_ustar();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(file.mode);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_size(u64::try_from(file.content.len())?);
            builder.append_data(&mut header, path, &*file.content)?;
        }
        builder.into_inner().map_err(Into::into)
    }
}
