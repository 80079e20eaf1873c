//! The kernel side, seen from user space: loads and attaches the programs, reads their ring buffers,
//! and decodes records into events of [`model`](crate::model). The only module that names aya.

mod attached;
mod btf;
mod decode;
mod error;
mod failed_execs;
mod homes;
mod kernel_btf;
mod load;
mod logs;
mod lost;
mod object;
mod offsets;
mod options;
mod probe;
mod reader;
mod settings;

pub use btf::BtfError;
pub use decode::{DecodeError, decode};
pub use error::ProbeError;
pub use load::OLDEST_KERNEL;
pub use options::Options;
pub use probe::Probe;
pub use reader::{RingReader, Rings};
