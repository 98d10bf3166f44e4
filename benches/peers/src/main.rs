//! Measures bytesbuf beside its peers, prints one table, writes a page.
//!
//! `cargo xtask bench` builds and runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytesbuf_peers::machine::Machine;
use bytesbuf_peers::ranking::Comparison;
use bytesbuf_peers::results::{Results, RowResult, Size};
use bytesbuf_peers::rounds::{self, Settings};
use bytesbuf_peers::workload::{self, Workload};
use bytesbuf_peers::{memory, page, table, targets};
use clap::Parser;

/// Measures bytesbuf beside its peers, interleaved, in one process
#[derive(Debug, Parser)]
#[command(name = "compare")]
struct Args {
    /// Fewer and shorter rounds: a minute
    #[arg(long)]
    quick: bool,
    /// Rounds of each workload
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Only workloads whose name contains this (may be given more than once)
    #[arg(long)]
    filter: Vec<String>,
    /// Writes everything that was measured to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Writes the page with charts to this file
    #[arg(long)]
    html: Option<PathBuf>,
    /// Prints and draws what an earlier run wrote with --json, instead of measuring
    #[arg(long, conflicts_with_all = ["quick", "rounds", "filter", "json"])]
    show: Option<PathBuf>,
    /// Whether two runs, written with --json, put the peers in the same order
    #[arg(long, num_args = 2, value_names = ["FIRST", "SECOND"], exclusive = true)]
    compare: Vec<PathBuf>,
    /// Names of the workloads, nothing else
    #[arg(long)]
    list: bool,
    /// Memory of this peer, in this process: what the program asks of its children
    #[arg(long, hide = true, requires = "size")]
    memory_of: Option<String>,
    #[arg(long, hide = true)]
    size: Option<usize>,
}

const QUICK: Settings = Settings {
    rounds: 31,
    starts: 3,
    batch: Duration::from_millis(5),
};

const NORMAL: Settings = Settings {
    rounds: 105,
    starts: 7,
    batch: Duration::from_millis(10),
};

fn main() -> Result<()> {
    let args = Args::parse();
    if let (Some(peer), Some(size)) = (&args.memory_of, args.size) {
        println!("{}", serde_json::to_string(&memory::child(peer, size)?)?);
        return Ok(());
    }
    if args.list {
        for workload in workload::all() {
            println!("{:28} {}", workload.id, workload.what);
        }
        return Ok(());
    }
    if let [first, second] = args.compare.as_slice() {
        return compare(&read(first)?, &read(second)?);
    }
    let results = match &args.show {
        Some(path) => read(path)?,
        None => run(&args)?,
    };
    print!("{}", table::text(&results));
    if let Some(path) = &args.json {
        write(path, &serde_json::to_string_pretty(&results)?)?;
    }
    if let Some(path) = &args.html {
        write(path, &page::html(&results)?)?;
    }
    Ok(())
}

fn compare(first: &Results, second: &Results) -> Result<()> {
    let found = Comparison::of(first, second);
    print!("{}", found.text());
    ensure!(!found.rows.is_empty(), "the runs have no row in common");
    let differing: Vec<&str> = found.differing().map(|row| row.id.as_str()).collect();
    ensure!(
        differing.is_empty(),
        "the runs do not rank the peers alike in: {}",
        differing.join(", ")
    );
    Ok(())
}

fn read(path: &Path) -> Result<Results> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{} is not of a run", path.display()))
}

fn run(args: &Args) -> Result<Results> {
    let mut settings = if args.quick { QUICK } else { NORMAL };
    settings.rounds = args.rounds.unwrap_or(settings.rounds);
    let filter: Vec<String> = args.filter.iter().map(|part| part.to_lowercase()).collect();
    let wanted = |id: &str| {
        let id = id.to_lowercase();
        filter.is_empty() || filter.iter().any(|part| id.contains(part))
    };
    let workloads: Vec<Workload> = workload::all()
        .into_iter()
        .filter(|workload| workload.rows.iter().any(|row| wanted(&row.id)))
        .collect();

    let floors = measure_all(&workload::floors(), settings)?;
    let mut rows = measure_all(&workloads, settings)?;
    rows.extend(memory::measure(wanted)?);
    ensure!(!rows.is_empty(), "no workload has such a name; see --list");
    targets::judge(&mut rows);
    Ok(Results {
        date: jiff::Timestamp::now()
            .strftime("%Y-%m-%d %H:%M UTC")
            .to_string(),
        machine: Machine::this(),
        rounds: settings.rounds,
        starts: settings.starts,
        batch_ms: u64::try_from(settings.batch.as_millis()).unwrap_or(u64::MAX),
        floors,
        rows,
        sizes: Size::all(),
    })
}

fn measure_all(workloads: &[Workload], settings: Settings) -> Result<Vec<RowResult>> {
    let mut rows = Vec::new();
    for workload in workloads {
        eprintln!("{}", workload.id);
        rows.extend(rounds::measure(workload, settings)?);
    }
    Ok(rows)
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}
