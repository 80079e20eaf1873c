//! Checks a tree against every rule.

use super::tree::{File, Tree};
use super::{cycles, rules};

/// A place that breaks a rule.
pub struct Broken {
    file: String,
    line: usize,
    rule: String,
}

impl Broken {
    pub fn new(file: &File, line: usize, rule: String) -> Self {
        Self { file: file.path.clone(), line, rule }
    }
}

/// `FILE:LINE: RULE` for each place that breaks a rule, sorted.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut broken = cycles::between_files(tree);
    broken.extend(rules::known_modules(tree));
    for file in &tree.files {
        broken.extend(rules::order(tree, file));
        broken.extend(rules::mod_files(file));
        broken.extend(rules::aya(file));
        broken.extend(rules::proc_files(file));
    }
    broken.sort_by(|a, b| (&a.file, a.line, &a.rule).cmp(&(&b.file, b.line, &b.rule)));
    let mut lines: Vec<String> = Vec::new();
    for Broken { file, line, rule } in broken {
        lines.push(format!("{file}:{line}: {rule}"));
    }
    lines.dedup();
    lines
}
