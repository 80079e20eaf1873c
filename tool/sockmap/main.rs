//! A relay by a BPF sockmap, which pfsnoop does not use: `sockmap PORT TARGET` carries connections
//! to 127.0.0.1:PORT on to 127.0.0.1:TARGET, one at a time. `cargo xtask bench sockmap` shows what
//! is wrong with it.
//!
//! Only what the target says goes by the sockmap, and only after the client's request, which is
//! copied: so the target's first bytes do not come before its socket is in the map, where they would
//! be stuck. The client's end is the connection's.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use anyhow::{Context as _, Result};
use aya::Ebpf;
use aya::maps::{MapData, SockMap};
use aya::programs::SkSkb;
use rustix::event::{PollFd, PollFlags, poll};

/// The kernel program, aligned as the ELF reader wants it.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sockmap"));

fn main() -> Result<()> {
    let mut ports = std::env::args().skip(1).map(|port| port.parse::<u16>());
    let mut port = || ports.next().context("usage: sockmap PORT TARGET");
    let (port, target) = (port()??, port()??);
    let mut programs = Ebpf::load(OBJECT)?;
    let (mut from, mut to) = (map(&mut programs, "FROM")?, map(&mut programs, "TO")?);
    let relay: &mut SkSkb = programs.program_mut("relay").context("no program")?.try_into()?;
    relay.load()?;
    relay.attach(from.fd())?;
    for client in TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.incoming() {
        let mut client = client?;
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
        let mut request = [0; 1024];
        let length = client.read(&mut request)?;
        to.set(0, &client, 0)?;
        from.set(0, &server, 0)?;
        server.write_all(&request[..length])?;
        poll(&mut [PollFd::new(&client, PollFlags::RDHUP)], None)?;
    }
    Ok(())
}

fn map(programs: &mut Ebpf, name: &'static str) -> Result<SockMap<MapData>> {
    Ok(programs.take_map(name).context(name)?.try_into()?)
}
