//! Copies bytes between kubectl and containerd.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use super::tls::Stream;

/// How much is copied at a time.
const PART: usize = 128 * 1024;

/// Copies both ways until both sides have ended.
pub(super) fn both_ways(client: Stream, server: TcpStream) -> io::Result<()> {
    let client = Arc::new(client);
    let (from, mut to) = (Arc::clone(&client), server.try_clone()?);
    let up = std::thread::spawn(move || -> io::Result<()> {
        let mut part = vec![0; PART];
        loop {
            match from.read(&mut part)? {
                0 => return to.shutdown(Shutdown::Write),
                len => to.write_all(&part[..len])?,
            }
        }
    });
    let down = down(&client, server);
    // A client that leaves early is no error of the benchmark.
    let _ = (client.close(), up.join());
    down
}

fn down(client: &Stream, mut server: TcpStream) -> io::Result<()> {
    let mut part = vec![0; PART];
    loop {
        match server.read(&mut part)? {
            0 => return Ok(()),
            len => client.write_all(&part[..len])?,
        }
    }
}
