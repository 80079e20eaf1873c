//! How many labels of a sandbox or container are kept. Whoever makes an image can give it any number of
//! them, of any length.

/// At most this many labels of one sandbox or container are kept. Pods have about ten.
pub(super) const MAX_LABELS: usize = 64;

/// A label with a longer name or value, in bytes, is left out: a value that was cut would be another
/// value. In Kubernetes, the name of a label has at most 317 bytes and its value 63. Docker has no limits.
pub(super) const MAX_LABEL: usize = 1024;
