//! Texts that many sessions share.

use std::num::NonZeroUsize;

use lru::LruCache;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ToSql, types::ToSqlOutput};

/// How many texts are remembered. A text has at most 4 KiB (a path), most have 30 bytes.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Sessions of one segment share their texts: `session.id >> SEGMENT_BITS` is the segment. When the last
/// session of a segment is deleted, the texts of the segment are deleted too.
pub(super) const SEGMENT_BITS: u32 = 16;

/// Gives texts their numbers. The same text may have several: one that was forgotten gets another.
#[derive(Debug)]
pub(super) struct Texts {
    known: LruCache<Box<[u8]>, i64>,
    segment: i64,
}

impl Default for Texts {
    fn default() -> Self {
        Self { known: LruCache::new(REMEMBERED), segment: -1 }
    }
}

impl Texts {
    /// The number of a text for the session with this number.
    pub(super) fn id(
        &mut self,
        connection: &Connection,
        session: i64,
        text: &[u8],
    ) -> rusqlite::Result<i64> {
        let segment = session >> SEGMENT_BITS;
        if segment != self.segment {
            self.known.clear();
            self.segment = segment;
        }
        if let Some(&id) = self.known.get(text) {
            return Ok(id);
        }
        let mut insert =
            connection.prepare_cached("INSERT INTO text (segment, value) VALUES (?, ?)")?;
        let id = insert.insert((segment, Bytes(text)))?;
        self.known.put(text.into(), id);
        Ok(id)
    }
}

/// Bytes of another process: a text if they are UTF-8.
struct Bytes<'a>(&'a [u8]);

impl ToSql for Bytes<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let is_text = std::str::from_utf8(self.0).is_ok();
        let value = if is_text { ValueRef::Text(self.0) } else { ValueRef::Blob(self.0) };
        Ok(ToSqlOutput::Borrowed(value))
    }
}
