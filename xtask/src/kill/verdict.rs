//! What a command's end says about a planted bug.

use std::fmt;

use crate::loom::tests_announced;

/// How a command ended, and all that it printed.
#[derive(Debug)]
pub(super) struct End {
    pub(super) how: How,
    pub(super) output: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    Success,
    Failure,
    /// Ended by us.
    TooLong,
}

/// What became of a planted bug.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    Killed,
    Survived,
    /// The rung failed, without this text of the file's `expect`.
    FailedOtherwise(String),
    DoesNotCompile,
    DoesNotApply(String),
    TooLong,
    /// The rung does not pass without the bug.
    NotGreen(String),
    /// A tool is missing.
    NotRun(String),
    /// The class has no bug here, and why.
    NotPlanted(String),
}

impl Verdict {
    /// Whether the rung was shown the bug, or should have been, and did not notice it.
    pub(super) const fn is_bad(&self) -> bool {
        !matches!(self, Self::Killed | Self::NotRun(_) | Self::NotPlanted(_))
    }

    /// Whether the rung was run with the bug, and what it printed says why this is bad.
    pub(super) const fn has_output(&self) -> bool {
        matches!(
            self,
            Self::Survived | Self::FailedOtherwise(_) | Self::DoesNotCompile | Self::TooLong
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed => f.write_str("killed"),
            Self::Survived => f.write_str("SURVIVED"),
            Self::FailedOtherwise(text) => write!(f, "FAILED OTHERWISE: without `{text}`"),
            Self::DoesNotCompile => f.write_str("DOES NOT COMPILE"),
            Self::DoesNotApply(why) => write!(f, "DOES NOT APPLY: {why}"),
            Self::TooLong => f.write_str("TOOK TOO LONG"),
            Self::NotGreen(why) => write!(f, "NOT GREEN WITHOUT IT: {why}"),
            Self::NotRun(why) => write!(f, "not run: {why}"),
            Self::NotPlanted(why) => write!(f, "not planted: {why}"),
        }
    }
}

/// Judges a run with a bug in the tree. `compile`: an error of the compiler is what
/// is expected.
pub(super) fn judge(end: &End, expect: &[String], compile: bool) -> Verdict {
    match end.how {
        How::Success => Verdict::Survived,
        How::TooLong => Verdict::TooLong,
        How::Failure if !compile && end.output.contains("error: could not compile") => {
            Verdict::DoesNotCompile
        }
        How::Failure => match expect.iter().find(|text| !end.output.contains(*text)) {
            None => Verdict::Killed,
            Some(text) => Verdict::FailedOtherwise(text.clone()),
        },
    }
}

/// Judges a run of the clean tree: what is wrong with it, if anything.
/// `counts_tests`: one that ran no test has shown nothing.
pub(super) fn judge_clean(end: &End, counts_tests: bool) -> Result<(), String> {
    match end.how {
        How::TooLong => return Err("it took too long".to_owned()),
        How::Failure => return Err("it fails".to_owned()),
        How::Success => {}
    }
    let tests: usize = end.output.lines().filter_map(tests_announced).sum();
    if counts_tests && tests == 0 {
        return Err("no test was run: wrong filter?".to_owned());
    }
    Ok(())
}

/// A text that is expected of the failure, and printed without the bug as well: it
/// would tell nothing.
pub(super) fn printed_anyway<'a>(clean: &End, expect: &'a [String]) -> Option<&'a str> {
    let text = expect.iter().find(|text| clean.output.contains(*text))?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(how: How, output: &str) -> End {
        End {
            how,
            output: output.to_owned(),
        }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[track_caller]
    fn check(how: How, output: &str, expect: &[&str], compile: bool, expected: Verdict) {
        assert_eq!(judge(&end(how, output), &texts(expect), compile), expected);
    }

    #[test]
    fn only_the_expected_failure_is_a_kill() {
        let output = "running 2 tests\ntest a ... FAILED\ndouble free";
        let expect = ["test a ... FAILED", "double free"];
        check(How::Failure, output, &expect, false, Verdict::Killed);
        check(How::Success, output, &expect, false, Verdict::Survived);
        check(How::TooLong, output, &expect, false, Verdict::TooLong);
        check(
            How::Failure,
            "test b ... FAILED\ndouble free",
            &expect,
            false,
            Verdict::FailedOtherwise("test a ... FAILED".to_owned()),
        );
    }

    #[test]
    fn a_compile_error_is_a_kill_where_it_is_expected() {
        let output = "`T` cannot be sent\nerror: could not compile `one`";
        let expect = ["cannot be sent"];
        check(How::Failure, output, &expect, true, Verdict::Killed);
        check(
            How::Failure,
            output,
            &expect,
            false,
            Verdict::DoesNotCompile,
        );
        check(
            How::Failure,
            "typo\nerror: could not compile `one`",
            &expect,
            true,
            Verdict::FailedOtherwise("cannot be sent".to_owned()),
        );
    }

    #[test]
    fn a_clean_run_passes_and_runs_something() {
        let nothing = "running 0 tests\n\nrunning 0 tests";
        assert!(judge_clean(&end(How::Success, "running 0 tests\nrunning 1 test"), true).is_ok());
        assert!(judge_clean(&end(How::Success, ""), false).is_ok());
        assert!(judge_clean(&end(How::Success, nothing), true).is_err());
        assert!(judge_clean(&end(How::Failure, "running 1 test"), true).is_err());
        assert!(judge_clean(&end(How::TooLong, "running 1 test"), false).is_err());
    }

    #[test]
    fn what_is_printed_anyway_is_no_evidence() {
        let clean = end(How::Success, "test a ... ok");
        assert_eq!(
            printed_anyway(&clean, &texts(&["x", "... ok"])),
            Some("... ok")
        );
        assert_eq!(printed_anyway(&clean, &texts(&["FAILED"])), None);
    }

    #[test]
    fn what_was_shown_and_not_killed_is_bad() {
        let why = || String::from("why");
        for verdict in [
            Verdict::Killed,
            Verdict::NotRun(why()),
            Verdict::NotPlanted(why()),
        ] {
            assert!(!verdict.is_bad(), "{verdict}");
        }
        for verdict in [
            Verdict::Survived,
            Verdict::FailedOtherwise(why()),
            Verdict::DoesNotCompile,
            Verdict::DoesNotApply(why()),
            Verdict::TooLong,
            Verdict::NotGreen(why()),
        ] {
            assert!(verdict.is_bad(), "{verdict}");
        }
    }
}
