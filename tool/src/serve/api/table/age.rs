//! How kubectl shows an age (k8s.io/apimachinery/pkg/util/duration, `HumanDuration`).

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// `45s`, `2m5s`, `17m`, `3h12m`, `26h`, `3d4h`, `40d`, `2y11d`, `9y`. At most two units, the second one
/// only while it matters.
pub(super) fn age(seconds: u64) -> String {
    let two = |unit: u64, name: &str, smaller: u64, smaller_name: &str| {
        let (whole, part) = (seconds / unit, seconds % unit / smaller);
        if part == 0 {
            format!("{whole}{name}")
        } else {
            format!("{whole}{name}{part}{smaller_name}")
        }
    };
    match seconds {
        _ if seconds < 2 * MINUTE => format!("{seconds}s"),
        _ if seconds < 10 * MINUTE => two(MINUTE, "m", 1, "s"),
        _ if seconds < 3 * HOUR => format!("{}m", seconds / MINUTE),
        _ if seconds < 8 * HOUR => two(HOUR, "h", MINUTE, "m"),
        _ if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        _ if seconds < 8 * DAY => two(DAY, "d", HOUR, "h"),
        _ if seconds < 2 * YEAR => format!("{}d", seconds / DAY),
        _ if seconds < 8 * YEAR => two(YEAR, "y", DAY, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_as_kubectl_shows_them() {
        for (seconds, shown) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (17 * MINUTE + 3, "17m"),
            (179 * MINUTE, "179m"),
            (3 * HOUR + 12 * MINUTE, "3h12m"),
            (26 * HOUR, "26h"),
            (3 * DAY + 4 * HOUR, "3d4h"),
            (40 * DAY, "40d"),
            (2 * YEAR + 11 * DAY, "2y11d"),
            (9 * YEAR + DAY, "9y"),
        ] {
            assert_eq!(age(seconds), shown, "{seconds}");
        }
    }
}
