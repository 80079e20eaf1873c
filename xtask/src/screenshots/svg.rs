//! From a terminal's screen to an SVG.

use anstyle::{AnsiColor, Color, RgbColor};
use anstyle_svg::{Palette, Term, WIN10_CONSOLE};

/// The picture has a background of its own, so that it is as legible on a light page as on a dark one.
const BACKGROUND: Color = Color::Rgb(RgbColor(0x1c, 0x21, 0x28));
const TEXT: Color = Color::Rgb(RgbColor(0xcd, 0xd9, 0xe5));

/// Bright enough for text on that background, which most palettes' red is not.
const RED: RgbColor = RgbColor(0xff, 0x7b, 0x72);
const GREEN: RgbColor = RgbColor(0x6b, 0xc4, 0x6d);

/// Renders text with colours (SGR escapes).
pub(super) fn render(screen: &str) -> String {
    let Palette(mut colors) = WIN10_CONSOLE;
    for (color, value) in [(AnsiColor::Red, RED), (AnsiColor::Green, GREEN)] {
        colors[color as usize] = value;
    }
    let term = Term::new().palette(Palette(colors)).fg_color(TEXT).bg_color(BACKGROUND);
    term.render_svg(screen.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_keep_their_colours() {
        let svg =
            render("09:49:16 \x1b[32mok\x1b[m shop/kuard\n09:49:17 \x1b[31mrefused\x1b[m\n\n");
        for part in [".fg-green { fill: #6BC46D }", "class=\"fg-red\">refused<", "fill: #1C2128"] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(!svg.contains('\x1b'), "{svg}");
    }
}
