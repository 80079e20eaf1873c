//! How much one direction of a connection may hold in the kernel.

use crate::host::socket_buffer::SocketBuffer;

/// The sizes of one direction: of its pipe, of the receive buffer that it comes from, and of the send buffer
/// that it goes to. In KiB of kernel memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) pipe_kib: u32,
    receive_kib: u32,
    send_kib: u32,
    /// The last of the sizes: the kernel itself sizes the client's buffer, since the client's path may be long.
    is_last: bool,
}

/// The sizes through which a stream grows.
///
/// At first, the receive buffers have the kernel's default (`net.ipv4.tcp_rmem`): the window that goes with it
/// was announced already, and what does not fit would be dropped. The third size is the largest that
/// `net.core.rmem_max` allows by default. The last pipe has the most that an unprivileged user gets by default
/// (/proc/sys/fs/pipe-max-size).
pub(super) static ROOMS: [Room; 4] = [
    Room { pipe_kib: 16, receive_kib: 128, send_kib: 32, is_last: false },
    Room { pipe_kib: 64, receive_kib: 128, send_kib: 128, is_last: false },
    Room { pipe_kib: 256, receive_kib: 416, send_kib: 416, is_last: false },
    Room { pipe_kib: 1024, receive_kib: 2048, send_kib: 2048, is_last: true },
];

/// The largest pipe of a helper: the kernel's default. socat reads and writes 8 KiB at once.
const MAX_HELPER_PIPE_KIB: u32 = 64;

/// KiB for the two directions of a connection when it starts, with the two pipes of a helper.
pub(super) const CONNECTION_KIB: u32 =
    2 * (ROOMS[0].pipe_kib + ROOMS[0].receive_kib + ROOMS[0].send_kib) + 2 * ROOMS[0].pipe_kib;

impl Room {
    /// The most that a direction takes. `client` is the buffer of the client's socket.
    pub(super) fn kib(self, client: SocketBuffer) -> u32 {
        let buffers = [SocketBuffer::Receive, SocketBuffer::Send].map(|buffer| {
            match self.limit_of(buffer, buffer == client) {
                Some(kib) => kib,
                None => buffer.largest_kib(),
            }
        });
        buffers.into_iter().fold(self.pipe_kib, u32::saturating_add)
    }

    /// The limit of a buffer, of the client's socket or of the one inside the target. `None` if the kernel sizes
    /// it: for the client, or where no limit is as large as it should be.
    pub(super) fn limit_of(self, buffer: SocketBuffer, is_client: bool) -> Option<u32> {
        let kib = match buffer {
            SocketBuffer::Receive => self.receive_kib,
            SocketBuffer::Send => self.send_kib,
        };
        let is_automatic = self.is_last && (is_client || kib > buffer.largest_limit_kib());
        (!is_automatic).then_some(kib)
    }

    /// The size of a helper's pipe.
    pub(super) fn helper_pipe_kib(self) -> u32 {
        self.pipe_kib.min(MAX_HELPER_PIPE_KIB)
    }
}
