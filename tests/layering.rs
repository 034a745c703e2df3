//! The layers of the house (ARCHITECTURE.md): what each file may name. Modules are checked here; `clippy.toml` checks
//! types and functions.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// From the top; a file may use its own row and the rows below it.
const ROWS: &[&[&str]] = &[
    &["lib"],
    &["py"],
    &["verify"],
    &["hash"],
    &["s3"],
    &["schedule"],
    &["multibuffer"],
    &["stream"],
    &["source"],
    &["parts"],
    &["lanes"],
    &["isa"],
    &["error"],
    &["algorithm", "digest", "limits"],
];

/// Rows that name the one above by necessity: the errors' messages list the algorithms, whose parsing fails with them;
/// and plans fail with an error of their own.
const MUTUAL: &[(&str, &str)] = &[("algorithm", "error")];

/// Who may name what, beyond our own modules.
const OWNERS: &[(&str, &[&str])] = &[
    ("pyo3", &["py"]),
    ("rayon", &["schedule"]),
    ("memmap2", &["source"]),
    ("std::fs", &["source"]),
    ("fs::", &["source"]),
    ("core::arch", &["lanes"]),
    ("std::arch", &["isa"]),
    ("libc::", &["source", "py"]),
    ("unsafe", &["lanes", "multibuffer", "source/map", "source/system", "py/buffer", "py/interpreter"]),
];

/// Words of S3 that a kernel has no business with.
const S3_WORDS: &[&str] = &["etag", "composite", "s3::", "multipart", "checksumtype", "amazon"];

fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().with_extension("").to_string_lossy().into_owned();
            let code = fs::read_to_string(path).unwrap();
            // Unit tests may reach anywhere; comments may say anything.
            let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            (name, code)
        })
        .filter(|(name, _)| !name.ends_with("tests"))
        .collect()
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The crate's modules that a file names through `crate::`.
fn uses(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let statement = if rest.starts_with('{') { rest.split(';').next().unwrap() } else { rest };
        let mut depth = 0;
        let mut word = String::new();
        for c in statement.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                c if c.is_alphanumeric() || c == '_' => {
                    word.push(c);
                    continue;
                }
                _ => {}
            }
            if depth <= 1 && row(&word).is_some() {
                used.push(word.clone());
            }
            word.clear();
            if depth == 0 {
                break;
            }
        }
    }
    used
}

#[test]
fn every_module_has_a_row() {
    for (name, _) in sources() {
        let module = name.split('/').next().unwrap();
        assert!(row(module).is_some(), "src/{name}.rs has no row in ARCHITECTURE.md");
    }
}

#[test]
fn dependencies_point_down() {
    let mut seen = 0;
    for (name, code) in sources().into_iter().filter(|(name, _)| name != "lib") {
        let module = name.split('/').next().unwrap().to_owned();
        for used in uses(&code) {
            seen += 1;
            let fine = row(&module) <= row(&used) || MUTUAL.contains(&(&module, &used));
            assert!(fine, "src/{name}.rs uses {used}, which is above {module}");
        }
    }
    assert!(seen > 30, "the check reads `use crate::` lines: it saw only {seen}");
}

#[test]
fn each_outside_module_has_one_owner() {
    for (name, code) in sources() {
        for (word, owners) in OWNERS {
            let owned = owners.iter().any(|owner| name == *owner || name.starts_with(&format!("{owner}/")));
            let named = code.lines().any(|line| {
                let lint = line.contains("allow(") || line.contains("cfg");
                !lint
                    && line.match_indices(word).any(|(at, _)| {
                        !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
                    })
            });
            assert!(owned || !named, "src/{name}.rs names {word}, which belongs to {owners:?}");
        }
    }
}

#[test]
fn kernels_know_nothing_of_s3() {
    for (name, code) in sources() {
        if name.starts_with("multibuffer") || name.starts_with("lanes") {
            let code = code.to_lowercase();
            for word in S3_WORDS {
                assert!(!code.contains(word), "src/{name}.rs says {word:?}");
            }
        }
    }
}
