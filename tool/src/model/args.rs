//! The arguments of an exec.

/// A process's arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The arguments that arrived.
    pub list: Vec<Arg>,
    /// The rest, or all, could not be read.
    pub unreadable: bool,
    /// There were more than the record holds.
    pub cut: bool,
    /// Size of all arguments in bytes, NULs included. For a failed exec, of the
    /// arguments in `list`.
    pub bytes: u64,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg<T = Box<[u8]>> {
    /// Its bytes, without NUL.
    Text(T),
    /// Only in a failed exec: its page was not in memory, and the kernel never copied it or has
    /// replaced the process's memory since.
    Unreadable,
}

impl<T: AsRef<[u8]>> Arg<T> {
    /// The bytes, when they could be read.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_ref()),
            Self::Unreadable => None,
        }
    }
}
