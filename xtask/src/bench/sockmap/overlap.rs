//! A TCP segment that begins with bytes that were there before. Such come by themselves too: what is
//! sent again may be cut otherwise than it was (`tcp_retrans_try_collapse`, net/ipv4/tcp_output.c).
//!
//! In a TCP header (RFC 9293, 3.1), the ports are at 0 and 2, the sequence and acknowledgement
//! numbers at 4 and 8, the header's length at 12, and the checksum at 16.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto, recv, sendto, socket};

use super::relay::PATIENCE;

/// Bytes that are sent in all, in the first segment, and before the one that overlaps it.
pub(super) const ALL: u16 = 1500;
const FIRST: u16 = 1000;
const BEFORE: u16 = 500;
/// After so long, no more bytes come.
const QUIET: Duration = Duration::from_millis(300);

/// The server sends [`ALL`] bytes, with one segment that overlaps; returns what the client gets.
pub(super) fn received(mut client: TcpStream, mut server: TcpStream) -> Result<usize> {
    let stream: Vec<u8> = (0..=u8::MAX).cycle().take(ALL.into()).collect();
    let (first, new) = stream.split_at(FIRST.into());
    let wire = Wire::open()?;
    let port = server.local_addr()?.port().to_be_bytes();
    server.write_all(first)?;
    let mut header = wire.header(|header, data| header.starts_with(&port) && data == first)?;
    client.read_exact(&mut [0; FIRST as usize])?;
    let start = sequence(&header[4..]);
    header[4..8].copy_from_slice(&start.wrapping_add(BEFORE.into()).to_be_bytes());
    wire.send(header, &stream[BEFORE.into()..])?;
    // The kernel has taken it for what it seems.
    let end = start.wrapping_add(ALL.into());
    wire.header(|header, _| header[2..4] == port && sequence(&header[8..]) == end)
        .context("the segment that overlaps was not taken")?;
    // The server does not know that it sent that. The other side has it already, and drops this.
    server.write_all(new)?;
    client.set_read_timeout(Some(QUIET))?;
    let mut received = first.len();
    loop {
        match client.read(&mut [0; ALL as usize]) {
            Ok(0) => bail!("the connection has ended"),
            Ok(bytes) => received += bytes,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(received),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The number of a byte in the stream that stands there.
fn sequence(at: &[u8]) -> u32 {
    u32::from_be_bytes([at[0], at[1], at[2], at[3]])
}

/// Where all TCP segments pass by.
struct Wire(OwnedFd);

impl Wire {
    fn open() -> Result<Self> {
        let socket = socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::TCP))?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self(socket))
    }

    /// The TCP header of the next segment that is such.
    fn header(&self, is_such: impl Fn(&[u8], &[u8]) -> bool) -> Result<Vec<u8>> {
        let mut packet = [0; 4096];
        loop {
            let (_, length) = recv(&self.0, &mut packet, RecvFlags::empty())?;
            // The length of each header, IPv4's and TCP's, in words of 32 bits.
            let segment = &packet[usize::from(packet[0] & 0xf) * 4..length];
            let (header, data) = segment.split_at(usize::from(segment[12] >> 4) * 4);
            if is_such(header, data) {
                return Ok(header.to_owned());
            }
        }
    }

    fn send(&self, header: Vec<u8>, data: &[u8]) -> Result<()> {
        let mut segment = header;
        segment[16..18].fill(0);
        segment.extend_from_slice(data);
        let checksum = checksum(&segment);
        segment[16..18].copy_from_slice(&checksum);
        let localhost = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        sendto(&self.0, &segment, SendFlags::empty(), &localhost)?;
        Ok(())
    }
}

/// A segment's checksum on its way from localhost to localhost (RFC 9293, 3.1).
fn checksum(segment: &[u8]) -> [u8; 2] {
    /// Of TCP, in the pseudo header.
    const PROTOCOL: [u8; 2] = [0, 6];
    let localhost = Ipv4Addr::LOCALHOST.octets();
    let length = segment.len().to_be_bytes();
    let summed = [&localhost[..], &localhost, &PROTOCOL, &length, segment].concat();
    let word = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
    let mut sum: u32 = summed.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let [.., high, low] = (!sum).to_be_bytes();
    [high, low]
}
