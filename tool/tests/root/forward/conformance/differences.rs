//! The list of known differences from a direct connection.

use super::way::{Observed, Way};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    pub fn of(self, observed: &Observed) -> &str {
        match self {
            Self::Client => &observed.client,
            Self::Server => &observed.server,
        }
    }
}

/// How a difference shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Always as the same observation.
    Same,
    /// Always, but not always as the same observation.
    Varies,
    /// Not always: it depends on which of two events comes first.
    Sometimes,
}

/// One side of one behaviour may differ in one way.
#[derive(Debug)]
pub struct Difference {
    pub way: Way,
    pub side: Side,
    pub shows: Shows,
    pub behaviour: &'static str,
    /// The number of its reason.
    pub note: usize,
}

/// The reasons, and the differences that have them.
#[derive(Default)]
pub struct Differences {
    pub reasons: Vec<&'static str>,
    pub all: Vec<Difference>,
}

impl Differences {
    /// Reads `differences.txt`.
    pub fn read() -> Self {
        let mut read = Self::default();
        for line in include_str!("differences.txt").lines() {
            if let Some(reason) = line.strip_prefix("## ") {
                read.reasons.push(reason);
            } else if !line.is_empty() && !line.starts_with('#') {
                let [ways, sides, behaviour] = line.splitn(3, " | ").collect::<Vec<_>>()[..] else {
                    panic!("not `WAYS | SIDE | BEHAVIOUR`: {line}")
                };
                ways.split(", ").for_each(|name| read.add(way(name), sides, behaviour));
            }
        }
        read
    }

    fn add(&mut self, way: Way, sides: &str, behaviour: &'static str) {
        let (sides, shows) = sides.split_once(' ').unwrap_or((sides, ""));
        let shows = match shows {
            "" => Shows::Same,
            "varies" => Shows::Varies,
            "sometimes" => Shows::Sometimes,
            other => panic!("not `varies` or `sometimes`: {other}"),
        };
        let note = self.reasons.len();
        for side in Side::BOTH {
            if sides == "both" || sides == side.name() {
                self.all.push(Difference { way, side, shows, behaviour, note });
            }
        }
    }

    pub fn find(&self, way: Way, side: Side, behaviour: &str) -> Option<&Difference> {
        let is_it =
            |one: &&Difference| (one.way, one.side, one.behaviour) == (way, side, behaviour);
        self.all.iter().find(is_it)
    }
}

fn way(name: &str) -> Way {
    let found = Way::ALL.into_iter().find(|way| way.name() == name);
    found.unwrap_or_else(|| panic!("no such way: {name}"))
}
