//! Short sizes, for narrow rows.

/// A number of bytes with a decimal unit, truncated: `999`, `1.0K`, `10K`, `999M`.
pub(super) fn short_size(bytes: u64) -> String {
    let mut unit = 1;
    for name in ["", "K", "M", "G", "T"] {
        let tenths = bytes / (unit / 10).max(1);
        if bytes < unit * 10 && unit > 1 {
            return format!("{}.{}{name}", tenths / 10, tenths % 10);
        }
        if bytes < unit * 1000 {
            return format!("{}{name}", bytes / unit);
        }
        unit *= 1000;
    }
    format!("{}P", bytes / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_truncated() {
        for (bytes, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1.0K"),
            (9999, "9.9K"),
            (10_000, "10K"),
            (999_999, "999K"),
            (1_500_000, "1.5M"),
            (2_000_000_000, "2.0G"),
            (u64::MAX, "18446P"),
        ] {
            assert_eq!(short_size(bytes), text);
        }
    }
}
