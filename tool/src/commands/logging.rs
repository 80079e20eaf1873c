//! pfsnoop's own log.

/// Starts the log on stderr. With `-v`, it includes what the kernel programs log.
pub(super) fn start_logging(verbose: bool) {
    let level = if verbose { log::LevelFilter::Debug } else { log::LevelFilter::Warn };
    env_logger::Builder::new().filter_level(level).init();
}
