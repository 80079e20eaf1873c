//! The list of behaviours.

/// What a client and a server do, by the scripts of tests/fixtures/peer.
pub struct Behaviour {
    pub group: &'static str,
    pub name: &'static str,
    pub client: &'static str,
    pub server: &'static str,
}

/// All behaviours, in the order of the file.
pub fn behaviours() -> Vec<Behaviour> {
    let mut group = "";
    let mut all = Vec::new();
    for line in include_str!("behaviours.txt").lines() {
        if let Some(name) = line.strip_prefix("## ") {
            group = name;
        } else if !line.is_empty() && !line.starts_with('#') {
            let [name, client, server] =
                line.splitn(3, " |").map(str::trim).collect::<Vec<_>>()[..]
            else {
                panic!("not `NAME | CLIENT | SERVER`: {line}")
            };
            all.push(Behaviour { group, name, client, server });
        }
    }
    all
}
