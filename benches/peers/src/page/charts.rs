//! The charts of the page.
//!
//! A chart is drawn in colours that stand for a meaning ([`INK`] and the others); the page
//! says in its style sheet which colour each one is, in light and in dark. So the SVG
//! has to stand in the page itself.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::peer::Peer;
use crate::results::RowResult;
use crate::table;
use crate::targets::Verdict;
use crate::workload::Unit;

/// Text.
pub(super) const INK: RGBColor = RGBColor(1, 1, 1);
/// Text of less weight, axes.
pub(super) const MUTED: RGBColor = RGBColor(2, 2, 2);
/// Lines of the grid.
pub(super) const GRID: RGBColor = RGBColor(3, 3, 3);
/// Bars of ours.
pub(super) const OURS: RGBColor = RGBColor(4, 4, 4);
/// Bars of the others.
pub(super) const OTHERS: RGBColor = RGBColor(5, 5, 5);
/// A target that is met.
pub(super) const MET: RGBColor = RGBColor(6, 6, 6);
/// One that is not.
pub(super) const MISSED: RGBColor = RGBColor(7, 7, 7);

/// All of them, with the names that the style sheet has for them.
pub(super) const COLOURS: [(&str, RGBColor); 7] = [
    ("ink", INK),
    ("muted", MUTED),
    ("grid", GRID),
    ("ours", OURS),
    ("others", OTHERS),
    ("met", MET),
    ("missed", MISSED),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Height of a line in pixels.
const LINE: i32 = 22;
const FONT: i32 = 15;

/// How far every target is from being met, on a logarithmic axis: 1 is just met.
///
/// # Errors
/// The library cannot draw it.
pub(super) fn targets(rows: &[RowResult]) -> Result<String> {
    let lines: Vec<(String, &Verdict, f64)> = rows
        .iter()
        .flat_map(|row| row.verdicts.iter().map(move |verdict| (row, verdict)))
        .filter_map(|(row, verdict)| {
            let distance = verdict.distance?.median;
            Some((
                format!("{}  {}", row.id, table::target(verdict)),
                verdict,
                distance,
            ))
        })
        .collect();
    const WIDTH: i32 = 980;
    const LEFT: i32 = 420;
    const RIGHT: i32 = 130;
    const TOP: i32 = 44;
    let height = TOP + LINE * lines.len() as i32 + 20;
    // From a tenth to ten times, or as far as is needed.
    let reach = lines
        .iter()
        .map(|(.., distance)| distance.ln().abs())
        .fold(10_f64.ln(), f64::max)
        * 1.05;
    let x = |distance: f64| {
        let share = (distance.ln() / reach).clamp(-1.0, 1.0) * 0.5 + 0.5;
        LEFT + (share * f64::from(WIDTH - LEFT - RIGHT)) as i32
    };
    svg(
        "How far each target is from being met",
        WIDTH,
        height,
        |area| {
            let bottom = height - 16;
            for (tick, label) in [
                (0.01, "1/100"),
                (0.1, "1/10"),
                (0.2, "1/5"),
                (0.5, "1/2"),
                (1.0, "just met"),
                (2.0, "2 x"),
                (5.0, "5 x"),
                (10.0, "10 x"),
                (100.0, "100 x"),
            ] {
                if f64::ln(tick).abs() > reach {
                    continue;
                }
                let style = if tick == 1.0 { INK } else { GRID };
                line(area, (x(tick), TOP - 8), (x(tick), bottom), style)?;
                text(area, label, (x(tick), TOP - 20), MUTED, HPos::Center)?;
            }
            for (at, (label, verdict, distance)) in lines.iter().enumerate() {
                let y = TOP + LINE * at as i32 + LINE / 2;
                let colour = if verdict.met { MET } else { MISSED };
                let weight = if verdict.stretch { MUTED } else { INK };
                text(area, label, (LEFT - 14, y), weight, HPos::Right)?;
                line(area, (x(1.0), y), (x(*distance), y), colour)?;
                mark(area, (x(*distance), y), verdict.met, colour)?;
                let reached = verdict
                    .measured
                    .map_or(f64::NAN, |measured| measured.median);
                let reached = format!("{} {}", table::figure(reached), table::word(verdict));
                text(area, &reached, (WIDTH - RIGHT + 14, y), weight, HPos::Left)?;
            }
            Ok(())
        },
    )
}

/// The peers of one row as bars.
///
/// # Errors
/// The library cannot draw it.
pub(super) fn bars(row: &RowResult) -> Result<String> {
    const WIDTH: i32 = 470;
    const LEFT: i32 = 78;
    const RIGHT: i32 = 132;
    const TOP: i32 = 8;
    let height = TOP + LINE * row.cells.len() as i32 + 8;
    let most = row
        .cells
        .iter()
        .map(|cell| cell.value.median)
        .fold(0.0, f64::max);
    let unit = match row.unit {
        Unit::Ns => " ns",
        Unit::Share => "",
        Unit::Bytes => " B",
        Unit::MiB => " MiB",
    };
    svg(&table::title(row), WIDTH, height, |area| {
        line(area, (LEFT, TOP), (LEFT, height - 8), MUTED)?;
        for (at, cell) in row.cells.iter().enumerate() {
            let top = TOP + LINE * at as i32;
            let middle = top + LINE / 2;
            let value = cell.value.median;
            let share = (value / most).clamp(0.0, 1.0);
            let length = (share * f64::from(WIDTH - LEFT - RIGHT)) as i32;
            let (bar, name) = if cell.peer == Peer::Ours {
                (OURS, INK)
            } else {
                (OTHERS, MUTED)
            };
            text(
                area,
                cell.peer.label(),
                (LEFT - 8, middle),
                name,
                HPos::Right,
            )?;
            area.draw(&Rectangle::new(
                [(LEFT, top + 4), (LEFT + length.max(1), top + LINE - 4)],
                bar.filled(),
            ))
            .map_err(drawing)?;
            let ratio = cell.ratio.map_or_else(String::new, |ratio| {
                format!("  (ours: {} x)", table::figure(ratio.median))
            });
            let figure = format!("{}{unit}{ratio}", table::figure(value));
            text(area, &figure, (LEFT + length + 6, middle), name, HPos::Left)?;
        }
        Ok(())
    })
}

/// Draws, and makes it fit into a page: named for those who do not see it.
fn svg(
    name: &str,
    width: i32,
    height: i32,
    draw: impl FnOnce(&Area<'_>) -> Result<()>,
) -> Result<String> {
    let mut svg = String::new();
    {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area)?;
        area.present().map_err(drawing)?;
    }
    let label = maud::html! { (name) }.into_string();
    Ok(svg.replacen(
        "<svg ",
        &format!("<svg role=\"img\" aria-label=\"{label}\" "),
        1,
    ))
}

fn text(area: &Area<'_>, text: &str, at: (i32, i32), colour: RGBColor, side: HPos) -> Result<()> {
    let style = ("sans-serif", FONT)
        .into_font()
        .color(&colour)
        .pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))
        .map_err(drawing)
}

fn line(area: &Area<'_>, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Result<()> {
    area.draw(&PathElement::new([from, to], colour.stroke_width(1)))
        .map_err(drawing)
}

/// A dot if it is met, a cross if not: not by colour alone.
fn mark(area: &Area<'_>, at: (i32, i32), met: bool, colour: RGBColor) -> Result<()> {
    if met {
        area.draw(&Circle::new(at, 5, colour.filled()))
            .map_err(drawing)
    } else {
        area.draw(&Cross::new(at, 5, colour.stroke_width(3)))
            .map_err(drawing)
    }
}

fn drawing(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("drawing a chart: {error}")
}
