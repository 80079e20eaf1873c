//! Whether a program may be run with pfsnoop's rights.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Whether only root, or pfsnoop's own user, can replace the file: each folder on its path, and the
/// file itself, belong to one of them and are writable by no one else.
pub(super) fn is_trusted(file: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    file.ancestors().all(|path| {
        let Ok(meta) = path.metadata() else { return false };
        let others_write = meta.mode() & 0o022 != 0;
        // In a sticky folder such as /tmp, users cannot replace files of other users (inode(7)).
        let is_sticky = meta.is_dir() && meta.mode() & 0o1000 != 0;
        (meta.uid() == 0 || meta.uid() == own) && (!others_write || is_sticky)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    #[test]
    #[ignore = "needs root: `cargo xtask test` runs it"]
    fn a_file_that_others_can_replace_is_not_trusted() {
        let dir = std::env::temp_dir().join(format!("pfsnoop-trusted-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let program = dir.join("nsenter");
        fs::write(&program, "").unwrap();
        for path in [&dir, &program] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        assert!(is_trusted(&program));
        for path in [&dir, &program] {
            fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
            assert!(!is_trusted(&program), "{}", path.display());
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
            chown(path, Some(65534), None).unwrap();
            assert!(!is_trusted(&program), "{}", path.display());
            chown(path, Some(0), None).unwrap();
        }
        assert!(is_trusted(&program));
        fs::remove_dir_all(&dir).unwrap();
    }
}
