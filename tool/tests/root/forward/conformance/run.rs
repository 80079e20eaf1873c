//! Runs every behaviour in every way.

use std::sync::Mutex;

use super::behaviours::Behaviour;
use super::forwarders::Forwarders;
use super::way::{Observed, Way};

/// Runs at the same time. Most of the time, both sides sleep.
const AT_ONCE: usize = 10;

/// What both sides of each behaviour observed, in each way.
pub type Observations = Vec<[Observed; Way::ALL.len()]>;

pub fn run(behaviours: &[Behaviour]) -> Observations {
    let forwarders = Forwarders::start(behaviours.len());
    let results = Mutex::new(vec![<[Observed; Way::ALL.len()]>::default(); behaviours.len()]);
    // The last ones of the list take longest, and start first.
    let left = (0..behaviours.len()).flat_map(|number| Way::ALL.map(|way| (number, way)));
    let left = Mutex::new(left.collect::<Vec<_>>());
    let next = || left.lock().unwrap().pop();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((number, way)) = next() {
                    let observed = forwarders.run(way, number, &behaviours[number]);
                    results.lock().unwrap()[number][way as usize] = observed;
                }
            });
        }
    });
    // Shown if the test fails.
    println!("{:#?}", forwarders.printed());
    results.into_inner().unwrap()
}
