//! The table.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::plant::Plant;
use super::rung::{Run, Rung};
use super::verdict::Verdict;

/// One planted bug and what became of it.
pub(super) struct Row<'a> {
    pub(super) plant: &'a Plant,
    pub(super) verdict: Verdict,
    took: Duration,
}

impl<'a> Row<'a> {
    pub(super) const fn new(plant: &'a Plant, verdict: Verdict, took: Duration) -> Self {
        Self {
            plant,
            verdict,
            took,
        }
    }

    pub(super) fn line(&self) -> String {
        let plant = self.plant;
        let seconds = self.took.as_secs_f64();
        let rung = plant.rung.map_or("-", Rung::name);
        let mut line = columns(
            &plant.name,
            rung,
            &format!("{seconds:.1}"),
            &self.verdict.to_string(),
        );
        if let (true, Some(rung)) = (self.verdict.is_bad(), plant.rung) {
            let _ = write!(line, "\n    {}", Run::of(plant, rung).shown());
        }
        if self.verdict.has_output() {
            let log = Path::new("target/kill/target/logs").join(format!("{}.txt", plant.name));
            let _ = write!(line, "\n    output: {}", log.display());
        }
        line
    }
}

fn columns(bug: &str, rung: &str, seconds: &str, verdict: &str) -> String {
    format!("{bug:<38} {rung:<8} {seconds:>7}  {verdict}")
}

/// What is in the columns. The number in front of a bug's name is its class.
fn heading() -> String {
    columns("class and bug", "rung", "seconds", "verdict")
}

/// One line a bug, in the order of the classes.
pub(super) fn table(rows: &[Row<'_>], took: Duration) -> String {
    let mut rows: Vec<&Row<'_>> = rows.iter().collect();
    rows.sort_by(|a, b| (a.plant.class, &a.plant.name).cmp(&(b.plant.class, &b.plant.name)));
    let mut lines = vec![heading()];
    lines.extend(rows.iter().map(|row| row.line()));
    let killed = rows.iter().filter(|row| row.verdict == Verdict::Killed);
    let planted = rows.iter().filter(|row| row.plant.rung.is_some());
    format!(
        "{}\n{} of {} killed, {:.0} s with the clean runs\n",
        lines.join("\n"),
        killed.count(),
        planted.count(),
        took.as_secs_f64(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kill::tests::planted;

    #[test]
    fn the_table_is_by_class_and_shows_how_to_repeat_a_failure() {
        let all = [planted("01-a", "loom"), planted("03-c", "test")];
        let row = |plant, verdict| Row::new(plant, verdict, Duration::from_secs(1));
        let rows = [
            row(&all[1], Verdict::Survived),
            row(&all[0], Verdict::Killed),
        ];
        let text = table(&rows, Duration::from_secs(7));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("seconds  verdict"), "{text}");
        assert!(lines[1].starts_with("01-a") && lines[1].ends_with("killed"));
        assert!(lines[2].starts_with("03-c") && lines[2].ends_with("SURVIVED"));
        assert_eq!(lines[3].trim(), "cargo test -p one");
        assert_eq!(
            *lines.last().unwrap(),
            "1 of 2 killed, 7 s with the clean runs"
        );
    }
}
