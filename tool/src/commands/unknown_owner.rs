//! A filter by a pod or container that nothing on this node has.

use crate::attribution::is_known;
use crate::model::OwnerFilter;
use crate::output::{complain, escaped};
use crate::runtime::Runtimes;

/// Says on stderr, in the background, that nothing has the name that the user filters by: it may be
/// misspelt, or appear later.
pub(super) fn note_unknown_owner(filter: &OwnerFilter, runtimes: &Runtimes) {
    if filter.is_empty() {
        return;
    }
    let (filter, runtimes) = (filter.clone(), runtimes.clone());
    tokio::spawn(async move {
        let name = escaped(filter.to_string().as_bytes());
        match is_known(&filter, &runtimes).await {
            Ok(true) => {}
            Ok(false) => complain(&format!(
                "note: this node has no {name} now; it is shown once it exists; see `pfsnoop targets`"
            )),
            Err(asked) => complain(&format!(
                "note: no container runtime answers, so that {name} is not known ({})",
                escaped(asked.as_bytes())
            )),
        }
    });
}
