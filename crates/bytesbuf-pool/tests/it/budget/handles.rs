//! Which budget a handle is of, and marks where percentages are not whole bytes.

use bytesbuf_pool::{Budget, Pressure};

#[test]
fn a_budget_is_the_same_as_its_clones_alone() {
    let budget = Budget::new(10);
    let (child, sibling) = (budget.child(10), budget.child(10));
    assert!(budget.is_same(&budget.clone()));
    assert!(child.parent().unwrap().is_same(&budget));
    for other in [&child, &sibling, &Budget::new(10)] {
        assert!(!budget.is_same(other));
        assert!(!other.is_same(&budget));
    }
    assert!(!child.is_same(&sibling));
}

#[test]
fn a_budget_is_below_itself_and_its_ancestors_alone() {
    let root = Budget::new(10);
    let (left, right) = (root.child(10), root.child(10));
    let leaf = left.child(10);
    for above in [&leaf, &left, &root] {
        assert!(leaf.is_below(above));
    }
    assert!(!leaf.is_below(&right));
    assert!(!root.is_below(&leaf));
    assert!(!leaf.is_below(&Budget::new(10)));
}

#[test]
fn charges_of_one_budget_become_one() {
    let budget = Budget::new(10).child(10);
    let mut charge = budget.try_charge(3).unwrap();
    charge.merge(budget.try_charge(4).unwrap());
    assert_eq!((charge.bytes(), budget.in_use()), (7, 7));
    drop(charge);
    assert_eq!(budget.in_use(), 0);
}

#[test]
#[should_panic(expected = "charges of two budgets")]
fn charges_of_two_budgets_do_not_become_one() {
    let root = Budget::new(10);
    let mut charge = root.child(10).try_charge(3).unwrap();
    charge.merge(root.child(10).try_charge(4).unwrap());
}

#[test]
fn marks_are_rounded_up() {
    #[track_caller]
    fn check(limit: usize, soft: usize, hard: usize) {
        let budget = Budget::new(limit);
        let pressure_at = |bytes| {
            let charge = budget.try_charge(bytes).unwrap();
            let pressure = budget.pressure();
            drop(charge);
            pressure
        };
        assert_eq!(pressure_at(soft - 1), Pressure::Low);
        assert_eq!(pressure_at(soft), Pressure::Soft);
        assert_eq!(pressure_at(hard - 1), Pressure::Soft);
        assert_eq!(pressure_at(hard), Pressure::Hard);
    }
    check(150, 113, 135);
    check(199, 150, 180);
    check(10, 8, 9);
    check(1_000_001, 750_001, 900_001);
}
