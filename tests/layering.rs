//! The layers of the crate (ARCHITECTURE.md): what each file may name. Modules are checked here, types and functions by
//! `clippy.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// From the top. A file may use its own row and the rows below it.
const ROWS: &[&[&str]] = &[
    &["lib"],
    &["py"],
    &["verify"],
    &["hash"],
    &["s3"],
    &["schedule"],
    &["kernels"],
    &["source"],
    &["parts"],
    &["lanes"],
    &["isa"],
    &["error"],
    &["algorithm", "digest", "limits"],
];

/// The files that may name something outside of our own modules.
const OWNERS: &[(&str, &[&str])] = &[
    ("pyo3", &["py"]),
    ("rayon", &["schedule/threads"]),
    ("memmap2", &["source"]),
    ("std::fs", &["source"]),
    ("fs::", &["source"]),
    ("core::arch", &["lanes", "kernels/x86"]),
    ("std::arch", &["isa"]),
    ("libc::", &["source", "py"]),
    (
        "unsafe",
        &[
            "lanes",
            "kernels/lane_group",
            "kernels/md5",
            "kernels/sha1",
            "kernels/sha2",
            "kernels/x86",
            "kernels/xxhash",
            "source/map",
            "source/system",
            "py/buffer",
            "py/interpreter",
        ],
    ),
];

/// Words of S3, which kernels know nothing of.
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
            let name = name.strip_suffix("/mod").unwrap_or(&name).to_owned();
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

/// The paths of a `use` or of one group in it: `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`.
fn flatten(text: &str, prefix: &str, paths: &mut Vec<String>) {
    let Some((head, group)) = text.split_once('{') else {
        paths.push(format!("{prefix}{}", text.trim()));
        return;
    };
    let group = &group[..group.rfind('}').unwrap()];
    let (mut depth, mut start) = (0, 0);
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                flatten(&group[start..at], &format!("{prefix}{}", head.trim()), paths);
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The files of the crate that a file names.
fn uses(name: &str, code: &str, files: &BTreeSet<String>) -> BTreeSet<String> {
    let mut paths = Vec::new();
    for statement in code.split(';') {
        match statement.rsplit_once("use ") {
            Some((_, tree)) if ["crate::", "self::", "super::"].iter().any(|root| tree.starts_with(root)) => {
                flatten(tree, "", &mut paths);
            }
            _ => paths.extend(statement.match_indices("crate::").map(|(at, _)| {
                let path = statement[at..].split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
                path.map(str::to_owned).next().unwrap()
            })),
        }
    }
    let module: Vec<&str> = name.split('/').filter(|part| *part != "lib").collect();
    let file = |path: &String| {
        let mut place: Vec<&str> = if path.starts_with("crate") { Vec::new() } else { module.clone() };
        for part in path.split("::").map(str::trim).filter(|part| !matches!(*part, "crate" | "self")) {
            match part {
                "super" => drop(place.pop()),
                part => place.push(part),
            }
        }
        while !place.is_empty() && !files.contains(&place.join("/")) {
            place.pop();
        }
        place.join("/")
    };
    paths.iter().map(file).filter(|file| !file.is_empty() && file != name).collect()
}

/// Each file and the files that it names.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources();
    let files = sources.iter().map(|(name, _)| name.clone()).collect();
    sources.into_iter().map(|(name, code)| (name.clone(), uses(&name, &code, &files))).collect()
}

fn module(name: &str) -> &str {
    name.split('/').next().unwrap()
}

#[test]
fn every_module_has_a_row() {
    for (name, _) in sources() {
        assert!(row(module(&name)).is_some(), "src/{name}.rs has no row in ARCHITECTURE.md");
    }
}

#[test]
fn dependencies_point_down() {
    let mut seen = 0;
    for (name, used) in graph().into_iter().filter(|(name, _)| name != "lib") {
        for used in used {
            seen += 1;
            let (module, used) = (module(&name), module(&used));
            let fine = row(module) <= row(used);
            assert!(fine, "src/{name}.rs uses {used}, which is above {module}");
        }
    }
    assert!(seen > 100, "the check saw only {seen} uses");
}

/// A folder and the files in it may use each other.
#[test]
fn files_do_not_go_in_circles() {
    let graph = graph();
    let reach = |from: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(name) = open.pop() {
            for used in graph.get(&name).into_iter().flatten() {
                let related = used.starts_with(&format!("{name}/")) || name.starts_with(&format!("{used}/"));
                if !related && seen.insert(used.clone()) {
                    open.push(used.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, _> = graph.keys().map(|name| (name.as_str(), reach(name))).collect();
    for (name, others) in &reached {
        let other = others.iter().find(|other| other != name && reached[other.as_str()].contains(*name));
        assert!(other.is_none(), "src/{name}.rs and src/{}.rs use each other", other.unwrap());
    }
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
        if name.starts_with("kernels") || name.starts_with("lanes") {
            let code = code.to_lowercase();
            for word in S3_WORDS {
                assert!(!code.contains(word), "src/{name}.rs says {word:?}");
            }
        }
    }
}
