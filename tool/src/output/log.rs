//! Stdout of a command that goes on when it cannot write.

use std::io::{self, Write};
use std::os::fd::AsFd;

use super::stderr::complain;
use super::stdout::ReadyWriter;

/// Lines are written when this many bytes wait, or at a flush. A longer line waits until it is
/// complete.
const CAPACITY: usize = 8 * 1024;

/// Writes whole lines to stdout. Waits for the reader, but not beyond the end of the command. A line that cannot be written, for example because the disk is
/// full, is dropped and counted. Only a closed pipe is an error: then nobody reads.
///
/// The first error and the number of dropped lines are reported on stderr.
pub(super) struct Log<W: AsFd> {
    out: W,
    writer: ReadyWriter,
    /// Bytes to write: the rest of a line that was cut, and lines.
    waiting: Vec<u8>,
    /// Length of the rest of a line whose beginning was written. The rest waits, whatever happens
    /// to later lines, so that no line continues another. Its bound is one line.
    cut: usize,
    /// How many lines were dropped.
    lost: u64,
    /// The first error was reported.
    is_reported: bool,
}

impl<W: AsFd> Log<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            writer: ReadyWriter::default(),
            waiting: Vec::new(),
            cut: 0,
            lost: 0,
            is_reported: false,
        }
    }

    /// Writes the first `len` bytes that wait, or drops them.
    fn write_out(&mut self, len: usize) -> io::Result<()> {
        let mut written = 0;
        while written < len {
            match self.writer.write(&self.out, &self.waiting[written..len]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error),
                Err(error) => {
                    self.report(&error);
                    self.drop_lines(written, len);
                    return Ok(());
                }
            }
        }
        self.cut = 0;
        self.waiting.drain(..len);
        // A long line must not keep its memory.
        self.waiting.shrink_to(2 * CAPACITY);
        Ok(())
    }

    /// Drops the lines up to `len`, except the rest of a line that was written in part.
    fn drop_lines(&mut self, written: usize, len: usize) {
        let is_within_line = match written.checked_sub(1) {
            Some(last) => self.waiting[last] != b'\n',
            None => self.cut > 0,
        };
        let rest = if is_within_line { line_len(&self.waiting[written..len]) } else { 0 };
        let dropped = &self.waiting[written + rest..len];
        self.lost += dropped.split_inclusive(|&byte| byte == b'\n').count() as u64;
        self.waiting.drain(written + rest..len);
        self.waiting.drain(..written);
        self.cut = rest;
    }

    fn report(&mut self, error: &io::Error) {
        if !self.is_reported && !self.writer.gave_up() {
            self.is_reported = true;
            complain(&format!(
                "cannot write to stdout: {error}; going on, and counting the lines that are lost"
            ));
        }
    }
}

/// The length of the first line, with its end.
fn line_len(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1)
}

impl<W: AsFd> Write for Log<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let before = self.waiting.len();
        self.waiting.extend_from_slice(bytes);
        // Only what is new is searched: a line of 100 KiB comes in as many pieces.
        if self.waiting.len() >= CAPACITY
            && let Some(end) = memchr::memrchr(b'\n', bytes)
        {
            self.write_out(before + end + 1)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out(self.waiting.len())
    }
}

impl<W: AsFd> Drop for Log<W> {
    fn drop(&mut self) {
        let lost = self.lost + u64::from(self.cut > 0);
        if lost > 0 {
            let lines = if lost == 1 { "line" } else { "lines" };
            let why = if self.writer.gave_up() { ", which nobody reads" } else { "" };
            complain(&format!("{lost} {lines} could not be written to stdout{why}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{PipeReader, PipeWriter, Read as _, pipe};

    use rustix::pipe::fcntl_setpipe_size;

    use super::*;

    /// Stdout that can be written to or not, as a disk with and without room.
    struct Disk {
        full: File,
        room: PipeWriter,
        has_room: std::cell::Cell<bool>,
    }

    impl AsFd for &Disk {
        fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
            if self.has_room.get() { self.room.as_fd() } else { self.full.as_fd() }
        }
    }

    fn disk() -> (Disk, PipeReader) {
        let (reader, room) = pipe().unwrap();
        let full = File::options().write(true).open("/dev/full").unwrap();
        (Disk { full, room, has_room: true.into() }, reader)
    }

    #[test]
    fn lines_that_find_no_room_are_dropped_and_counted() {
        let (disk, mut reader) = disk();
        let mut log = Log::new(&disk);
        for (has_room, text) in [(true, "a\n"), (false, "b\nc\n"), (false, "d\n"), (true, "e\n")] {
            disk.has_room.set(has_room);
            log.write_all(text.as_bytes()).unwrap();
            log.flush().unwrap();
        }
        assert_eq!((log.lost, log.cut, log.waiting.len()), (3, 0, 0));
        drop(log);
        drop(disk);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a\ne\n");
    }

    #[test]
    fn the_rest_of_a_line_that_was_cut_comes_first() {
        let (disk, mut reader) = disk();
        let mut log = Log::new(&disk);
        log.waiting.extend_from_slice(b"first\nsecond\nthird\n");
        // The disk took "first\nsec".
        log.drop_lines(9, 19);
        assert_eq!((&log.waiting[..], log.cut, log.lost), (&b"ond\n"[..], 4, 1));
        disk.has_room.set(false);
        log.write_all(b"fourth\n").unwrap();
        log.flush().unwrap();
        assert_eq!((&log.waiting[..], log.cut, log.lost), (&b"ond\n"[..], 4, 2));
        disk.has_room.set(true);
        log.write_all(b"fifth\n").unwrap();
        log.flush().unwrap();
        assert_eq!((log.waiting.len(), log.cut, log.lost), (0, 0, 2));
        drop(log);
        drop(disk);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "ond\nfifth\n");
    }

    #[test]
    fn memory_is_bounded_by_a_line() {
        let (disk, _reader) = disk();
        disk.has_room.set(false);
        let mut log = Log::new(&disk);
        for _ in 0..1000 {
            log.write_all(&[b"x".repeat(99), b"\n".to_vec()].concat()).unwrap();
        }
        assert!(log.waiting.len() < CAPACITY, "{}", log.waiting.len());
        log.flush().unwrap();
        assert_eq!(log.lost, 1000);
    }

    #[test]
    fn a_long_line_in_small_pieces_takes_no_longer_than_its_length() {
        let (disk, _reader) = disk();
        disk.has_room.set(false);
        let mut log = Log::new(&disk);
        let start = std::time::Instant::now();
        for _ in 0..2_000_000 {
            log.write_all(b"x").unwrap();
        }
        log.write_all(b"\n").unwrap();
        assert_eq!((log.lost, log.waiting.len()), (1, 0));
        // With a search through the whole line for each piece, this takes minutes.
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn a_closed_pipe_is_an_error() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let mut log = Log::new(writer);
        log.write_all(b"x\n").unwrap();
        assert_eq!(log.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(log.lost, 0);
    }

    #[test]
    fn a_pipe_that_does_not_block_loses_nothing() {
        let (mut reader, writer) = pipe().unwrap();
        fcntl_setpipe_size(&writer, 4096).unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let text = "0123456\n".repeat(4096);
        let copied = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        let mut log = Log::new(writer);
        log.write_all(text.as_bytes()).unwrap();
        log.flush().unwrap();
        assert_eq!(log.lost, 0);
        drop(log);
        assert!(copied.join().unwrap() == text);
    }
}
