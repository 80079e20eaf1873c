//! The arguments of an exec.

/// A process's arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The arguments that arrived.
    pub list: ArgList,
    /// The rest, or all, could not be read.
    pub unreadable: bool,
    /// There were more than the record holds.
    pub cut: bool,
    /// Size of all arguments in bytes, NULs included. For a failed exec, of the
    /// arguments in `list`.
    pub bytes: u64,
}

/// One argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg<'a> {
    /// Its bytes, without NUL.
    Text(&'a [u8]),
    /// Only in a failed exec: its page was not in memory, and the kernel never copied it or has
    /// replaced the process's memory since.
    Unreadable,
}

impl<'a> Arg<'a> {
    /// The bytes, when they could be read.
    #[must_use]
    pub fn text(self) -> Option<&'a [u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Unreadable => None,
        }
    }
}

/// Arguments in one piece of memory. A process may have ten thousands of arguments of one byte: with
/// an allocation for each of them, a record of 64 KiB would become some megabytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArgList {
    /// The arguments, each with a NUL after it. An unreadable one has no bytes before its NUL.
    texts: Box<[u8]>,
    /// The positions of the unreadable arguments, in ascending order.
    unreadable: Box<[u32]>,
}

impl ArgList {
    /// Takes arguments as they are in a process's memory: a NUL ends each of them. Bytes after the
    /// last NUL are an argument that was cut.
    #[must_use]
    pub fn terminated(bytes: &[u8]) -> Self {
        let is_cut = bytes.last().is_some_and(|&byte| byte != 0);
        let end: &[u8] = if is_cut { b"\0" } else { b"" };
        Self { texts: [bytes, end].concat().into(), unreadable: Box::default() }
    }

    /// The arguments, the program's name first.
    pub fn iter(&self) -> impl Iterator<Item = Arg<'_>> {
        let mut unreadable = self.unreadable.iter().copied().peekable();
        // After the last NUL, `split` finds one empty piece too many.
        let texts = self.texts.strip_suffix(b"\0").map(|texts| texts.split(|&byte| byte == 0));
        (0_u32..).zip(texts.into_iter().flatten()).map(move |(n, text)| {
            if unreadable.next_if_eq(&n).is_some() { Arg::Unreadable } else { Arg::Text(text) }
        })
    }

    /// Whether there are no arguments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Whether there are more arguments than this.
    #[must_use]
    pub fn is_longer_than(&self, count: usize) -> bool {
        self.iter().nth(count).is_some()
    }

    /// Whether one of the arguments could not be read.
    #[must_use]
    pub fn has_unreadable(&self) -> bool {
        !self.unreadable.is_empty()
    }

    /// Bytes of the readable arguments, with a NUL after each.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.texts.len() - self.unreadable.len()
    }

    /// Bytes of memory that the arguments take, without the overhead of the allocator.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.texts.len() + size_of_val(&*self.unreadable)
    }
}

impl<'a> FromIterator<Arg<'a>> for ArgList {
    /// Collects arguments. A text ends at its first NUL, as everywhere in exec.
    fn from_iter<I: IntoIterator<Item = Arg<'a>>>(args: I) -> Self {
        let (mut texts, mut unreadable) = (Vec::new(), Vec::new());
        for (n, arg) in (0_u32..).zip(args) {
            match arg {
                Arg::Text(text) => {
                    texts.extend(text.split(|&byte| byte == 0).next().unwrap_or_default());
                }
                Arg::Unreadable => unreadable.push(n),
            }
            texts.push(0);
        }
        Self { texts: texts.into(), unreadable: unreadable.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(list: &ArgList) -> Vec<Arg<'_>> {
        list.iter().collect()
    }

    #[test]
    fn splits_at_nuls_and_keeps_empty_arguments() {
        let texts = |texts: &[&'static str]| -> Vec<Arg<'static>> {
            texts.iter().map(|text| Arg::Text(text.as_bytes())).collect()
        };
        for (bytes, expected) in [
            (&b""[..], &[][..]),
            (b"\0", &[""]),
            (b"a\0\0b\0\0", &["a", "", "b", ""]),
            (b"a\0cut", &["a", "cut"]),
        ] {
            let list = ArgList::terminated(bytes);
            assert_eq!(listed(&list), texts(expected));
            assert_eq!(list.is_empty(), expected.is_empty());
            assert!(!list.is_longer_than(expected.len()), "{expected:?}");
        }
        assert!(ArgList::terminated(b"a\0b").is_longer_than(1));
    }

    #[test]
    fn unreadable_arguments_keep_their_places() {
        let all = [Arg::Text(b""), Arg::Unreadable, Arg::Text(b"x"), Arg::Unreadable];
        let list: ArgList = all.into_iter().collect();
        assert_eq!(listed(&list), all);
        assert_eq!((list.bytes(), list.has_unreadable()), (3, true));
    }

    #[test]
    fn thousands_of_small_arguments_take_no_more_memory_than_their_bytes() {
        let list = ArgList::terminated(&b"x\0".repeat(32_000));
        assert_eq!((list.iter().count(), list.memory()), (32_000, 64_000));
    }
}
