//! Licences, sources and duplicates of everything that is compiled, and known
//! vulnerabilities where the database of them can be had.

use anyhow::{Context, Result, bail};

use crate::steps::{Outcome, Steps};
use crate::tools;

/// Manifest, and what is let pass in it: two versions of a crate are the business of the
/// published clients and peers that bring them.
const WORKSPACES: [(&str, &[&str]); 6] = [
    ("Cargo.toml", &[]),
    ("crates/fuzz/Cargo.toml", &["--allow", "duplicate"]),
    ("benches/counts/Cargo.toml", &["--allow", "duplicate"]),
    ("crates/oracle/Cargo.toml", &["--allow", "duplicate"]),
    ("crates/oracle/compat/Cargo.toml", &["--allow", "duplicate"]),
    ("benches/peers/Cargo.toml", &["--allow", "duplicate"]),
];

/// What it says when the database of advisories cannot be fetched.
const OUT_OF_REACH: &str = "failed to fetch advisory database";

pub(crate) fn run(steps: &mut Steps) -> Result<()> {
    steps.step_if_possible("deny", |sh, root| {
        for (manifest, allowed) in WORKSPACES {
            let deny = match tools::DENY.command(sh, root) {
                Ok(deny) => deny,
                Err(missing) => return Ok(missing.into()),
            };
            deny.args(["--locked", "--config", "deny.toml"])
                .args(["--manifest-path", manifest])
                .args(["check", "--hide-inclusion-graph"])
                .args(allowed)
                .args(["bans", "licenses", "sources"])
                .run()
                .with_context(|| format!("see {manifest} and deny.toml"))?;
        }
        Ok(Outcome::Passed)
    })?;
    steps.step_if_possible("deny, advisories", |sh, root| {
        let deny = match tools::DENY.command(sh, root) {
            Ok(deny) => deny,
            Err(missing) => return Ok(missing.into()),
        };
        let output = deny
            .args(["check", "--hide-inclusion-graph", "advisories"])
            .ignore_status()
            .output()?;
        judge(
            output.status.success(),
            &String::from_utf8_lossy(&output.stderr),
        )
    })
}

/// An advisory is a failure. Advisories that cannot be read are not.
fn judge(success: bool, said: &str) -> Result<Outcome> {
    if success {
        return Ok(Outcome::Passed);
    }
    if said.contains(OUT_OF_REACH) {
        return Ok(Outcome::NotRun(
            "the database of advisories is out of reach".to_owned(),
        ));
    }
    bail!("{said}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advisories_that_cannot_be_read_are_not_called_passed() {
        let said = "[ERROR] failed to fetch advisory database https://example.com: failed to clone";
        assert!(matches!(judge(false, said), Ok(Outcome::NotRun(_))));
    }

    #[test]
    fn an_advisory_is_an_error() {
        let said = "error[vulnerability]: out-of-bounds read\nadvisories FAILED";
        let error = judge(false, said).unwrap_err();
        assert!(error.to_string().contains("out-of-bounds read"), "{error}");
        assert!(matches!(judge(true, ""), Ok(Outcome::Passed)));
    }
}
