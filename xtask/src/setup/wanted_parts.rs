//! What is unpacked from Debian releases for the tests.

use super::part::Part;

/// socat and nsenter, and the libraries of both.
const HELPERS: &[&str] = &[
    "socat",
    "util-linux",
    "libc6",
    "libssl3t64",
    "libwrap0",
    "libselinux1",
    "libpcre2-8-0",
    "libtirpc3t64",
    "libzstd1",
    "zlib1g",
];

/// dockerd, its client, and the containerd that it starts.
const DOCKER: &[&str] = &["docker.io", "docker-cli", "containerd"];
const DOCKER_PROGRAMS: &[&str] = &["dockerd", "docker", "containerd", "containerd-shim-runc-v2"];

/// Podman with the programs that it starts, except for runc, and the libraries of all of them. Debian's
/// package `podman` would be installed with newer versions of `login` and `passwd`.
const PODMAN: &[&str] = &[
    "podman",
    "conmon",
    "catatonit",
    "netavark",
    "libc6",
    "libgcc-s1",
    "libatomic1",
    "zlib1g",
    "libacl1",
    "libattr1",
    "libaudit1",
    "libbsd0",
    "libbz2-1.0",
    "libcap-ng0",
    "libcap2",
    "libcrypt1",
    "libgpg-error0",
    "libmd0",
    "libpam0g",
    "libpcre2-8-0",
    "libseccomp2",
    "libselinux1",
    "libsemanage2",
    "libsepol2",
    "libsqlite3-0",
    "libsystemd0",
];
/// Libraries that bookworm's Podman needs as well.
const PODMAN_BOOKWORM: &[&str] = &[
    "libassuan0",
    "libdevmapper1.02.1",
    "libgcrypt20",
    "libglib2.0-0",
    "libgpgme11",
    "liblz4-1",
    "liblzma5",
    "libsubid4",
    "libudev1",
    "libzstd1",
];
/// Libraries that the Podman of newer releases needs as well.
const PODMAN_TRIXIE: &[&str] = &["libassuan9", "libglib2.0-0t64", "libgpgme11t64", "libsubid5"];
const PODMAN_FORKY: &[&str] = &["libassuan9", "libglib2.0-0t64", "libgpgme45", "libsubid6"];
const PODMAN_PROGRAMS: &[&str] = &["podman", "conmon", "catatonit", "netavark"];

/// What the quick tests need too: Podman 4.3, kubectl 1.20 (SPDY), 1.32 and 1.36 (SPDY in a WebSocket), and
/// a Docker that knows CAP_BPF, 28.
pub(super) const QUICK: &[Part] = &[
    Part {
        name: "podman-bookworm",
        release: "bookworm",
        packages: &[PODMAN, PODMAN_BOOKWORM],
        programs: PODMAN_PROGRAMS,
        needs_own_libc: true,
    },
    kubectl("kubectl-bookworm", "bookworm", &[&["kubernetes-client"]]),
    kubectl("kubectl-trixie", "trixie", &[&["kubectl"]]),
    kubectl("kubectl-forky", "forky", &[&["kubectl"]]),
    Part {
        name: "docker-forky",
        release: "forky",
        packages: &[DOCKER],
        programs: DOCKER_PROGRAMS,
        needs_own_libc: false,
    },
];

/// kubectl, which runs with the C library of any release.
const fn kubectl(
    name: &'static str,
    release: &'static str,
    packages: &'static [&'static [&'static str]],
) -> Part {
    Part { name, release, packages, programs: &["kubectl"], needs_own_libc: false }
}

/// socat 1.8.0 and nsenter 2.41, socat 1.8.1 and nsenter 2.42, containerd 1.7 and 2.1, Docker 26,
/// Podman 5.4 and 5.8.
pub(super) const NEWER: &[Part] = &[
    Part {
        name: "helpers-trixie",
        release: "trixie",
        packages: &[HELPERS],
        programs: &["socat", "nsenter"],
        needs_own_libc: true,
    },
    Part {
        name: "helpers-forky",
        release: "forky",
        packages: &[HELPERS],
        programs: &["socat", "nsenter"],
        needs_own_libc: true,
    },
    Part {
        name: "containerd-trixie",
        release: "trixie",
        packages: &[&["containerd"]],
        programs: &["containerd", "containerd-shim-runc-v2"],
        needs_own_libc: false,
    },
    Part {
        name: "containerd-forky",
        release: "forky",
        packages: &[&["containerd"]],
        programs: &["containerd", "containerd-shim-runc-v2"],
        needs_own_libc: false,
    },
    Part {
        name: "docker-trixie",
        release: "trixie",
        packages: &[DOCKER],
        programs: DOCKER_PROGRAMS,
        needs_own_libc: false,
    },
    Part {
        name: "podman-trixie",
        release: "trixie",
        packages: &[PODMAN, PODMAN_TRIXIE],
        programs: PODMAN_PROGRAMS,
        needs_own_libc: true,
    },
    Part {
        name: "podman-forky",
        release: "forky",
        packages: &[PODMAN, PODMAN_FORKY],
        programs: PODMAN_PROGRAMS,
        needs_own_libc: true,
    },
];
