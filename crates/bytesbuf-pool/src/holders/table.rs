//! Holders as a table for people.

use std::fmt;

use super::backtrace::while_printing;
use super::{HolderGroup, Holders};

const NO_TAG: &str = "(no tag)";
const TOTAL: &str = "total";

impl HolderGroup {
    /// On one line, whatever it is made of.
    fn label(&self) -> String {
        match self.tag() {
            Some(tag) => tag.escape_debug().to_string(),
            None => NO_TAG.to_owned(),
        }
    }
}

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<_> = self.groups.iter().map(HolderGroup::label).collect();
        let lengths = labels.iter().map(|label| label.chars().count());
        let width = lengths.max().unwrap_or(0).max(NO_TAG.len());
        writeln!(
            f,
            "{:width$} {:>11} {:>13} {:>10}",
            "tag", "blocks", "bytes", "oldest"
        )?;
        for (group, label) in self.groups.iter().zip(&labels) {
            let oldest = format!("{:.1?}", group.oldest());
            writeln!(
                f,
                "{label:width$} {:>11} {:>13} {oldest:>10}",
                group.blocks(),
                group.bytes(),
            )?;
        }
        let oldest = self.groups.iter().map(HolderGroup::oldest).max();
        let oldest = format!("{:.1?}", oldest.unwrap_or_default());
        write!(
            f,
            "{TOTAL:width$} {:>11} {:>13} {oldest:>10}",
            self.blocks(),
            self.bytes(),
        )?;
        if self.unrecorded > 0 {
            let unrecorded = self.unrecorded;
            write!(
                f,
                "\nand {unrecorded} blocks without a record: no memory for one"
            )?;
        }
        if f.alternate() {
            while_printing(|| self.print_samples(f))?;
        }
        Ok(())
    }
}

impl Holders {
    fn print_samples(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            for sample in group.samples() {
                write!(
                    f,
                    "\n\n{}: {} bytes for {:.1?}, rented at\n{}",
                    group.label(),
                    sample.bytes(),
                    sample.age(),
                    sample.backtrace(),
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(all(test, not(bytesbuf_loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use crate::holders::{Holders, Record, group};

    fn record(tag: Option<&str>, bytes: usize, age: u64, now: Instant) -> Record {
        Record {
            tag: tag.map(Into::into),
            bytes,
            since: now - Duration::from_millis(age),
            backtrace: None,
        }
    }

    #[test]
    fn most_bytes_first_and_columns_aligned() {
        let now = Instant::now() + Duration::from_secs(1000);
        let records = vec![
            record(None, 1024, 20, now),
            record(Some("connection with a long name"), 65_536, 12_300, now),
            record(Some("two\nlines"), 1024, 5, now),
            record(Some("connection with a long name"), 4096, 1, now),
        ];
        let holders = Holders {
            groups: group(records, now),
            unrecorded: 2,
            pool: None,
        };
        let table = "\
tag                              blocks         bytes     oldest
connection with a long name           2         69632      12.3s
(no tag)                              1          1024     20.0ms
two\\nlines                            1          1024      5.0ms
total                                 4         71680      12.3s
and 2 blocks without a record: no memory for one";
        assert_eq!(holders.to_string(), table);
        assert_eq!(format!("{holders:#}"), table, "no samples");
    }
}
