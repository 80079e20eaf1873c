//! What the rules need from one source file, read from its tokens.
//!
//! Tokens, and not lines, so that comments do not count and a `use` may span several lines. Items
//! under `#[cfg(test)]` do not count either: a unit test may use any module to build its input.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// What one file contains.
#[derive(Default)]
pub struct Found {
    /// Imports: `use` declarations, one per name, with the name that the file gives to it.
    pub uses: Vec<Use>,
    /// Other paths in the code, as they are written.
    pub code_paths: Vec<(Vec<String>, usize)>,
    /// Text of string literals.
    pub strings: Vec<(String, usize)>,
    /// Items at the top level that are neither `mod NAME;` nor `use`, by their first words.
    pub items: Vec<(String, usize)>,
    /// Names of the items at the top level.
    pub names: Vec<String>,
    /// Modules that are declared under `#[cfg(test)]`.
    pub test_modules: Vec<String>,
}

/// One imported name. A glob import has the name `*`.
pub struct Use {
    pub path: Vec<String>,
    pub name: String,
    pub line: usize,
}

type Tokens = Peekable<proc_macro2::token_stream::IntoIter>;

/// Reads the tokens of a file.
pub fn scan(source: &str) -> Found {
    let tokens: TokenStream = source.parse().unwrap();
    let mut found = Found::default();
    top_level(&mut found, tokens.clone());
    inside(&mut found, tokens);
    found
}

/// Collects the items at the top level.
fn top_level(found: &mut Found, tokens: TokenStream) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(is_test) = attributes(&mut tokens) {
        let item = item(&mut tokens);
        let words: Vec<String> = item.iter().map(ToString::to_string).collect();
        let visible = words.iter().position(|word| word != "pub" && !word.starts_with('('));
        let Some(start) = visible else { continue };
        let words = &words[start..];
        let is_declaration = words[0] == "use" || (words[0] == "mod" && words[2] == ";");
        if is_test {
            if words[0] == "mod" {
                found.test_modules.push(words[1].clone());
            }
            continue;
        }
        found.names.extend(name_of(words));
        if !is_declaration {
            let first = words.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
            found.items.push((first, line_of(&item[0])));
        }
    }
}

/// The name that an item defines, if it defines one.
fn name_of(item: &[String]) -> Option<String> {
    const KINDS: [&str; 8] = ["fn", "struct", "enum", "union", "trait", "type", "const", "static"];
    let is_kind = |word: &String| KINDS.contains(&word.as_str());
    let kind = item.iter().position(is_kind)?;
    // `const fn f`, `const unsafe fn f`.
    let function = item[kind + 1..].iter().take(3).position(|word| word == "fn");
    let kind = if item[kind] == "const" { function.map_or(kind, |n| kind + 1 + n) } else { kind };
    item.get(kind + 1).cloned()
}

/// Skips attributes. Returns whether one is `#[cfg(test)]`, and `None` at the end.
fn attributes(tokens: &mut Tokens) -> Option<bool> {
    let mut is_test = false;
    loop {
        match tokens.peek()? {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next();
                tokens.next_if(|token| is_punct(token, '!'));
                let attribute = tokens.next()?.to_string();
                is_test |= attribute.replace(' ', "") == "[cfg(test)]";
            }
            _ => return Some(is_test),
        }
    }
}

/// One item: up to a `;` or a block.
fn item(tokens: &mut Tokens) -> Vec<TokenTree> {
    let mut item = Vec::new();
    for token in tokens.by_ref() {
        let is_use = item.iter().any(|token: &TokenTree| token.to_string() == "use");
        let is_block = matches!(&token, TokenTree::Group(group)
            if group.delimiter() == Delimiter::Brace && !is_use);
        let is_end = is_block || is_punct(&token, ';');
        item.push(token);
        if is_end {
            break;
        }
    }
    item
}

/// Collects paths and string literals at every level.
fn inside(found: &mut Found, tokens: TokenStream) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(is_test) = attributes(&mut tokens) {
        if is_test {
            item(&mut tokens);
            continue;
        }
        match tokens.next() {
            Some(TokenTree::Ident(ident)) if ident == "use" => use_tree(found, &mut tokens, &[]),
            Some(TokenTree::Ident(ident)) => path(found, &ident, &mut tokens),
            Some(TokenTree::Group(group)) => inside(found, group.stream()),
            Some(TokenTree::Literal(literal)) => {
                let text = literal.to_string();
                if let Some((_, text)) = text.split_once('"') {
                    let text = text.trim_end_matches(['"', '#']).to_owned();
                    found.strings.push((text, literal.span().start().line));
                }
            }
            Some(TokenTree::Punct(_)) | None => {}
        }
    }
}

/// A path such as `crate::a::b`, from its first identifier on.
fn path(found: &mut Found, first: &Ident, tokens: &mut Tokens) {
    let line = first.span().start().line;
    let mut segments = vec![first.to_string()];
    while colons(tokens) {
        match tokens.next_if(|token| matches!(token, TokenTree::Ident(_))) {
            Some(segment) => segments.push(segment.to_string()),
            None => break,
        }
    }
    if segments.len() > 1 {
        found.code_paths.push((segments, line));
    }
}

/// One branch of a `use` declaration: a path that ends with a name, a glob or a group.
fn use_tree(found: &mut Found, tokens: &mut Tokens, before: &[String]) {
    let mut path = before.to_vec();
    let mut line = 0;
    loop {
        colons(tokens);
        match tokens.next() {
            Some(TokenTree::Ident(ident)) if ident == "as" => {
                let name = tokens.next().map(|name| name.to_string()).unwrap_or_default();
                found.uses.push(Use { path, name, line });
                return;
            }
            Some(TokenTree::Ident(ident)) => {
                line = ident.span().start().line;
                path.push(ident.to_string());
            }
            Some(TokenTree::Group(group)) => return use_group(found, &group, &path),
            Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => {
                let line = punct.span().start().line;
                found.uses.push(Use { path, name: "*".to_owned(), line });
                return;
            }
            // `;` or `,` or the end of a group.
            _ => {
                if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
                    path.pop();
                }
                let name = path.last().cloned().unwrap_or_default();
                if path.len() > before.len() || line > 0 {
                    found.uses.push(Use { path, name, line });
                }
                return;
            }
        }
    }
}

fn use_group(found: &mut Found, group: &Group, before: &[String]) {
    let mut tokens = group.stream().into_iter().peekable();
    while tokens.peek().is_some() {
        use_tree(found, &mut tokens, before);
        tokens.next_if(|token| is_punct(token, ','));
    }
}

/// Skips `::`.
fn colons(tokens: &mut Tokens) -> bool {
    let has_colons = tokens.next_if(|token| is_punct(token, ':')).is_some();
    has_colons && tokens.next_if(|token| is_punct(token, ':')).is_some()
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}
