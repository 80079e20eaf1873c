//! Selectors: which objects of a list a client wants.

mod field;
mod label;
mod lexer;

pub(super) use field::FieldSelector;
pub(super) use label::LabelSelector;
