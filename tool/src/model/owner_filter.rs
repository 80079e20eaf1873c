//! Filters by pod and container.

use std::fmt;

use super::{Container, Owner, Pod};

/// A pod that the user named: `NAME` or `NAMESPACE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodName {
    /// `None` is any namespace.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl std::str::FromStr for PodName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, text),
        };
        if name.is_empty() || name.contains('/') || namespace.as_deref() == Some("") {
            return Err("a pod is NAME or NAMESPACE/NAME".to_owned());
        }
        Ok(Self { namespace, name: name.to_owned() })
    }
}

impl PodName {
    fn matches(&self, pod: &Pod) -> bool {
        self.name == pod.name
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == pod.namespace)
    }
}

/// Which owners the user wants to see.
#[derive(Clone, Debug, Default)]
pub struct OwnerFilter {
    /// Only this pod.
    pub pod: Option<PodName>,
    /// Only this container: its name, or the beginning of its id.
    pub container: Option<String>,
}

impl OwnerFilter {
    /// Whether every owner passes, so that no owner must be looked up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pod.is_none() && self.container.is_none()
    }

    /// Whether the owner is one that the user wants to see.
    #[must_use]
    pub fn matches(&self, owner: &Owner) -> bool {
        let pod = |wanted: &PodName| owner.pod.as_ref().is_some_and(|pod| wanted.matches(pod));
        let container = |wanted: &String| {
            let has_name = |container: &Container| {
                container.id.starts_with(wanted) || container.name.as_ref() == Some(wanted)
            };
            let is_it = |container: &Container| !container.is_disputed && has_name(container);
            owner.container.as_ref().is_some_and(is_it)
        };
        self.pod.as_ref().is_none_or(pod) && self.container.as_ref().is_none_or(container)
    }
}

impl fmt::Display for OwnerFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(container) = &self.container {
            write!(out, "container {container}")?;
        }
        if let Some(PodName { namespace, name }) = &self.pod {
            let within = if self.container.is_some() { " in the " } else { "" };
            let namespace = namespace.as_ref().map(|namespace| format!("{namespace}/"));
            write!(out, "{within}pod {}{name}", namespace.unwrap_or_default())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        let container = Container {
            id: "abc123".into(),
            runtime: "docker",
            name: Some("web".into()),
            is_confirmed: true,
            is_disputed: false,
        };
        let pod = Pod { namespace: "default".into(), name: "kuard".into(), uid: "u".into() };
        Owner { container: Some(container), pod: Some(pod), is_claimed: false }
    }

    #[test]
    fn pods_are_named_with_or_without_their_namespace() {
        let shown = |text: &str| {
            OwnerFilter { pod: Some(text.parse().unwrap()), container: None }.matches(&owner())
        };
        assert!(shown("kuard") && shown("default/kuard"));
        assert!(!shown("kube-system/kuard") && !shown("kuar"));
        for wrong in ["", "/", "a/", "/a", "a/b/c"] {
            assert!(wrong.parse::<PodName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn containers_are_named_by_name_or_beginning_of_id() {
        let shown =
            |text: &str| OwnerFilter { pod: None, container: Some(text.into()) }.matches(&owner());
        assert!(shown("web") && shown("abc") && shown("abc123"));
        assert!(!shown("we") && !shown("123"));
        let mut disputed = owner();
        disputed.container.as_mut().unwrap().is_disputed = true;
        assert!(
            !OwnerFilter { pod: None, container: Some("web".into()) }.matches(&disputed),
            "the id may be false"
        );
        assert!(
            !OwnerFilter { pod: None, container: Some("web".into()) }.matches(&Owner::default())
        );
    }
}
