//! The forwarder's own view of its connections, joined with the kernel's.

mod correlator;
mod records;
mod views;

#[cfg(test)]
mod tests;

pub use correlator::Correlator;
pub use records::Records;
