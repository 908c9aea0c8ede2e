//! A program with a runtime and nothing else: what `weigh` compares with.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "says that it is up")]

use std::{error::Error, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(async {
        println!("up");
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    });
    Ok(())
}
