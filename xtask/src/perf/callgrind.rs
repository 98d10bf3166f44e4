//! Reads what callgrind wrote, and finds the atomic read-modify-writes in it.
//!
//! With `--dump-instr=yes` each line has the address of an instruction and how often it was
//! executed. Which of them are atomic, the disassembly of the object says.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

/// What was executed: by object file and address.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Profile {
    executed: HashMap<String, HashMap<u64, u64>>,
}

impl Profile {
    /// Reads a file of callgrind's, neither positions nor names compressed.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut profile = Self::default();
        let mut object = String::new();
        let mut summary = None;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("ob=") {
                name.clone_into(&mut object);
            } else if line.starts_with("calls=") {
                // The line behind it has the cost of the callee, which is listed elsewhere.
                lines.next();
            } else if let Some(total) = line.strip_prefix("summary:") {
                summary = Some(total.trim().parse()?);
            } else if line.starts_with("0x") {
                let (address, times) = executed(line).with_context(|| line.to_owned())?;
                let addresses = profile.executed.entry(object.clone()).or_default();
                *addresses.entry(address).or_default() += times;
            } else if line.starts_with(['+', '-', '*']) {
                bail!("compressed positions: {line}");
            }
        }
        let summary: u64 = summary.context("no summary: callgrind did not finish")?;
        let sum = profile.instructions();
        ensure!(sum == summary, "{sum} instructions read of {summary}");
        Ok(profile)
    }

    pub(super) fn instructions(&self) -> u64 {
        self.executed.values().flat_map(HashMap::values).sum()
    }

    /// Executed instructions that are among the atomic ones of their object.
    pub(super) fn atomics(&self, of: &mut Atomics<'_>) -> Result<u64> {
        let mut sum = 0;
        for (object, addresses) in &self.executed {
            let atomic = of.in_object(object)?;
            let executed = addresses
                .iter()
                .filter(|(address, _)| atomic.contains(address));
            sum += executed.map(|(_, times)| times).sum::<u64>();
        }
        Ok(sum)
    }
}

/// Address, line of the source, count.
fn executed(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split_ascii_whitespace();
    let address = u64::from_str_radix(fields.next()?.strip_prefix("0x")?, 16).ok()?;
    fields.next()?;
    let times = fields.next()?.parse().ok()?;
    fields.next().is_none().then_some((address, times))
}

/// Where the atomic read-modify-writes of an object are; disassembled once each.
pub(super) struct Atomics<'a> {
    sh: &'a Shell,
    known: HashMap<String, HashSet<u64>>,
}

impl<'a> Atomics<'a> {
    pub(super) fn new(sh: &'a Shell) -> Self {
        Self {
            sh,
            known: HashMap::new(),
        }
    }

    fn in_object(&mut self, object: &str) -> Result<&HashSet<u64>> {
        if !self.known.contains_key(object) {
            let mut found = HashSet::new();
            // Code that is in no file (the kernel's own pages) has a name in question marks.
            if Path::new(object).is_file() {
                let listing = cmd!(self.sh, "objdump -d --no-show-raw-insn {object}")
                    .quiet()
                    .read()?;
                found.extend(listing.lines().filter_map(atomic));
                ensure!(!listing.is_empty(), "{object}: nothing to disassemble");
            }
            self.known.insert(object.to_owned(), found);
        }
        Ok(&self.known[object])
    }
}

/// The address in a line of the disassembly, if the instruction is an atomic
/// read-modify-write: one with a `lock` prefix, or an exchange with memory, which needs none.
fn atomic(line: &str) -> Option<u64> {
    let (address, instruction) = line.split_once(":\t")?;
    let mut words = instruction.split_ascii_whitespace();
    let name = words.next()?;
    let in_memory = words.any(|operand| operand.contains('('));
    if name != "lock" && !(name.starts_with("xchg") && in_memory) {
        return None;
    }
    u64::from_str_radix(address.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# callgrind format
positions: instr line
events: Ir
summary: 15

ob=/lib/one
fn=a
0x10 7 3
0x14 7 3
cfn=b
calls=3 0x20 9
0x18 8 600
0x18 8 3
ob=/lib/two
fn=b
0x10 9 3
0x18 9 3
";

    #[test]
    fn what_a_callee_executes_is_not_counted_twice() {
        assert_eq!(Profile::parse(FILE).unwrap().instructions(), 15);
    }

    #[test]
    fn a_file_that_does_not_add_up_is_refused() {
        let error = Profile::parse(&FILE.replace("summary: 15", "summary: 16")).unwrap_err();
        assert_eq!(error.to_string(), "15 instructions read of 16");
        Profile::parse(&FILE.replace("summary: 15", "")).unwrap_err();
        Profile::parse(&FILE.replace("0x14 7 3", "+4 7 3")).unwrap_err();
        Profile::parse(&FILE.replace("0x14 7 3", "0x14 7 3 9")).unwrap_err();
    }

    #[test]
    fn the_same_address_in_two_objects_is_two_instructions() {
        let sh = Shell::new().unwrap();
        let mut atomics = Atomics::new(&sh);
        atomics.known.insert("/lib/one".to_owned(), [0x14].into());
        atomics.known.insert("/lib/two".to_owned(), [0x10].into());
        let profile = Profile::parse(FILE).unwrap();
        assert_eq!(profile.atomics(&mut atomics).unwrap(), 6);
        atomics.known.insert("/lib/two".to_owned(), [].into());
        assert_eq!(profile.atomics(&mut atomics).unwrap(), 3);
    }

    #[test]
    fn locked_instructions_and_exchanges_with_memory_are_atomic() {
        for (line, expected) in [
            ("   3e28c:\tlock incq (%rdi)", Some(0x3e28c)),
            ("   3e28c:\tlock xadd %ecx,0x8(%rax)", Some(0x3e28c)),
            ("     10:\txchg   %al,0x439(%rdx)", Some(0x10)),
            ("     10:\txchgb  %al,(%rdx)", Some(0x10)),
            ("     10:\txchg   %ax,%ax", None),
            ("     10:\tcmpxchg %rcx,(%rdx)", None),
            ("     10:\tmov    (%rdx),%rax", None),
            ("000000000003e250 <unlock>:", None),
        ] {
            assert_eq!(atomic(line), expected, "{line}");
        }
    }
}
