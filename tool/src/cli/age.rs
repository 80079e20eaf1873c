//! Ages on the command line.

use std::str::FromStr;
use std::time::Duration;

/// An age such as `90s`, `15m`, `2h`, `14d` or `2w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(Duration);

impl Age {
    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("expected a number with s, m, h, d or w, for example 14d, not `{text}`");
        let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800)];
        let (number, seconds) = units
            .into_iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
            .ok_or_else(wrong)?;
        // Rust's parser accepts a sign.
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = is_number.then(|| number.parse().ok()).flatten().ok_or_else(wrong)?;
        if number == 0 {
            return Err("must be more than 0".to_owned());
        }
        Ok(Self(Duration::from_secs(u64::from(number) * seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_a_unit() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("2h", 7200), ("14d", 1_209_600), ("2w", 1_209_600)]
        {
            assert_eq!(text.parse::<Age>().map(Age::duration), Ok(Duration::from_secs(seconds)));
        }
        for wrong in ["", "5", "h", "-1h", "+1h", "1.5h", "0d", "1y", "99999999999d"] {
            assert!(wrong.parse::<Age>().is_err(), "{wrong}");
        }
    }
}
