//! The log on standard error: `ALONGSIDE_LOG_FILTER` says how much, `--log` in which form.

use std::io::IsTerminal as _;

use tracing_subscriber::{
    Layer as _, Registry, filter::Targets, fmt, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::cli::LogFormat;

/// Starts logging what `default` says, or `ALONGSIDE_LOG_FILTER` if it is set: a level, or levels of modules, such as
/// `info,alongside_transport=debug`. A filter that cannot be understood is said, and the default taken.
pub fn start(format: LogFormat, default: &str) {
    let wanted = std::env::var("ALONGSIDE_LOG_FILTER").ok();
    let (filter, bad) = match wanted.as_deref().map(str::parse::<Targets>) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (default.parse().unwrap_or_default(), Some(error)),
        None => (default.parse().unwrap_or_default(), None),
    };
    let lines = fmt::layer::<Registry>().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
    if let Some(error) = bad {
        tracing::warn!(%error, "ALONGSIDE_LOG_FILTER is not understood; logging {default}");
    }
}
