//! `docs/SECURITY.md`: each test that it names exists.

use std::fs;
use std::path::Path;

/// All Rust sources below a folder: the path and the text of each.
fn sources(folder: &Path, all: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The names in backquotes that consist of modules and a test, a module or `*`.
fn named_tests(page: &str) -> Vec<&str> {
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || "_*.".contains(c))
    };
    let quoted = page.split('`').skip(1).step_by(2);
    quoted.filter(|name| name.contains("::") && name.split("::").all(is_part)).collect()
}

/// Whether there is a test of this name, or a file or folder with tests.
fn exists(name: &str, sources: &[(String, String)]) -> bool {
    let parts: Vec<&str> = name.split("::").filter(|part| *part != "*").collect();
    let last = parts.last().unwrap();
    let module = (format!("/{last}.rs"), format!("/{last}/"));
    sources.iter().any(|(path, text)| {
        let is_module = path.ends_with(&module.0) || path.contains(&module.1);
        text.contains("#[test]") && (is_module || text.contains(&format!("fn {last}()")))
    })
}

#[test]
fn each_promise_names_a_test_that_exists() {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(tool.join("../docs/SECURITY.md")).unwrap();
    let mut all = Vec::new();
    sources(&tool.join("src"), &mut all);
    sources(&tool.join("tests"), &mut all);
    let named = named_tests(&page);
    assert!(named.len() > 50, "{named:?}");
    let missing: Vec<&str> = named.into_iter().filter(|name| !exists(name, &all)).collect();
    assert_eq!(missing, [] as [&str; 0]);
}
