//! The width of text on a terminal, where a character takes one column, two, or none.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The number of columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text, cut to a number of columns. `…` marks the cut.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |char: &char| {
        let width = char.width().unwrap_or(0);
        let is_room = width <= left;
        left = left.saturating_sub(width);
        is_room
    };
    let cut: String = text.chars().take_while(fits).collect();
    if columns == 0 { cut } else { cut + "…" }
}

/// The text, cut or padded with spaces to a number of columns.
pub(super) fn padded(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let spaces = columns.saturating_sub(width(&text));
    text + &" ".repeat(spaces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_by_the_columns_that_they_take() {
        assert_eq!(cut("grüße", 5), "grüße");
        assert_eq!(cut("shop/kuard", 5), "shop…");
        assert_eq!(cut("abc", 0), "");
        // Each of these takes two columns.
        assert_eq!(cut("你好吗", 6), "你好吗");
        assert_eq!(cut("你好吗", 5), "你好…");
        assert_eq!(cut("你好吗", 4), "你…");
        assert_eq!(width(&padded("你好", 6)), 6);
        assert_eq!(padded("你好吗", 4), "你… ");
    }
}
