//! The program of a kubelet: whether it contains dockershim.

use std::io::{self, Read};

use memchr::memmem::Finder;
use procfs::process::Process;
use rustix::fs::OFlags;

use crate::host::foreign_file::open_regular;
use crate::host::proc_files;

/// Packages of Go programs occur in the names of their functions, which also stripped programs have
/// (runtime/symtab.go).
const KUBELET: &str = "k8s.io/kubernetes/pkg/kubelet";
const DOCKERSHIM: &str = "k8s.io/kubernetes/pkg/kubelet/dockershim";

/// How much of a program is held at a time.
const CHUNK: usize = 256 * 1024;

/// At most this many bytes of a program are read. A kubelet has about 100 MiB.
const MAX_READ: u64 = 512 * 1024 * 1024;

/// Whether a kubelet contains dockershim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dockershim {
    /// The kubelet is version 1.23 or older.
    Contained,
    /// The kubelet is version 1.24 or newer, or was built without dockershim.
    Absent,
    /// The program cannot be read, or is no kubelet.
    Unknown,
}

/// Reads the program that the process runs, in whichever mount namespace its file is.
pub(super) fn dockershim(process: &Process) -> Dockershim {
    let program = proc_files::open(process, "exe", OFlags::PATH);
    let program = program.and_then(|file| open_regular(&file));
    program.and_then(|file| dockershim_in(file.take(MAX_READ))).unwrap_or(Dockershim::Unknown)
}

fn dockershim_in(mut program: impl Read) -> io::Result<Dockershim> {
    let (kubelet, dockershim) = (Finder::new(KUBELET), Finder::new(DOCKERSHIM));
    let mut found = Dockershim::Unknown;
    // The last bytes of a chunk are searched again with the next one: a name may cross the border.
    let mut bytes = Vec::with_capacity(CHUNK + DOCKERSHIM.len());
    loop {
        let read = program.by_ref().take(CHUNK as u64).read_to_end(&mut bytes)?;
        if dockershim.find(&bytes).is_some() {
            return Ok(Dockershim::Contained);
        }
        if found == Dockershim::Unknown && kubelet.find(&bytes).is_some() {
            found = Dockershim::Absent;
        }
        if read == 0 {
            return Ok(found);
        }
        bytes.drain(..bytes.len().saturating_sub(DOCKERSHIM.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelet_is_recognized_by_its_packages() {
        let program = |at: usize, name: &str| {
            let mut bytes = vec![0; 3 * CHUNK];
            bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
            dockershim_in(&bytes[..]).unwrap()
        };
        // Also where a name crosses the border of two chunks, and at both ends.
        for at in [0, CHUNK - DOCKERSHIM.len() / 2, CHUNK, 3 * CHUNK - DOCKERSHIM.len()] {
            assert_eq!(program(at, DOCKERSHIM), Dockershim::Contained, "{at}");
            assert_eq!(program(at, KUBELET), Dockershim::Absent, "{at}");
            assert_eq!(program(at, "k8s.io/kubernetes/pkg/proxy"), Dockershim::Unknown, "{at}");
        }
        assert_eq!(dockershim_in(&b""[..]).unwrap(), Dockershim::Unknown);
    }
}
