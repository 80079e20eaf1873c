//! Sizes of memory on the command line.

use std::str::FromStr;

/// A size such as `64K`, `256M` or `1G`, in units of 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    kib: u32,
}

impl Size {
    /// In KiB.
    #[must_use]
    pub fn kib(self) -> u32 {
        self.kib
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("expected a number with K, M or G, for example 256M, not `{text}`");
        let unit = text.trim_end_matches(['i', 'B']).to_ascii_uppercase();
        let (number, unit_kib) = [('K', 1), ('M', 1024), ('G', 1024 * 1024)]
            .into_iter()
            .find_map(|(letter, kib)| Some((unit.strip_suffix(letter)?, kib)))
            .ok_or_else(wrong)?;
        let kib = number.parse::<u32>().map_err(|_| wrong())?.checked_mul(unit_kib);
        Ok(Self { kib: kib.ok_or_else(|| format!("`{text}` is too much"))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        for (text, kib) in [("1K", 1), ("256M", 262_144), ("256MiB", 262_144), ("1g", 1_048_576)] {
            assert_eq!(text.parse(), Ok(Size { kib }), "{text}");
        }
        for wrong in ["", "1", "M", "-1M", "1T", "1.5G", "4096G", "1 M"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
