//! A systemd in a container, with the Debian package installed. It is this machine's own: its /usr, below
//! the files of the package.

use std::os::unix::fs::symlink;

use super::dist::file_of_dist;
use super::docker::Docker;
use crate::common::temp::TempDir;
use crate::common::{eventually, output, stdout_of, system, text};

/// A running systemd. Its container is called `node`, and must be removed before the daemon ends.
pub struct Systemd<'a> {
    docker: &'a Docker,
    _root: Root,
}

impl<'a> Systemd<'a> {
    pub fn start(docker: &'a Docker) -> Self {
        let root = Root::new();
        root.import(docker);
        let usr = format!("--volume={}:/usr", root.0.join("root/usr").display());
        let mut run = docker.client();
        run.args(["run", "--detach", "--name=node", "--network=none", "--privileged", &usr]);
        run.args(["--cgroupns=private", "--tmpfs=/run", "--tmpfs=/tmp", "--env=container=docker"]);
        stdout_of(run.args(["node-root", "/lib/systemd/systemd", "--unit=basic.target"]));
        let systemd = Self { docker, _root: root };
        eventually("systemd", || {
            // It says so with its exit code, too, when a unit of the machine has failed.
            let state =
                text(&output(&mut systemd.command(&["systemctl", "is-system-running"])).stdout);
            ["running", "degraded"].contains(&state.trim()).then_some(())
        });
        systemd
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut exec = self.docker.client();
        exec.args(["exec", "node"]).args(args);
        exec
    }

    /// What a command prints inside. It must succeed.
    pub fn run(&self, args: &[&str]) -> String {
        stdout_of(&mut self.command(args))
    }

    /// A property of a unit.
    pub fn show(&self, unit: &str, property: &str) -> String {
        let value = self.run(&["systemctl", "show", "--value", "--property", property, unit]);
        value.trim().to_owned()
    }
}

/// The files of the container: `root`, with an overlay on `root/usr`.
struct Root(TempDir);

impl Root {
    fn new() -> Self {
        let root = Self(TempDir::new("systemd"));
        let path = |name: &str| root.0.join(name).display().to_string();
        for folder in ["layers", "root/usr", "root/etc", "root/var/lib", "root/proc", "root/sys"] {
            std::fs::create_dir_all(root.0.join(folder)).unwrap();
        }
        // The upper folder of an overlay cannot be in an overlay.
        stdout_of(system("mount").args(["-t", "tmpfs", "tmpfs", &path("layers")]));
        for folder in ["layers/upper", "layers/work"] {
            std::fs::create_dir(root.0.join(folder)).unwrap();
        }
        let (upper, work) = (path("layers/upper"), path("layers/work"));
        let options = format!("lowerdir=/usr,upperdir={upper},workdir={work}");
        stdout_of(system("mount").args([
            "-t",
            "overlay",
            "overlay",
            "-o",
            &options,
            &path("root/usr"),
        ]));
        for link in ["bin", "sbin", "lib", "lib64"] {
            symlink(format!("usr/{link}"), root.0.join("root").join(link)).unwrap();
        }
        for file in ["passwd", "group", "nsswitch.conf"] {
            std::fs::copy(format!("/etc/{file}"), root.0.join("root/etc").join(file)).unwrap();
        }
        std::fs::write(root.0.join("root/etc/machine-id"), "").unwrap();
        let mut unpack = system("dpkg-deb");
        stdout_of(unpack.arg("--extract").arg(file_of_dist(".deb")).arg(path("root")));
        root
    }

    /// Makes the image `node-root` of all but /usr.
    fn import(&self, docker: &Docker) {
        let archive = self.0.join("root.tar");
        let mut tar = system("tar");
        tar.arg("--create").arg("--file").arg(&archive).arg("--exclude=./usr/*");
        stdout_of(tar.arg("--directory").arg(self.0.join("root")).arg("."));
        stdout_of(docker.client().arg("import").arg(archive).arg("node-root"));
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        for mount in ["root/usr", "layers"] {
            let _ = output(system("umount").arg("--lazy").arg(self.0.join(mount)));
        }
    }
}
