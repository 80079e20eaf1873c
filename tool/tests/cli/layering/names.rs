//! From paths as they are written to modules and files.

use super::scan::{Found, Use};
use super::tree::Tree;

impl Found {
    /// Every path in the file that leads into this crate, from the crate's root on, with its line.
    pub fn paths(&self, module: &[String], tree: &Tree) -> Vec<(Vec<String>, usize)> {
        let uses = self.uses.iter().map(|Use { path, line, .. }| (path, *line));
        let code = self.code_paths.iter().map(|(path, line)| (path, *line));
        let all = uses.chain(code);
        all.filter_map(|(path, line)| Some((absolute(path, module, tree)?, line))).collect()
    }

    /// The first segments of all paths, among them those of other crates.
    pub fn crates(&self) -> impl Iterator<Item = (&str, usize)> {
        let uses = self.uses.iter().map(|Use { path, line, .. }| (path, *line));
        let code = self.code_paths.iter().map(|(path, line)| (path, *line));
        uses.chain(code).filter_map(|(path, line)| Some((path.first()?.as_str(), line)))
    }
}

/// A path from the crate's root on. `None` when it leads out of the crate.
pub fn absolute(path: &[String], module: &[String], tree: &Tree) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|segment| *segment == "super").count();
    let rest = |count: usize| path[count..].iter().cloned();
    let up = |count: usize| module.iter().take(module.len().saturating_sub(count)).cloned();
    match path.first()?.as_str() {
        // `main.rs` is a crate of its own, and names the library.
        "crate" | "pfsnoop" => Some(rest(1).collect()),
        "super" => Some(up(supers).chain(rest(supers)).collect()),
        "self" => Some(up(0).chain(rest(1)).collect()),
        // A child module, by its bare name.
        first => {
            let child: Vec<String> = up(0).chain([first.to_owned()]).collect();
            tree.file_of(&child)?;
            Some(up(0).chain(rest(0)).collect())
        }
    }
}

/// The file in which an absolute path ends, through re-exports. `None` when no file is known.
pub fn file_of(path: &[String], tree: &Tree) -> Option<usize> {
    // More re-exports of re-exports than anybody writes.
    follow(path, tree, 10)
}

fn follow(path: &[String], tree: &Tree, depth: usize) -> Option<usize> {
    let len = (0..=path.len()).rev().find(|&len| tree.file_of(&path[..len]).is_some())?;
    let index = tree.file_of(&path[..len])?;
    let file = &tree.files[index];
    let Some(name) = path.get(len).filter(|name| !file.found.names.contains(name)) else {
        return Some(index);
    };
    let exported = |one: &Use, more: &[String]| {
        let target = absolute(&one.path, &file.module, tree)?;
        let path: Vec<String> = target.into_iter().chain(more.iter().cloned()).collect();
        follow(&path, tree, depth.checked_sub(1)?)
    };
    let named = file.found.uses.iter().find(|one| one.name == *name);
    if let Some(target) = named.and_then(|one| exported(one, &path[len + 1..])) {
        return Some(target);
    }
    let globs = file.found.uses.iter().filter(|one| one.name == "*");
    let mut targets = globs.filter_map(|one| exported(one, &path[len..]));
    let has_name = |index: &usize| tree.files[*index].found.names.contains(name);
    targets.find(has_name).or(Some(index))
}
