//! The forwarder's own view of its connections, joined with the kernel's.

mod correlator;
mod records;
mod views;
mod watched;

#[cfg(test)]
mod tests;

pub use correlator::Correlator;
pub use records::Records;
pub use watched::Watched;
