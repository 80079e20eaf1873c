//! Virtual machines that boot another kernel, with the static binary and the fixture in an initramfs.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::common::temp::temp_path;
use crate::common::{output, stdout_of, system, text};

/// The lines of the console around what the script prints.
const BEGIN: &str = "-----pfsnoop-begin-----";
const END: &str = "-----pfsnoop-end-----";

/// Numbers the machines: each has its own folder.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// Boots that kernel with these arguments, runs a shell script in it, and returns what the script
/// printed.
///
/// The script finds `/pfsnoop`, `/odd-exec`, `/late-exec` and busybox.
pub fn run(kernel: &str, boot: &str, script: &str) -> String {
    let image = root().join("target/kernels").join(kernel);
    assert!(image.is_file(), "no {}: run cargo xtask setup", image.display());
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let dir = temp_path(&format!("vm-{kernel}-{number}"));
    let initramfs = make_initramfs(&dir, script);
    // Software emulation is slow, but needs a tenth of these two minutes.
    let mut qemu = system("timeout");
    qemu.args([
        "120",
        "qemu-system-x86_64",
        "-accel",
        "tcg",
        "-m",
        "1024",
        "-nographic",
        "-no-reboot",
    ])
    .args(["-append", &format!("console=ttyS0 quiet panic=-1 {boot}")])
    .arg("-kernel")
    .arg(&image)
    .arg("-initrd")
    .arg(&initramfs)
    .stdin(std::process::Stdio::null());
    let console = text(&output(&mut qemu).stdout).replace('\r', "");
    let _ = std::fs::remove_dir_all(&dir);
    let printed = console.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END));
    let last = || console.lines().rev().take(40).collect::<Vec<_>>().join("\n");
    printed
        .unwrap_or_else(|| panic!("the guest did not get to the end; its last lines: {}", last()))
        .0
        .to_owned()
}

fn make_initramfs(dir: &Path, script: &str) -> PathBuf {
    let guest = dir.join("root");
    for folder in ["bin", "dev", "etc", "proc", "sys", "tmp"] {
        std::fs::create_dir_all(guest.join(folder)).unwrap();
    }
    let busybox = stdout_of(system("sh").args(["-c", "command -v busybox"]));
    std::fs::copy(busybox.trim(), guest.join("bin/busybox")).unwrap();
    let binaries = &*STATIC_BINARIES;
    std::fs::copy(binaries.join("pfsnoop"), guest.join("pfsnoop")).unwrap();
    for fixture in ["odd-exec", "late-exec"] {
        std::fs::copy(binaries.join("examples").join(fixture), guest.join(fixture)).unwrap();
    }
    let init = format!(
        "#!/bin/busybox sh\n\
         /bin/busybox --install -s /bin\n\
         mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /tmp; mount -t devtmpfs dev /dev\n\
         {{ {script}\n}} > /tmp/printed 2>&1\n\
         echo '{BEGIN}'; cat /tmp/printed; echo '{END}'\n\
         poweroff -f\n"
    );
    std::fs::write(guest.join("init"), init).unwrap();
    let initramfs = dir.join("initramfs");
    let pack = "chmod 755 \"$1/init\" && cd \"$1\" && find . | cpio --create --format=newc --quiet > \"$2\"";
    stdout_of(system("sh").args(["-c", pack, "sh"]).arg(&guest).arg(&initramfs));
    initramfs
}

/// The folder of the binaries, built once as `cargo xtask dist` builds them.
static STATIC_BINARIES: LazyLock<PathBuf> = LazyLock::new(|| {
    let target = root().join("target/static");
    let triple = "x86_64-unknown-linux-gnu";
    let mut build = std::process::Command::new("nice");
    build
        .args([
            env!("CARGO"),
            "build",
            "--quiet",
            "--profile",
            "dist",
            "--package",
            "pfsnoop",
            "--bin",
            "pfsnoop",
        ])
        .args(["--example", "odd-exec", "--example", "late-exec"])
        .args(["--target", triple, "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .current_dir(root());
    stdout_of(&mut build);
    target.join(triple).join("dist")
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
