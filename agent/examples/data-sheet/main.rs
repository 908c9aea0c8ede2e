//! A data sheet: what one scripted session of each mode moves between the device, the relay and the operator, beside
//! what is promised.
//!
//! `cargo run -p alongside-agent --example data-sheet` runs the sessions over a simulated network in virtual time, so
//! that minutes of them take seconds and every run gives the same figures but for random keys and codes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a sheet that cannot be measured has nothing to say, and it is printed"
)]

mod mode;
mod noise;
mod opening;
mod row;
mod session;
mod trace;
mod world;

use row::Row;

fn main() {
    let sheet = measure();
    print(&sheet);
    if sheet.iter().any(|row| !row.is_kept) {
        std::process::exit(1);
    }
}

/// Every row, in virtual time.
pub(crate) fn measure() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut rows = opening::rows().await;
        for mode in mode::ALL {
            rows.extend(session::rows(mode).await);
        }
        rows.extend(session::rows_of_a_slow_line().await);
        rows
    })
}

/// The rows as a table of Markdown.
pub(crate) fn print(rows: &[Row]) {
    println!("| activity | data | from | to | promised | measured | kept |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for row in rows {
        println!("{row}");
    }
    println!();
    println!(
        "Sizes and rates are those of the session's messages: 1 kbit/s = 1,000 bit/s, 1 KB = 1,000 bytes. \"With all\n\
         below\" adds encryption, QUIC, UDP and IPv4. Most and least are of any 10 s while it is used. Panel 1024x600;\n\
         the line has 60 ms round trip, through the relay."
    );
}
