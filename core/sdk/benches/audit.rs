//! What an audit costs: records a second with durability, and what it adds to one event of a session.
//!
//! Run with `cargo bench -p alongside --bench audit`. Give it a folder on the disk that matters with
//! `AUDIT_BENCH_DIR`; the system's folder for temporary files may be in memory.
#![allow(missing_docs, reason = "a bench")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "measures, and prints a table"
)]

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use alongside::{
    Identity,
    audit::{AuditLog, AuditStore, Entry, MemoryAudit, What},
    protocol::{Serial, SessionId, label::Label},
};

/// A line as long as that of an input.
fn entry() -> Result<Entry, Box<dyn std::error::Error>> {
    Ok(Entry {
        at: 1_700_000_000_000,
        session: Some(SessionId([0x5a; 16])),
        what: What::Device {
            serial: Serial::new("B7-0042")?,
            model: Label::new("Example B7")?,
        },
    })
}

/// The `part`th of a hundred, in milliseconds.
fn percentile(sorted: &[Duration], part: usize) -> f64 {
    let at = (sorted.len() * part / 100).min(sorted.len().saturating_sub(1));
    sorted
        .get(at)
        .map_or(0.0, |took| took.as_secs_f64() * 1000.0)
}

fn row(name: &str, records: usize, mut took: Vec<Duration>) {
    let total: Duration = took.iter().sum();
    took.sort();
    let rate = (records * took.len()) as f64 / total.as_secs_f64();
    println!(
        "{name:<44} {rate:>12.0} {:>10.3} {:>10.3}",
        percentile(&took, 50),
        percentile(&took, 99)
    );
}

fn writes(store: &dyn AuditStore, batch: &[Entry], count: usize) -> Vec<Duration> {
    (0..count)
        .map(|_| {
            let start = Instant::now();
            let _ = store.append(batch);
            start.elapsed()
        })
        .collect()
}

/// As the driver does it: hand over to where blocking is allowed, and wait.
async fn events(store: Arc<dyn AuditStore>, entry: &Entry, count: usize) -> Vec<Duration> {
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let (store, entries) = (Arc::clone(&store), vec![entry.clone()]);
        let start = Instant::now();
        let _ = tokio::task::spawn_blocking(move || store.append(&entries)).await;
        took.push(start.elapsed());
    }
    took
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = std::env::var_os("AUDIT_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(&base)?;
    let log = Arc::new(AuditLog::new(
        folder.path(),
        Arc::new(Identity::generate()?),
    ));
    let one = entry()?;
    log.append(std::slice::from_ref(&one))?;
    println!("in {}", base.display());
    println!(
        "{:<44} {:>12} {:>10} {:>10}",
        "one write and fdatasync per batch", "records/s", "p50 ms", "p99 ms"
    );
    for size in [1, 8, 64, 512] {
        let batch = vec![one.clone(); size];
        let took = writes(&*log, &batch, 300);
        row(&format!("batches of {size}"), size, took);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let took = runtime.block_on(events(Arc::clone(&log) as _, &one, 500));
    row("added to one event, as the driver waits", 1, took);
    let memory = Arc::new(MemoryAudit::default());
    let took = runtime.block_on(events(memory, &one, 500));
    row("the same without a disk", 1, took);
    Ok(())
}
