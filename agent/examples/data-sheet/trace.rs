//! Rates over time, from counters that are read at even intervals.

use std::{fmt, time::Duration};

/// Time between two readings.
pub(crate) const STEP: Duration = Duration::from_millis(100);
/// Readings in the window of which most and least are told.
const WINDOW: usize = 100;

/// What a counter stood at, one reading after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Vec<u64>);

/// Rates in kbit/s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) mean: f64,
    pub(crate) most: f64,
    pub(crate) least: f64,
}

impl Trace {
    pub(crate) fn push(&mut self, total: u64) {
        self.0.push(total);
    }

    /// Bytes between the first reading and the last.
    pub(crate) fn bytes(&self) -> u64 {
        self.0.last().unwrap_or(&0) - self.0.first().unwrap_or(&0)
    }

    /// Most bytes in any 10 s.
    pub(crate) fn most(&self) -> u64 {
        self.windows().max().unwrap_or_else(|| self.bytes())
    }

    pub(crate) fn rates(&self) -> Rates {
        let steps = self.0.len().saturating_sub(1);
        let window = steps.min(WINDOW);
        Rates {
            mean: kbps(self.bytes(), steps),
            most: kbps(self.most(), window),
            least: kbps(self.windows().min().unwrap_or_else(|| self.bytes()), window),
        }
    }

    fn windows(&self) -> impl Iterator<Item = u64> {
        self.0
            .windows(WINDOW + 1)
            .map(|window| window[WINDOW] - window[0])
    }
}

fn kbps(bytes: u64, steps: usize) -> f64 {
    let window = STEP.as_secs_f64() * steps as f64;
    bytes as f64 * 8.0 / 1_000.0 / window
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, most, least } = self;
        write!(f, "mean {mean:.1}, most {most:.1}, least {least:.1} kbps")
    }
}
