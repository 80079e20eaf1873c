//! The `PATH` in which a process looks for programs.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use super::facts::programs::ProgramSearch;
use crate::host::root::Root;

/// How many characters of a `PATH` a finding shows.
const MAX_SHOWN: usize = 400;

/// Where pfsnoop itself looks for programs.
pub(super) fn own_search() -> io::Result<ProgramSearch> {
    Ok(ProgramSearch::of(std::env::var_os("PATH"), &Root::own()?))
}

/// A `PATH` as a finding shows it: cut when it is very long.
pub(super) fn shown(path: Option<&OsStr>) -> String {
    let Some(path) = path else { return "(none)".to_owned() };
    let path = String::from_utf8_lossy(path.as_bytes());
    if path.chars().count() <= MAX_SHOWN {
        return path.into_owned();
    }
    path.chars().take(MAX_SHOWN).chain(" ...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_cut() {
        assert_eq!(shown(None), "(none)");
        assert_eq!(shown(Some(OsStr::new("/bin"))), "/bin");
        assert_eq!(shown(Some(OsStr::new(&"x".repeat(500)))), format!("{} ...", "x".repeat(400)));
    }
}
