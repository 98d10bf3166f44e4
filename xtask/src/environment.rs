//! Variables that would make the checks check less, without a word.

use anyhow::{Result, bail};

/// Fails if one of them is set. `value` looks a variable up.
pub(crate) fn check(value: impl Fn(&str) -> Option<String>) -> Result<()> {
    // Outranks the flags with which models and sanitizers are built; an end to models that
    // are not through.
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "LOOM_MAX_PERMUTATIONS",
        "LOOM_MAX_DURATION",
    ] {
        if let Some(value) = value(name) {
            bail!("{name} is set, to `{value}`: checks would pass that have not run");
        }
    }
    // Loops that are not entered.
    for name in ["BYTESBUF_ROUNDS", "BYTESBUF_CHURN", "PROPTEST_CASES"] {
        if value(name).is_some_and(|value| value.trim().parse() == Ok(0_u64)) {
            bail!("{name} is 0: checks would pass that have not run");
        }
    }
    if let Some(flags) = value("RUSTFLAGS") {
        if flags.contains("bytesbuf_") {
            bail!(
                "RUSTFLAGS is `{flags}`: with that, tests are left out; the verbs set it themselves"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn complains(name: &str, value: &str) -> bool {
        let set = |asked: &str| (asked == name).then(|| value.to_owned());
        check(set).is_err_and(|error| error.to_string().starts_with(name))
    }

    #[test]
    fn what_would_leave_checks_out_is_refused() {
        assert!(complains("CARGO_ENCODED_RUSTFLAGS", ""));
        assert!(complains("LOOM_MAX_DURATION", "1"));
        assert!(complains("LOOM_MAX_PERMUTATIONS", "1"));
        assert!(complains("BYTESBUF_ROUNDS", "0"));
        assert!(complains("PROPTEST_CASES", " 00"));
        assert!(complains("RUSTFLAGS", "-O --cfg bytesbuf_loom"));
    }

    #[test]
    fn what_asks_for_more_is_fine() {
        assert!(!complains("BYTESBUF_ROUNDS", "10"));
        assert!(!complains("LOOM_CHECKPOINT_FILE", "x"));
        assert!(!complains("RUSTFLAGS", "-Ctarget-cpu=native"));
        assert!(check(|_| None).is_ok());
    }
}
