//! The log on standard error: `ALONGSIDE_LOG_FILTER` says how much, `--log` in which form.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts logging as `default` says, or `ALONGSIDE_LOG_FILTER` if it is set. A filter that cannot be understood is said, and the default taken.
pub fn start(format: LogFormat, default: &str) {
    let wanted = std::env::var("ALONGSIDE_LOG_FILTER").ok();
    let filter = wanted.as_deref().map(EnvFilter::try_new);
    let (filter, bad) = match filter {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new(default), Some(error)),
        None => (EnvFilter::new(default), None),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
    if let Some(error) = bad {
        tracing::warn!(%error, "ALONGSIDE_LOG_FILTER is not understood; logging {default}");
    }
}
