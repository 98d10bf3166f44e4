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

/// Where things are in the chart of the targets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    width: i32,
    /// From the left edge to the axis.
    left: i32,
    /// From the axis to the right edge.
    right: i32,
    /// Height of a target.
    line: i32,
    /// Names above their marks instead of beside them.
    above: bool,
}

impl Layout {
    /// Names on the left, what was reached on the right.
    pub(super) const WIDE: Self = Self {
        width: 900,
        left: 410,
        right: 120,
        line: LINE,
        above: false,
    };
    /// For a phone.
    pub(super) const NARROW: Self = Self {
        width: 510,
        left: 8,
        right: 8,
        line: 44,
        above: true,
    };

    /// The middle of the text and of the mark of a line that begins at `top`.
    const fn middles(self, top: i32) -> (i32, i32) {
        if self.above {
            (top + 12, top + 30)
        } else {
            (top + self.line / 2, top + self.line / 2)
        }
    }
}

/// The ticks of the axis of the targets.
const TICKS: [(f64, &str); 9] = [
    (0.01, "1/100"),
    (0.1, "1/10"),
    (0.2, "1/5"),
    (0.5, "1/2"),
    (1.0, "just met"),
    (2.0, "2 x"),
    (5.0, "5 x"),
    (10.0, "10 x"),
    (100.0, "100 x"),
];

/// How far every target is from being met, on a logarithmic axis: 1 is just met.
///
/// # Errors
/// The library cannot draw it.
pub(super) fn targets(rows: &[RowResult], layout: Layout) -> Result<String> {
    let lines: Vec<(String, &Verdict, f64)> = rows
        .iter()
        .flat_map(|row| row.verdicts.iter().map(move |verdict| (row, verdict)))
        .filter_map(|(row, verdict)| {
            let distance = verdict.distance?.median;
            let name = format!("{}  {}", row.id, table::target(verdict));
            Some((name, verdict, distance))
        })
        .collect();
    const TOP: i32 = 44;
    let Layout {
        width, left, right, ..
    } = layout;
    let height = TOP + layout.line * lines.len() as i32 + 20;
    // From a tenth to ten times, or as far as is needed.
    let reach = lines
        .iter()
        .map(|(.., distance)| distance.ln().abs())
        .fold(10_f64.ln(), f64::max)
        * 1.05;
    let x = |distance: f64| {
        let share = (distance.ln() / reach).clamp(-1.0, 1.0) * 0.5 + 0.5;
        left + (share * f64::from(width - left - right)) as i32
    };
    let ticks = || TICKS.iter().filter(|(tick, _)| tick.ln().abs() <= reach);
    svg(
        "How far each target is from being met",
        width,
        height,
        |area| {
            let grid = |from: i32, to: i32| {
                ticks().try_for_each(|&(tick, _)| {
                    let style = if tick == 1.0 { INK } else { GRID };
                    line(area, (x(tick), from), (x(tick), to), style)
                })
            };
            for &(tick, label) in ticks() {
                text(area, label, (x(tick), TOP - 20), MUTED, HPos::Center)?;
            }
            if !layout.above {
                grid(TOP - 8, height - 16)?;
            }
            for (at, (label, verdict, distance)) in lines.iter().enumerate() {
                let (name, y) = layout.middles(TOP + layout.line * at as i32);
                let colour = if verdict.met { MET } else { MISSED };
                let weight = if verdict.stretch { MUTED } else { INK };
                let reached = verdict.measured.map_or(f64::NAN, |reached| reached.median);
                let reached = format!("{} {}", table::figure(reached), table::word(verdict));
                if layout.above {
                    grid(y - 8, y + 8)?;
                    text(area, label, (left, name), weight, HPos::Left)?;
                    text(area, &reached, (width - right, name), weight, HPos::Right)?;
                } else {
                    text(area, label, (left - 14, name), weight, HPos::Right)?;
                    let beside = (width - right + 14, name);
                    text(area, &reached, beside, weight, HPos::Left)?;
                }
                line(area, (x(1.0), y), (x(*distance), y), colour)?;
                mark(area, (x(*distance), y), verdict.met, colour)?;
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
    // The longest text behind a bar: `1234 ns  (ours: 0.057 x)`.
    const RIGHT: i32 = 182;
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
