//! The BPF maps of a running pfsnoop, through bpftool.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{stdout_of, system};

/// One map.
pub struct Map {
    id: String,
    shown: Value,
}

impl Map {
    /// The map of that name. The kernel keeps the first 15 bytes of a name.
    pub fn of(snoop: &Running, name: &str) -> Self {
        let show = |id: String| {
            let shown = stdout_of(system("bpftool").args(["map", "show", "id", &id, "-j"]));
            Self { id, shown: serde_json::from_str(&shown).unwrap() }
        };
        let is_it = |map: &Self| map.shown["name"].as_str().is_some_and(|of| name.starts_with(of));
        let mut maps = ids(snoop.pid()).into_iter().map(show).filter(is_it);
        maps.next().unwrap_or_else(|| panic!("no map {name}"))
    }

    /// How many entries there is room for.
    pub fn max_entries(&self) -> u64 {
        self.shown["max_entries"].as_u64().unwrap()
    }

    /// Removes all entries.
    pub fn clear(&self) {
        let dump = stdout_of(system("bpftool").args(["map", "dump", "id", &self.id, "-j"]));
        let entries: Vec<Value> = serde_json::from_str(&dump).unwrap();
        for entry in entries {
            let key = entry["key"].as_array().unwrap().iter().map(|byte| byte.as_str().unwrap());
            let delete = ["map", "delete", "id", &self.id, "key"];
            stdout_of(system("bpftool").args(delete).args(key));
        }
    }

    /// Adds entries with these keys, of four bytes, and a value of 8 bytes. Stops when the map is full.
    pub fn add(&self, keys: impl Iterator<Item = u32>) {
        let mut batch = String::new();
        for key in keys {
            let bytes = key.to_ne_bytes().map(|byte| byte.to_string()).join(" ");
            let id = &self.id;
            writeln!(batch, "map update id {id} key {bytes} value 1 0 0 0 0 0 0 0").unwrap();
        }
        let file = temp_path(&format!("bpftool-{}", self.id));
        std::fs::write(&file, batch).unwrap();
        // It fails when the map is full.
        system("bpftool").args(["batch", "file"]).arg(&file).output().unwrap();
        std::fs::remove_file(&file).unwrap();
    }
}

/// The ids of a process's BPF maps.
fn ids(pid: u32) -> Vec<String> {
    let folder = PathBuf::from(format!("/proc/{pid}/fdinfo"));
    let infos = std::fs::read_dir(&folder).unwrap().filter_map(|entry| {
        // A file may be closed since it was listed.
        std::fs::read_to_string(entry.ok()?.path()).ok()
    });
    let id =
        |info: String| Some(info.split_once("map_id:")?.1.split_whitespace().next()?.to_owned());
    infos.filter_map(id).collect()
}
