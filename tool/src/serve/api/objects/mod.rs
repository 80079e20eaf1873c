//! Objects of the API, with the fields that port-forward clients read and the ones without which the
//! generated clients refuse an object.

mod container;
mod list;
mod meta;
mod namespace;
mod pod;

pub(super) use list::{List, ListMeta};
pub(super) use meta::{ObjectMeta, PartialObject};
pub(super) use namespace::Namespace;
pub(super) use pod::{Observed, PodObject};
