//! Refuses to run any test without root.

/// The C runtime calls this before `main`. libtest has no hook that runs before its own output, and a
/// check in each test would fail once per test, not once.
#[used]
// SAFETY: the section holds pointers to functions that take no arguments they need and return nothing.
#[unsafe(link_section = ".init_array")]
static CHECK: extern "C" fn() = check;

extern "C" fn check() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("these tests need root: sudo cargo xtask test. For the others: cargo test");
        std::process::exit(1);
    }
}
