//! What the parent process left: open files, and how signals are treated. daemon(7) of systemd lists
//! what a program sets back.

/// Sets back what would disturb. Must be called before the first thread starts.
pub fn set_back() {
    close_on_exec();
    set_signals_back();
}

/// Keeps inherited files from the programs that pfsnoop starts. A socat that inherits a socket
/// would hold it open for as long as socat lives. (The Rust runtime has opened /dev/null in place of a
/// closed stdin, stdout or stderr.)
fn close_on_exec() {
    const FIRST_AFTER_STDERR: libc::c_uint = 3;
    // SAFETY: the call takes only numbers. It closes nothing: it marks files to be closed at exec.
    // Kernels before 5.11 do not know the flag. The files are then inherited.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST_AFTER_STDERR,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
}

/// Signals that are blocked never come, so that nothing but SIGKILL would end pfsnoop. If SIGCHLD is
/// ignored, the kernel reaps the helpers itself, and their exit codes are lost (ECHILD, wait(2)). If
/// SIGTERM is ignored, `doctor` and `targets` would not end by it.
///
/// Other signals stay ignored: SIGHUP by nohup(1), SIGINT and SIGQUIT by a shell that starts a command in
/// the background, SIGPIPE by the Rust runtime, which `Command` sets back for the helpers.
fn set_signals_back() {
    for signal in [libc::SIGCHLD, libc::SIGTERM] {
        // SAFETY: the default is no function of ours, and both signals have one.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    // SAFETY: any bytes are a valid set of signals, and the calls set all of them. There is only one
    // thread, so its mask is that of all later threads.
    unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}
