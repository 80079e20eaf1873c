//! Cycles between files.

use std::collections::{BTreeMap, VecDeque};

use super::check::Broken;
use super::names::file_of;
use super::tree::{File, Tree};

/// The files that each file imports from, with the line of the first import.
type Imports = Vec<BTreeMap<usize, usize>>;

/// One cycle for each file that is on one: the shortest.
///
/// Imports go through re-exports to the file that has the item. So the `use` declarations of a
/// `mod.rs` and of `lib.rs` are no imports of their own.
pub fn between_files(tree: &Tree) -> Vec<Broken> {
    let imports: Imports = tree.files.iter().enumerate().map(|at| imports_of(tree, at)).collect();
    let mut broken = Vec::new();
    for (start, file) in tree.files.iter().enumerate() {
        if let Some(cycle) = shortest_cycle(&imports, start) {
            let names: Vec<&str> = cycle.iter().map(|&n| tree.files[n].path.as_str()).collect();
            let rule = format!("no cycles between files: {}", names.join(" -> "));
            broken.push(Broken::new(file, imports[start][&cycle[1]], rule));
        }
    }
    broken
}

fn imports_of(tree: &Tree, (number, file): (usize, &File)) -> BTreeMap<usize, usize> {
    let mut imports = BTreeMap::new();
    let only_declares = file.path.ends_with("mod.rs") || file.module.is_empty();
    if only_declares && file.found.items.is_empty() {
        return imports;
    }
    for (path, line) in file.found.paths(&file.module, tree) {
        if let Some(other) = file_of(&path, tree).filter(|other| *other != number) {
            imports.entry(other).or_insert(line);
        }
    }
    imports
}

/// The shortest way from a file back to itself, with the file at both ends.
fn shortest_cycle(imports: &Imports, start: usize) -> Option<Vec<usize>> {
    let mut came_from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for &next in imports[file].keys() {
            if next == start {
                let mut cycle = vec![start, file];
                while let Some(&before) = came_from.get(&cycle[cycle.len() - 1]) {
                    cycle.push(before);
                }
                if cycle[cycle.len() - 1] != start {
                    cycle.push(start);
                }
                cycle.reverse();
                return Some(cycle);
            }
            came_from.entry(next).or_insert_with(|| {
                queue.push_back(next);
                file
            });
        }
    }
    None
}
