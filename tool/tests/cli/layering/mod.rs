//! The layering of `tool/src`, as the source files show it.

mod check;
mod cycles;
mod names;
mod rules;
mod scan;
mod tree;

#[cfg(test)]
mod tests;
