//! A run as text: one table, in Markdown that can also be read as it stands.

use comfy_table::{CellAlignment, Table, presets};

use crate::peer::Peer;
use crate::results::{Cell, Results, RowResult, Spread};
use crate::targets::Verdict;
use crate::workload::Unit;

/// Everything that a run found.
#[must_use]
pub fn text(results: &Results) -> String {
    let mut text = format!("{}\n\n", head(results).join("\n"));
    text += "Nanoseconds an operation where nothing else is said (median over rounds); in brackets ours\n\
             divided by that peer's (median of the ratio within a round). Less is better for both.\n\n";
    text += &comparison(&results.rows).to_string();
    text += "\n\nWhat the machine itself takes, same run (ns: median, least, greatest)\n\n";
    text += &floors(&results.floors).to_string();
    text += "\n\n`size_of`, bytes: ";
    text += &sizes(results);
    text += "\n\n";
    text += &summary(&results.rows);
    text
}

/// Date, machine, versions, rounds: a line each.
pub(crate) fn head(results: &Results) -> Vec<String> {
    let machine = &results.machine;
    let versions: Vec<String> = machine
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    vec![
        format!("date: {}", results.date),
        format!(
            "machine: {}, {} cores, {}",
            machine.cpu, machine.cores, machine.kernel
        ),
        format!("compiler: {}; fat LTO, one codegen unit", machine.rustc),
        format!("crates: {}", versions.join(", ")),
        format!(
            "rounds: {} of {} ms for each peer, in {} starts",
            results.rounds, results.batch_ms, results.starts
        ),
    ]
}

fn comparison(rows: &[RowResult]) -> Table {
    let columns = columns(rows);
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    let mut header = vec!["workload".to_owned()];
    header.extend(columns.iter().map(|peer| peer.label().to_owned()));
    header.extend(["target", "reached", "verdict"].map(str::to_owned));
    table.set_header(header);
    for row in rows {
        let mut line = vec![title(row)];
        line.extend(
            columns
                .iter()
                .map(|peer| row.cell(*peer).map_or_else(String::new, cell)),
        );
        line.extend(verdicts(row));
        table.add_row(line);
    }
    for column in 1..=columns.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The peers that have a cell in any row.
pub(crate) fn columns(rows: &[RowResult]) -> Vec<Peer> {
    Peer::COLUMNS
        .into_iter()
        .filter(|peer| rows.iter().any(|row| row.cell(*peer).is_some()))
        .collect()
}

/// Name of a row, with its unit if that is not nanoseconds.
pub(crate) fn title(row: &RowResult) -> String {
    match row.unit {
        Unit::Ns | Unit::Share => row.id.clone(),
        Unit::Bytes => format!("{}, B", row.id),
        Unit::MiB => format!("{}, MiB", row.id),
    }
}

fn cell(cell: &Cell) -> String {
    let value = figure(cell.value.median);
    match cell.ratio {
        None => value,
        Some(ratio) => format!("{value} ({})", figure(ratio.median)),
    }
}

/// Target, what was reached, verdict: one line for each target.
fn verdicts(row: &RowResult) -> [String; 3] {
    let lines =
        |line: fn(&Verdict) -> String| row.verdicts.iter().map(line).collect::<Vec<_>>().join("\n");
    [
        lines(target),
        lines(|verdict| verdict.measured.map_or_else(|| "-".to_owned(), spread)),
        lines(|verdict| word(verdict).to_owned()),
    ]
}

pub(crate) fn target(verdict: &Verdict) -> String {
    let stretch = if verdict.stretch { "stretch " } else { "" };
    format!("{stretch}{}", verdict.target)
}

/// `met`, `MISSED` or `not measured`.
pub(crate) fn word(verdict: &Verdict) -> &'static str {
    match (verdict.measured, verdict.met) {
        (None, _) => "not measured",
        (Some(_), true) => "met",
        (Some(_), false) if verdict.stretch => "not yet",
        (Some(_), false) => "MISSED",
    }
}

/// Median, and from where to where.
pub(crate) fn spread(spread: Spread) -> String {
    if spread.min == spread.max {
        return figure(spread.median);
    }
    format!(
        "{} [{} .. {}]",
        figure(spread.median),
        figure(spread.min),
        figure(spread.max)
    )
}

fn floors(rows: &[RowResult]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["what", "ns", "least", "greatest"]);
    for row in rows {
        if let Some(cell) = row.cells.first() {
            let Spread {
                min, median, max, ..
            } = cell.value;
            table.add_row([row.what.clone(), figure(median), figure(min), figure(max)]);
        }
    }
    table
}

/// Builder and view of each peer.
pub(crate) fn sizes(results: &Results) -> String {
    let sizes: Vec<String> = results
        .sizes
        .iter()
        .map(|size| format!("{} {} / {}", size.peer.label(), size.buffer, size.view))
        .collect();
    format!("{} (builder / view)", sizes.join(", "))
}

/// How many targets were met, and the list of those that were not.
pub(crate) fn summary(rows: &[RowResult]) -> String {
    let count = |stretch: bool| {
        let verdicts = rows
            .iter()
            .flat_map(|row| &row.verdicts)
            .filter(|verdict| verdict.stretch == stretch);
        let met = verdicts.clone().filter(|verdict| verdict.met).count();
        (met, verdicts.count())
    };
    let (met, all) = count(false);
    let (stretch_met, stretch_all) = count(true);
    format!("targets met: {met} of {all}; stretch: {stretch_met} of {stretch_all}\n")
}

/// Three digits, more or less.
pub(crate) fn figure(value: f64) -> String {
    if value.is_nan() {
        "-".to_owned()
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else if value >= 0.0995 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_about_three_digits() {
        for (value, expected) in [
            (1234.5, "1234"),
            (99.96, "100.0"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.1234, "0.12"),
            (0.0712, "0.071"),
            (f64::NAN, "-"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }
}
