//! The words and signs of a label selector.

use std::iter::Peekable;
use std::str::CharIndices;

/// A word or a sign of a label selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol<'a> {
    Comma,
    Open,
    Close,
    /// `=` and `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `!`
    Not,
    /// Anything between signs and spaces: a name, a value, or `in`, `notin`.
    Word(&'a str),
}

/// The symbols of a text, in order. Spaces separate words and mean nothing else.
pub(super) struct Symbols<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl<'a> Symbols<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, chars: text.char_indices().peekable() }
    }

    /// Takes the next character if it is `=`.
    fn takes_equal(&mut self) -> bool {
        self.chars.next_if(|(_, char)| *char == '=').is_some()
    }

    fn word(&mut self, start: usize) -> &'a str {
        let is_part = |char: char| !char.is_whitespace() && !",()=!<>".contains(char);
        while self.chars.next_if(|(_, char)| is_part(*char)).is_some() {}
        let end = self.chars.peek().map_or(self.text.len(), |(end, _)| *end);
        self.text.get(start..end).unwrap_or_default()
    }
}

impl<'a> Iterator for Symbols<'a> {
    type Item = Symbol<'a>;

    fn next(&mut self) -> Option<Symbol<'a>> {
        while self.chars.next_if(|(_, char)| char.is_whitespace()).is_some() {}
        let (start, first) = self.chars.next()?;
        Some(match first {
            ',' => Symbol::Comma,
            '(' => Symbol::Open,
            ')' => Symbol::Close,
            '=' => {
                self.takes_equal();
                Symbol::Equal
            }
            '!' if self.takes_equal() => Symbol::NotEqual,
            '!' => Symbol::Not,
            _ => Symbol::Word(self.word(start)),
        })
    }
}
