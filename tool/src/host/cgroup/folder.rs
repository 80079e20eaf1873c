//! The folder of a cgroup, which may be removed and made again while a command runs.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::str::FromStr;

use rustix::fs::statfs;

/// `CGROUP2_SUPER_MAGIC` (include/uapi/linux/magic.h).
const CGROUP2_MAGIC: i64 = 0x6367_7270;

/// The folder of a cgroup (v2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupFolder {
    /// Where it is, without symbolic links.
    pub path: PathBuf,
    /// The id of the cgroup that was there, by which the kernel programs select. A cgroup that is
    /// made again at the same place has another id.
    pub id: u64,
}

impl FromStr for CgroupFolder {
    type Err = String;

    fn from_str(path: &str) -> Result<Self, String> {
        let path = fs::canonicalize(path).map_err(|error| error.to_string())?;
        let kind = statfs(&path).map_err(|error| error.to_string())?.f_type;
        if kind != CGROUP2_MAGIC {
            return Err("not a folder of cgroup v2, which is mounted on /sys/fs/cgroup or on \
                        /sys/fs/cgroup/unified"
                .to_owned());
        }
        let id = fs::metadata(&path).map_err(|error| error.to_string())?.ino();
        Ok(Self { path, id })
    }
}

impl CgroupFolder {
    /// The id of the cgroup that is there now; `None` if there is none.
    #[must_use]
    pub fn id_now(&self) -> Option<u64> {
        fs::metadata(&self.path).ok().map(|folder| folder.ino())
    }
}
