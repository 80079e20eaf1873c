//! The rules. `docs/ARCHITECTURE.md` states them for people.

use std::collections::BTreeMap;

use super::check::Broken;
use super::scan::Found;
use super::tree::{File, Tree};

/// A module imports only from modules to its right.
const ORDER: [&str; 17] = [
    "main",
    "commands",
    "cli",
    "demo",
    "doctor",
    "agent",
    "serve",
    "forward",
    "monitor",
    "attribution",
    "target",
    "runtime",
    "probe",
    "output",
    "host",
    "sessions",
    "model",
];

/// The modules that may read /proc.
const READ_PROC: [&[&str]; 3] = [&["host"], &["doctor", "facts"], &["demo"]];

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == module)
}

/// Every top-level module has a place in the order. Reported at the first file of a module.
pub fn known_modules(tree: &Tree) -> Vec<Broken> {
    let mut unknown: BTreeMap<&String, &File> = BTreeMap::new();
    for file in &tree.files {
        if let Some(top) = file.module.first().filter(|top| rank(top).is_none()) {
            unknown.entry(top).or_insert(file);
        }
    }
    let order = ORDER.join(", ");
    let rule = |top| format!("`{top}` has no place in the order of modules ({order})");
    unknown.into_iter().map(|(top, file)| Broken::new(file, 1, rule(top))).collect()
}

/// A module imports only from modules to its right.
pub fn order(tree: &Tree, file: &File) -> Vec<Broken> {
    let Some(own) = file.module.first() else { return Vec::new() };
    let mut broken = Vec::new();
    for (path, line) in file.found.paths(&file.module, tree) {
        let Some(other) = path.first().filter(|other| *other != own) else { continue };
        let (Some(from), Some(to)) = (rank(own), rank(other)) else { continue };
        if to < from {
            let rule = "a module imports only from modules to its right";
            let order = ORDER[to..=from].join(", ");
            broken.push(Broken::new(
                file,
                line,
                format!("{own} imports {other}: {rule} ({order})"),
            ));
        }
    }
    broken
}

/// `mod.rs` files declare and re-export only.
pub fn mod_files(file: &File) -> Vec<Broken> {
    if !file.path.ends_with("mod.rs") {
        return Vec::new();
    }
    let rule = |item: &str| format!("`{item}`: a mod.rs file declares and re-exports only");
    file.found.items.iter().map(|(item, line)| Broken::new(file, *line, rule(item))).collect()
}

/// Only `probe` names aya.
pub fn aya(file: &File) -> Vec<Broken> {
    if file.is_in(&["probe"]) {
        return Vec::new();
    }
    let is_aya = |name: &str| name == "aya" || name.starts_with("aya_");
    let mut broken = Vec::new();
    for (name, line) in file.found.crates().filter(|(name, _)| is_aya(name)) {
        broken.push(Broken::new(file, line, format!("`{name}`: only probe names aya")));
    }
    broken
}

/// Only `host`, `doctor::facts` and `demo` read /proc.
pub fn proc_files(file: &File) -> Vec<Broken> {
    if READ_PROC.iter().any(|module| file.is_in(module)) {
        return Vec::new();
    }
    let Found { strings, .. } = &file.found;
    let literals = strings.iter().filter(|(text, _)| text.starts_with("/proc"));
    let literals = literals.map(|(text, line)| (text.as_str(), *line));
    let crates = file.found.crates().filter(|(name, _)| *name == "procfs");
    let rule = "only host, doctor::facts and demo read /proc";
    let all = literals.chain(crates);
    all.map(|(what, line)| Broken::new(file, line, format!("`{what}`: {rule}"))).collect()
}
