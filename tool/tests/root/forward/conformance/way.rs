//! The ways from a client to a server, and what is observed at their ends.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Direct,
    Socat,
    Nsenter,
    Native,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::Direct, Self::Socat, Self::Nsenter, Self::Native];

    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Socat => "socat",
            Self::Nsenter => "nsenter",
            Self::Native => "native",
        }
    }

    /// The local port, and the server's port, for the behaviour with that number.
    pub fn port(self, behaviour: usize) -> u16 {
        u16::try_from(1000 * (self as usize + 1) + behaviour).unwrap()
    }
}

/// What the two sides observed: a text with a part for each action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    pub client: String,
    pub server: String,
}
