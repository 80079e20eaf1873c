//! What waits to be written to a client.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BufMut;
use tokio::net::UnixStream;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::pair_frames::PairFrames;
use super::waiting::{Frames, Waiting};

/// The most data in one frame, bytes. kubectl takes about as much time for a frame as for 32 KiB.
const MAX_PIECE: usize = 64 * 1024;

/// Pieces of data that are not written yet. Streams take turns: tokio's semaphore is fair.
const MAX_PIECES: usize = 4;

/// Frames without data (replies, resets, pings) that may wait. Reading from the client pauses then.
const MAX_CONTROLS: usize = 256;

/// After so long without anything to write, the memory is given back.
const IDLE: Duration = Duration::from_secs(1);

/// Buffers that are smaller than this are kept, bytes.
const KEPT: usize = 4096;

/// What waits to be written to a client, as frames: at most [`MAX_PIECES`] pieces of data, with
/// what is being written.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    /// Woken when something waits.
    filled: Notify,
    /// Woken when everything has been written.
    emptied: Notify,
    pieces: Semaphore,
    controls: Semaphore,
}

/// Room for one piece of data.
pub(super) struct Room<'a>(SemaphorePermit<'a>);

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            filled: Notify::new(),
            emptied: Notify::new(),
            pieces: Semaphore::new(MAX_PIECES),
            controls: Semaphore::new(MAX_CONTROLS),
        }
    }

    /// Waits for room for a piece of data. `None` if the session has ended.
    pub(super) async fn room(&self) -> Option<Room<'_>> {
        Some(Room(self.pieces.acquire().await.ok()?))
    }

    /// Reads what a socket has, up to [`MAX_PIECE`] bytes, straight into a frame. Returns its length.
    pub(super) fn read_piece<F: PairFrames>(
        &self,
        socket: &UnixStream,
        frames: &F,
        room: Room,
    ) -> io::Result<usize> {
        let mut waiting = self.waiting();
        let bytes = &mut waiting.frames.bytes;
        let start = bytes.len();
        bytes.reserve(F::HEAD + MAX_PIECE);
        bytes.resize(start + F::HEAD, 0);
        let read = socket.try_read_buf(&mut (&mut *bytes).limit(MAX_PIECE));
        match read {
            Ok(length @ 1..) => {
                if let Some(head) = bytes.get_mut(start..start + F::HEAD) {
                    frames.head(head, length);
                }
                room.0.forget();
                waiting.frames.pieces += 1;
                self.filled.notify_one();
            }
            _ => bytes.truncate(start),
        }
        read
    }

    /// Puts in a frame without data. Waits while too many are unwritten.
    pub(super) async fn control(&self, frame: impl FnOnce(&mut Vec<u8>)) {
        if let Ok(room) = self.controls.acquire().await {
            self.put_control(room, frame);
        }
    }

    /// Puts in a frame without data if there is room.
    pub(super) fn try_control(&self, frame: impl FnOnce(&mut Vec<u8>)) {
        if let Ok(room) = self.controls.try_acquire() {
            self.put_control(room, frame);
        }
    }

    fn put_control(&self, room: SemaphorePermit, frame: impl FnOnce(&mut Vec<u8>)) {
        room.forget();
        let mut waiting = self.waiting();
        waiting.frames.controls += 1;
        frame(&mut waiting.frames.bytes);
        self.filled.notify_one();
    }

    /// Puts in one of the few frames that each stream has at its end. They need no room of their own: a
    /// stream begins with a reply, which does.
    pub(super) fn put(&self, frame: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = self.waiting();
        if !waiting.is_closed {
            frame(&mut waiting.frames.bytes);
            self.filled.notify_one();
        }
    }

    /// Nothing more comes after this last frame.
    pub(super) fn close(&self, frame: impl FnOnce(&mut Vec<u8>)) {
        let mut waiting = self.waiting();
        frame(&mut waiting.frames.bytes);
        waiting.is_closed = true;
        self.pieces.close();
        self.controls.close();
        self.filled.notify_one();
    }

    /// Waits until everything has been written.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.waiting().is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// Takes everything that waits, for the one writer, and hands in the frames that it has written.
    /// Waits until there is something. `None` once nothing more comes.
    pub(super) async fn next(&self, written: Frames) -> Option<Frames> {
        self.pieces.add_permits(written.pieces);
        self.controls.add_permits(written.controls);
        let mut empty = written.bytes;
        empty.clear();
        loop {
            match self.swap(&mut empty) {
                Some(frames) if frames.bytes.is_empty() => return None,
                Some(frames) => return Some(frames),
                None => {}
            }
            if empty.capacity() <= KEPT {
                self.filled.notified().await;
            } else if timeout(IDLE, self.filled.notified()).await.is_err() {
                empty = Vec::new();
                self.waiting().shrink();
            }
        }
    }

    fn swap(&self, empty: &mut Vec<u8>) -> Option<Frames> {
        let frames = self.waiting().swap(empty);
        if frames.is_none() {
            self.emptied.notify_waiters();
        }
        frames
    }

    /// Whether anything was written since the last look.
    pub(super) fn was_used(&self) -> bool {
        self.waiting().was_used()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
