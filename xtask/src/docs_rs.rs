//! The documentation as docs.rs builds it: nightly, `--cfg docsrs`, each library with the
//! features that its manifest asks docs.rs for.

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use xshell::cmd;

use crate::LIBRARIES;
use crate::steps::{Outcome, Steps};
use crate::tools;

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step_if_possible("docs.rs", |sh, root| {
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .no_deps()
            .exec()
            .context("cargo metadata")?;
        for library in LIBRARIES {
            let package = metadata
                .packages
                .iter()
                .find(|package| package.name == library)
                .with_context(|| format!("no package {library}"))?;
            // docs.rs would show the default features, and nobody would find the others.
            ensure!(
                asks_for_everything(&package.metadata),
                "{library}: no `all-features` and `--cfg docsrs` in [package.metadata.docs.rs]"
            );
        }
        let nightly = match tools::nightly(sh) {
            Ok(nightly) => nightly,
            Err(missing) => return Ok(missing.into()),
        };
        for library in LIBRARIES {
            cmd!(
                sh,
                "rustup run {nightly} cargo doc --lib --no-deps --all-features -p {library}
                 --target-dir target/docs-rs"
            )
            .env("RUSTDOCFLAGS", "--cfg docsrs -D warnings")
            .run()?;
        }
        Ok(Outcome::Passed)
    })
}

/// Whether a manifest's own metadata tells docs.rs to show all there is.
fn asks_for_everything(metadata: &impl std::fmt::Display) -> bool {
    // Compact JSON, with the keys of each object in order.
    let text = metadata.to_string();
    text.contains("\"all-features\":true") && text.contains("[\"--cfg\",\"docsrs\"]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_features_alone_are_not_everything() {
        let all = r#"{"docs":{"rs":{"all-features":true,"rustdoc-args":["--cfg","docsrs"]}}}"#;
        assert!(asks_for_everything(&all));
        assert!(!asks_for_everything(&all.replace("true", "false")));
        assert!(!asks_for_everything(&all.replace("docsrs", "other")));
        assert!(!asks_for_everything(&"null"));
    }
}
