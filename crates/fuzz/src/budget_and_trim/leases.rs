//! Cutting and joining what is out.

use super::ops::{MANY, blocks, index};
use super::{Lease, Machine, Value};
use crate::amount::Amount;
use crate::attempt::call;

impl Machine {
    pub(super) fn split_charge(&mut self, lease: u8, amount: Amount) {
        let Some(at) = index(lease, self.leases.len()) else {
            return;
        };
        let Lease {
            value: Value::Charge(charge),
            held,
        } = &mut self.leases[at]
        else {
            return;
        };
        let bytes = amount.of(charge.bytes());
        let level = held[0].level;
        let rest = charge.bytes().checked_sub(bytes);
        let part = charge.split(bytes);
        assert_eq!(part.is_some(), rest.is_some(), "split({bytes})");
        if let (Some(part), Some(rest)) = (part, rest) {
            *held = blocks(rest, 1, level, None)
                .into_iter()
                .map(Into::into)
                .collect();
            self.lease(Value::Charge(part), blocks(bytes, 1, level, None));
        }
    }

    pub(super) fn merge_charges(&mut self, lease: u8, other: u8) {
        let is_charge = |lease: &Lease| matches!(lease.value, Value::Charge(_));
        let charges: Vec<_> = (0..self.leases.len())
            .filter(|&at| is_charge(&self.leases[at]))
            .collect();
        let (Some(x), Some(y)) = (index(lease, charges.len()), index(other, charges.len())) else {
            return;
        };
        if x == y {
            return;
        }
        // The later one first, so that the other stays where it is.
        let (into, from) = (charges[x.min(y)], charges[x.max(y)]);
        let Lease {
            value: Value::Charge(from),
            held: others,
        } = self.leases.remove(from)
        else {
            unreachable!("it is a charge");
        };
        let Lease {
            value: Value::Charge(into),
            held,
        } = &mut self.leases[into]
        else {
            unreachable!("it is a charge");
        };
        let level = held[0].level;
        let is_same = level == others[0].level;
        let panic = (!is_same).then_some("charges of two budgets");
        if call(panic, || into.merge(from)).is_some() {
            let bytes = held[0].bytes + others[0].bytes;
            assert_eq!(into.bytes(), bytes);
            *held = blocks(bytes, 1, level, None)
                .into_iter()
                .map(Into::into)
                .collect();
        } else if let Some(level) = others[0].level.filter(|_| others[0].bytes > 0) {
            // The other is credited.
            let chain = self.levels.chain(level);
            self.levels.credit(&chain, others[0].bytes);
        }
    }

    /// Cuts a view between two of its blocks.
    pub(super) fn split_view(&mut self, lease: u8, at: u8) {
        let Some(lease) = index(lease, self.leases.len()).filter(|_| self.leases.len() < MANY)
        else {
            return;
        };
        let Lease {
            value: Value::View(view),
            held,
        } = &mut self.leases[lease]
        else {
            return;
        };
        let blocks = index(at, held.len() + 1).unwrap_or(0);
        let bytes = held[..blocks].iter().map(|held| held.bytes).sum();
        let front = view.split_to(bytes);
        let rest = held.split_off(blocks);
        let front = Lease {
            value: Value::View(front),
            held: std::mem::replace(held, rest),
        };
        self.leases.push(front);
    }
}
