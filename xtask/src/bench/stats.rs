//! Medians and percentiles. Benchmarks run on noisy machines, and outliers change a mean too much.

/// The value in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// The smallest value that is not below `percent` of all values (nearest rank); NaN without values.
pub(crate) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a few thousand values at most"
    )]
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "the values are taken, not computed")]
    fn percentiles_are_by_nearest_rank() {
        let values = [3.0, 1.0, 2.0, 4.0];
        assert_eq!(median(&values), 2.0);
        assert_eq!(percentile(&values, 99.0), 4.0);
        assert_eq!(percentile(&[7.0], 1.0), 7.0);
        assert!(median(&[]).is_nan());
    }
}
