//! The cells of a row, one after another.

use rusqlite::Row;
use rusqlite::types::FromSql;

/// Reads the cells of a row in order. To find a cell by its name takes longer than to read it.
pub(super) struct Cells<'a, 'row> {
    row: &'a Row<'row>,
    next: usize,
}

impl<'a, 'row> Cells<'a, 'row> {
    pub(super) fn new(row: &'a Row<'row>) -> Self {
        Self { row, next: 0 }
    }

    /// The next cell.
    pub(super) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let at = self.advance();
        self.row.get(at)
    }

    /// The next cell: a count that has come from an unsigned one.
    pub(super) fn count(&mut self) -> rusqlite::Result<Option<u64>> {
        let count: Option<i64> = self.next()?;
        Ok(count.map(i64::unsigned_abs))
    }

    /// The next cell: a text, or bytes that are none.
    pub(super) fn bytes(&mut self) -> rusqlite::Result<Option<Box<[u8]>>> {
        let at = self.advance();
        Ok(self.row.get_ref(at)?.as_bytes_or_null()?.map(Into::into))
    }

    fn advance(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}
