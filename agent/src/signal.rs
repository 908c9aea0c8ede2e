//! Being told to stop: Ctrl-C and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};

/// Comes back when the process is told to stop.
pub async fn terminated() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler the signal ends the process by itself.
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
