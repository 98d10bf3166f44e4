//! A run as a page: self-contained, without scripts, light and dark.

mod charts;

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::results::{Cell, Results, RowResult};
use crate::table;
use crate::targets::Verdict;

const STYLE: &str = include_str!("style.css");

/// The page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn html(results: &Results) -> Result<String> {
    let targets = charts::targets(&results.rows, charts::Layout::WIDE)?;
    let narrow_targets = charts::targets(&results.rows, charts::Layout::NARROW)?;
    let bars = results
        .rows
        .iter()
        .map(|row| Ok((row, charts::bars(row)?)))
        .collect::<Result<Vec<_>>>()?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "bytesbuf beside its peers" }
                style { (PreEscaped(STYLE)) (PreEscaped(colours())) }
            }
            body {
                main {
                    h1 { "bytesbuf beside its peers" }
                    ul.facts { @for line in table::head(results) { li { (line) } } }
                    p {
                        "One process, interleaved rounds: each round runs every peer of a workload once. "
                        "Nanoseconds are medians over the rounds and hold for this machine and this run; "
                        "ratios are medians of the ratio within a round, and are what carries over."
                    }
                    p.summary { (table::summary(&results.rows)) }
                    h2 { "Targets" }
                    p {
                        "How far each target is from being met: left of the line is better than asked for. "
                        "Grey names are stretch targets. On the right, what was reached."
                    }
                    figure.on-wide { (PreEscaped(targets)) }
                    figure.on-narrow { (PreEscaped(narrow_targets)) }
                    h2 { "Table" }
                    p { "ns an operation where nothing else is said; below, in brackets, ours divided by that peer's. Less is better; of the shares of W9, more." }
                    div.wide.all { (comparison(&results.rows)) }
                    h2 { "What the machine itself takes" }
                    div.wide.small { (floors(&results.floors)) }
                    p { code { "size_of" } " in bytes: " (table::sizes(results)) }
                    h2 { "Workload by workload" }
                    div.grid {
                        @for (row, chart) in bars {
                            figure {
                                figcaption { strong { (table::title(row)) } " " span { (row.what) } }
                                (PreEscaped(chart))
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(page.into_string())
}

/// Says which colour the colours of the charts are.
fn colours() -> String {
    charts::COLOURS
        .iter()
        .map(|(name, colour)| {
            let drawn = format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2);
            format!(
                "svg [fill=\"{drawn}\"]{{fill:var(--{name})}}\nsvg [stroke=\"{drawn}\"]{{stroke:var(--{name})}}\n"
            )
        })
        .collect()
}

fn comparison(rows: &[RowResult]) -> Markup {
    let columns = table::columns(rows);
    html! {
        table {
            thead {
                tr {
                    th { "workload" }
                    @for peer in &columns { th.figure { (peer.label()) } }
                    th { "target" }
                    th { "reached (least .. greatest)" }
                    th { "verdict" }
                }
            }
            @for row in rows {
                tbody {
                    tr {
                        th scope="row" rowspan=(lines(row)) title=(row.what) { (table::title(row)) }
                        @for peer in &columns {
                            td.figure rowspan=(lines(row)) { @if let Some(cell) = row.cell(*peer) { (figure(cell)) } }
                        }
                        @if let Some(verdict) = row.verdicts.first() { (judged(verdict)) }
                        @else { td {} td {} td {} }
                    }
                    @for verdict in row.verdicts.iter().skip(1) { tr { (judged(verdict)) } }
                }
            }
        }
    }
}

fn lines(row: &RowResult) -> usize {
    row.verdicts.len().max(1)
}

fn figure(cell: &Cell) -> Markup {
    html! {
        (table::figure(cell.value.median))
        @if let Some(ratio) = cell.ratio { " " span.ratio { "(" (table::figure(ratio.median)) ")" } }
    }
}

fn judged(verdict: &Verdict) -> Markup {
    let class = if verdict.met { "met" } else { "missed" };
    html! {
        td.target title=(verdict.source) { (table::target(verdict)) }
        td { (verdict.measured.map_or_else(|| "-".to_owned(), table::spread)) }
        td class=(class) { (table::word(verdict)) }
    }
}

fn floors(rows: &[RowResult]) -> Markup {
    html! {
        table {
            thead { tr { th { "what" } th.figure { "ns" } th.figure { "least" } th.figure { "greatest" } } }
            tbody {
                @for row in rows {
                    @if let Some(cell) = row.cells.first() {
                        tr {
                            th scope="row" { (row.what) }
                            td.figure { (table::figure(cell.value.median)) }
                            td.figure { (table::figure(cell.value.min)) }
                            td.figure { (table::figure(cell.value.max)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::peer::Peer;
    use crate::results::{Size, Spread};
    use crate::targets;
    use crate::workload::Unit;

    fn results() -> Results {
        let cell = |peer, value, ratio: Option<f64>| Cell {
            peer,
            value: Spread::once(value),
            ratio: ratio.map(Spread::once),
        };
        let row = |id: &str, cells| RowResult {
            id: id.to_owned(),
            what: "a & b".to_owned(),
            unit: Unit::Ns,
            cells,
            verdicts: Vec::new(),
        };
        let (ours, bytes) = (Peer::Ours, Peer::Bytes);
        let mut rows = [row(
            "W3 1 span",
            vec![cell(ours, 2.0, None), cell(bytes, 4.0, Some(0.5))],
        )];
        targets::judge(&mut rows);
        Results {
            date: "2026-11-26".to_owned(),
            machine: Machine::this(),
            rounds: 1,
            starts: 1,
            batch_ms: 1,
            floors: vec![row("floor", vec![cell(Peer::Floor, 1.0, None)])],
            rows: rows.into(),
            sizes: Size::all(),
        }
    }

    #[test]
    fn the_page_needs_no_script_and_no_network() {
        let page = html(&results()).unwrap();
        for foreign in ["<script", "src=", "href=", "url(", "@import", "<link"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        let addresses = page.matches("http").count();
        let names = page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
        assert_eq!(addresses, names, "an address that is not the name of SVG");
    }

    #[test]
    fn every_colour_of_the_charts_is_one_of_the_style_sheet() {
        let page = html(&results()).unwrap();
        for attribute in ["fill=\"#", "stroke=\"#"] {
            for (at, _) in page.match_indices(attribute) {
                let drawn = &page[at..].split('"').nth(1).unwrap();
                let named = charts::COLOURS.iter().any(|(_, colour)| {
                    *drawn == format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2)
                });
                assert!(named, "{drawn} stays the same in the dark");
            }
        }
        for (name, _) in charts::COLOURS {
            assert_eq!(STYLE.matches(&format!("--{name}:")).count(), 2, "{name}");
        }
    }

    #[test]
    fn what_was_measured_is_on_the_page_and_is_read_from_a_file_again() {
        let results = results();
        let written = serde_json::to_string(&results).unwrap();
        let again: Results = serde_json::from_str(&written).unwrap();
        let page = html(&again).unwrap();
        assert_eq!(page, html(&results).unwrap());
        assert!(
            page.contains("W3 1 span") && page.contains("0.50"),
            "{page}"
        );
        assert!(page.contains("a &amp; b"));
    }
}
