//! The source files of a crate.

use std::collections::BTreeMap;
use std::path::Path;

use super::scan::{Found, scan};

/// One source file.
pub struct File {
    /// Relative to the folder of the sources.
    pub path: String,
    /// The module in the file. Empty for `lib.rs`.
    pub module: Vec<String>,
    pub found: Found,
}

impl File {
    pub fn is_in(&self, module: &[&str]) -> bool {
        self.module.iter().take(module.len()).eq(module.iter())
    }
}

/// All source files but those of unit tests.
pub struct Tree {
    pub files: Vec<File>,
    by_module: BTreeMap<Vec<String>, usize>,
}

impl Tree {
    /// Reads a folder of sources.
    pub fn read(folder: &Path) -> Self {
        let mut sources = Vec::new();
        collect(folder, folder, &mut sources);
        Self::new(sources)
    }

    /// A tree of these files: paths and texts.
    pub fn new(sources: Vec<(String, String)>) -> Self {
        let file = |(path, text): (String, String)| {
            let (module, found) = (module_of(&path), scan(&text));
            File { path, module, found }
        };
        let mut files: Vec<File> = sources.into_iter().map(file).collect();
        let of_tests: Vec<Vec<String>> = files.iter().flat_map(test_modules).collect();
        files.retain(|file| !of_tests.iter().any(|module| file.module.starts_with(module)));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let by_module =
            files.iter().enumerate().map(|(n, file)| (file.module.clone(), n)).collect();
        Self { files, by_module }
    }

    pub fn file_of(&self, module: &[String]) -> Option<usize> {
        self.by_module.get(module).copied()
    }
}

fn test_modules(file: &File) -> Vec<Vec<String>> {
    let module = |name: &String| [&file.module[..], std::slice::from_ref(name)].concat();
    file.found.test_modules.iter().map(module).collect()
}

/// `a/b.rs` and `a/b/mod.rs` hold the module `a::b`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root).unwrap().display().to_string();
            sources.push((relative, std::fs::read_to_string(&path).unwrap()));
        }
    }
}
