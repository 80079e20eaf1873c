//! A container image without a registry: this machine's static busybox, and a few of its applets.

use std::path::{Path, PathBuf};

use crate::common::{stdout_of, system};

/// Makes a tar file of the image's root in that folder.
pub fn busybox_root(dir: &Path) -> PathBuf {
    let root = dir.join("root");
    std::fs::create_dir_all(root.join("bin")).unwrap();
    let busybox = stdout_of(system("sh").args(["-c", "command -v busybox"]));
    std::fs::copy(busybox.trim(), root.join("bin/busybox")).unwrap();
    for applet in ["sh", "httpd", "mkdir", "sleep"] {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).unwrap();
    }
    tar(&root, &dir.join("root.tar"), &["."])
}

/// The shell command of a container that serves this page on a port.
pub fn serve(page: &str, port: u16) -> String {
    format!("mkdir /www; echo {page} > /www/index.html; exec httpd -f -p {port} -h /www")
}

/// Makes the image in the form that `docker save` writes. By default its containers sleep.
pub fn busybox_archive(dir: &Path, name: &str) -> PathBuf {
    let layer = busybox_root(dir);
    let digest = stdout_of(system("sha256sum").arg(&layer));
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let config = serde_json::json!({
        "architecture": architecture, "os": "linux",
        "config": {"Entrypoint": ["/bin/sleep", "100000"]},
        "rootfs": {"type": "layers",
            "diff_ids": [format!("sha256:{}", digest.split(' ').next().unwrap())]},
    });
    let manifest =
        serde_json::json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["root.tar"]}]);
    std::fs::write(dir.join("config.json"), config.to_string()).unwrap();
    std::fs::write(dir.join("manifest.json"), manifest.to_string()).unwrap();
    tar(dir, &dir.join("image.tar"), &["manifest.json", "config.json", "root.tar"])
}

fn tar(from: &Path, to: &Path, files: &[&str]) -> PathBuf {
    stdout_of(system("tar").arg("-C").arg(from).arg("-cf").arg(to).args(files));
    to.to_owned()
}
