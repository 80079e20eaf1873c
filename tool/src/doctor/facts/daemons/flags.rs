//! The flags of a Kubernetes component, as spf13/pflag reads them.

/// The value of `--name=value` or `--name value`. If the flag occurs several times, the last counts.
pub(super) fn value(args: &[String], name: &str) -> Option<String> {
    let mut found = None;
    let mut args = flags(args);
    while let Some(arg) = args.next() {
        match arg.split_once('=') {
            Some((flag, value)) if is(flag, name) => found = Some(value.to_owned()),
            None if is(arg, name) => found = args.next().map(str::to_owned),
            _ => {}
        }
    }
    found
}

/// Whether the flag occurs.
pub(super) fn has(args: &[String], name: &str) -> bool {
    flags(args).any(|arg| is(arg.split('=').next().unwrap_or(arg), name))
}

/// The arguments up to `--`, which ends the flags.
fn flags(args: &[String]) -> impl Iterator<Item = &str> {
    args.iter().map(String::as_str).take_while(|arg| *arg != "--")
}

/// Kubernetes takes `_` in a flag for `-` (component-base, `WordSepNormalizeFunc`).
fn is(arg: &str, name: &str) -> bool {
    arg.strip_prefix("--").is_some_and(|flag| flag.replace('_', "-") == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_pflag_reads_them() {
        for (line, expected) in [
            ("kubelet --config=/a -v 2", Some("/a")),
            ("kubelet --config /a -v 2", Some("/a")),
            ("kubelet --config /a --config=/b", Some("/b")),
            ("kubelet --config=", Some("")),
            ("kubelet --config-dir=/a", None),
            ("kubelet -config=/a", None),
            ("kubelet -- --config=/a", None),
            ("kubelet --config", None),
        ] {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(value(&args, "config").as_deref(), expected, "{line}");
        }
        let args = ["--container_runtime_endpoint".to_owned(), "x".to_owned()];
        assert_eq!(value(&args, "container-runtime-endpoint").as_deref(), Some("x"));
        assert!(has(&args, "container-runtime-endpoint") && !has(&args, "container-runtime"));
    }
}
