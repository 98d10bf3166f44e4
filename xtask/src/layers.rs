//! Who may depend on whom, checked.
//!
//! The table below is the one of ARCHITECTURE.md. A dependency that is not in it
//! fails the check: adding one is a decision, not an accident.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::steps::Steps;
use crate::{test_map, unsafe_list};

/// What a library may depend on.
#[derive(Debug)]
struct Layer {
    package: &'static str,
    /// Always there.
    always: &'static [&'static str],
    /// Only behind a feature.
    optional: &'static [&'static str],
}

const LAYERS: [Layer; 4] = [
    Layer {
        package: "bytesbuf-core",
        always: &["thiserror"],
        optional: &[],
    },
    Layer {
        package: "bytesbuf-pool",
        always: &[
            "bytesbuf-core",
            "crossbeam-queue",
            "crossbeam-utils",
            "rustix",
            "thiserror",
            "zeroize",
        ],
        optional: &["metrics", "tracing"],
    },
    Layer {
        package: "bytesbuf",
        always: &[
            "arrayvec",
            "bytesbuf-core",
            "memchr",
            "num-traits",
            "thiserror",
            "typeid",
        ],
        optional: &["bytes", "bytesbuf-pool", "thread_aware"],
    },
    // Stands for every provider author: core is all that one needs.
    Layer {
        package: "bytesbuf-arena",
        always: &["bytesbuf-core"],
        optional: &[],
    },
];

/// Model checkers: allowed to all of them, but only in builds for these.
const MODEL_CHECKERS: [(&str, &str); 2] = [
    ("loom", "cfg(bytesbuf_loom)"),
    ("shuttle", "cfg(bytesbuf_shuttle)"),
];

/// Nothing depends on these.
const TOOLS: [&str; 2] = ["xtask", "bytesbuf-benches"];

#[derive(Clone, Debug)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug)]
struct Dependency {
    name: String,
    kind: DependencyKind,
    optional: bool,
    /// The platform or cfg it is limited to.
    target: Option<String>,
}

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step("layers", |_, root| {
        let mut complaints = check(&members(root)?);
        let core = fs::read_to_string(root.join("crates/bytesbuf-core/src/lib.rs"))?;
        if !is_no_std(&core) {
            complaints.push("bytesbuf-core: not #![no_std]".to_owned());
        }
        if !complaints.is_empty() {
            bail!("{}", complaints.join("\n"));
        }
        Ok(())
    })?;
    unsafe_list::run(steps)?;
    test_map::run(steps)
}

fn members(root: &Path) -> Result<Vec<Package>> {
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    let packages = metadata.packages.iter().map(|package| Package {
        name: package.name.to_string(),
        dependencies: package
            .dependencies
            .iter()
            .map(|dependency| Dependency {
                name: dependency.name.clone(),
                kind: dependency.kind,
                optional: dependency.optional,
                target: dependency.target.as_ref().map(ToString::to_string),
            })
            .collect(),
    });
    Ok(packages.collect())
}

/// What is wrong, one line each.
fn check(packages: &[Package]) -> Vec<String> {
    let mut complaints = Vec::new();
    for layer in &LAYERS {
        match packages
            .iter()
            .find(|package| package.name == layer.package)
        {
            Some(package) => check_layer(layer, package, &mut complaints),
            None => complaints.push(format!("{}: not a member of the workspace", layer.package)),
        }
    }
    for package in packages {
        let name = package.name.as_str();
        let has_layer = LAYERS.iter().any(|layer| layer.package == name);
        if !has_layer && !TOOLS.contains(&name) {
            complaints.push(format!("{name}: neither in a layer nor a tool"));
        }
        for dependency in &package.dependencies {
            if TOOLS.contains(&dependency.name.as_str()) {
                complaints.push(format!(
                    "{}: depends on the tool {}",
                    package.name, dependency.name
                ));
            }
        }
    }
    complaints
}

fn check_layer(layer: &Layer, package: &Package, complaints: &mut Vec<String>) {
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let checker = MODEL_CHECKERS.iter().find(|(checker, _)| *checker == name);
        let complaint = match dependency.kind {
            DependencyKind::Development => continue,
            DependencyKind::Normal if layer.always.contains(&name) => continue,
            DependencyKind::Normal if layer.optional.contains(&name) => {
                if dependency.optional {
                    continue;
                }
                "must be optional"
            }
            DependencyKind::Normal if checker.is_some() => {
                if dependency.target.as_deref() == checker.map(|(_, cfg)| *cfg) {
                    continue;
                }
                "only under the model checker's cfg"
            }
            DependencyKind::Normal => "is not allowed in this layer",
            _ => "no build dependencies in the libraries",
        };
        complaints.push(format!("{} -> {name}: {complaint}", layer.package));
    }
}

/// Whether the crate root says so without a condition.
fn is_no_std(crate_root: &str) -> bool {
    crate_root.lines().any(|line| line.trim() == "#![no_std]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str) -> Dependency {
        Dependency {
            name: name.to_owned(),
            kind: DependencyKind::Normal,
            optional: false,
            target: None,
        }
    }

    fn optional(name: &str) -> Dependency {
        Dependency {
            optional: true,
            ..dependency(name)
        }
    }

    fn under(name: &str, cfg: &str) -> Dependency {
        Dependency {
            target: Some(cfg.to_owned()),
            ..dependency(name)
        }
    }

    fn of_kind(name: &str, kind: DependencyKind) -> Dependency {
        Dependency {
            kind,
            ..dependency(name)
        }
    }

    /// The packages of the table, with one dependency added to one of them.
    fn workspace(package: &str, added: Dependency) -> Vec<Package> {
        let mut packages: Vec<Package> = LAYERS
            .iter()
            .map(|layer| Package {
                name: layer.package.to_owned(),
                dependencies: Vec::new(),
            })
            .collect();
        packages.push(Package {
            name: "xtask".to_owned(),
            dependencies: Vec::new(),
        });
        let named = packages.iter_mut().find(|other| other.name == package);
        named.unwrap().dependencies.push(added);
        packages
    }

    #[track_caller]
    fn accepts(package: &str, added: Dependency) {
        assert_eq!(check(&workspace(package, added)), Vec::<String>::new());
    }

    #[track_caller]
    fn refuses(package: &str, added: Dependency, why: &str) {
        let complaints = check(&workspace(package, added));
        assert!(
            complaints.len() == 1 && complaints[0].contains(why),
            "{complaints:?} is not one complaint with {why:?}"
        );
    }

    #[test]
    fn layers_point_downwards() {
        accepts("bytesbuf-pool", dependency("bytesbuf-core"));
        accepts("bytesbuf", dependency("bytesbuf-core"));
        accepts("bytesbuf", optional("bytesbuf-pool"));
        refuses("bytesbuf-core", dependency("bytesbuf-pool"), "not allowed");
        refuses("bytesbuf-core", dependency("bytesbuf"), "not allowed");
        refuses("bytesbuf-pool", dependency("bytesbuf"), "not allowed");
        refuses("bytesbuf", dependency("bytesbuf-pool"), "must be optional");
        accepts("bytesbuf-arena", dependency("bytesbuf-core"));
        accepts(
            "bytesbuf-arena",
            of_kind("bytesbuf", DependencyKind::Development),
        );
        refuses("bytesbuf-arena", dependency("bytesbuf"), "not allowed");
    }

    #[test]
    fn foreign_crates_are_the_ones_in_the_table() {
        accepts("bytesbuf-core", dependency("thiserror"));
        accepts("bytesbuf-pool", dependency("crossbeam-queue"));
        accepts("bytesbuf-pool", optional("tracing"));
        accepts("bytesbuf", optional("bytes"));
        refuses("bytesbuf-core", dependency("log"), "not allowed");
        refuses("bytesbuf-core", optional("bytes"), "not allowed");
        refuses("bytesbuf-pool", dependency("tokio"), "not allowed");
        refuses("bytesbuf-pool", dependency("metrics"), "must be optional");
        refuses("bytesbuf", optional("metrics"), "not allowed");
        refuses("bytesbuf", dependency("bytes"), "must be optional");
        refuses("bytesbuf", optional("tokio"), "not allowed");
    }

    #[test]
    fn a_model_checker_only_under_its_cfg() {
        const WHY: &str = "only under the model checker's cfg";
        accepts("bytesbuf-core", under("loom", "cfg(bytesbuf_loom)"));
        accepts("bytesbuf-pool", under("shuttle", "cfg(bytesbuf_shuttle)"));
        refuses("bytesbuf-core", dependency("loom"), WHY);
        refuses("bytesbuf-core", dependency("shuttle"), WHY);
        refuses("bytesbuf-pool", under("loom", "cfg(loom)"), WHY);
        refuses("bytesbuf-pool", under("shuttle", "cfg(bytesbuf_loom)"), WHY);
    }

    #[test]
    fn development_is_free_and_build_scripts_are_not() {
        accepts(
            "bytesbuf-core",
            of_kind("proptest", DependencyKind::Development),
        );
        refuses(
            "bytesbuf-core",
            of_kind("cc", DependencyKind::Build),
            "build dependencies",
        );
    }

    #[test]
    fn nobody_depends_on_a_tool() {
        let tool = of_kind("bytesbuf-benches", DependencyKind::Development);
        refuses("bytesbuf", tool, "depends on the tool");
        refuses(
            "xtask",
            dependency("bytesbuf-benches"),
            "depends on the tool",
        );
    }

    #[test]
    fn a_missing_library_is_noticed() {
        let complaints = check(&[]);
        assert_eq!(complaints.len(), LAYERS.len(), "{complaints:?}");
    }

    #[test]
    fn no_std_has_no_condition() {
        assert!(is_no_std("//! Doc.\n#![no_std]\n"));
        assert!(!is_no_std("#![cfg_attr(not(feature = \"std\"), no_std)]"));
        assert!(!is_no_std("// #![no_std]"));
        assert!(!is_no_std(""));
    }
}
