//! How long a picture takes from the panel to this side.

use std::time::Duration;

use alongside_panel::message::Timing;

use super::Latency;

/// Compares the two clocks by the quickest picture so far.
#[derive(Debug, Default)]
pub(super) struct LatencyMeter {
    /// Milliseconds from the capture, by the device's clock, to the arrival, by ours, of the newest picture.
    newest: Option<i128>,
    quickest: Option<i128>,
    decode: Duration,
}

impl LatencyMeter {
    /// A picture has arrived, and took this long to apply. Times are Unix milliseconds, each by its side's clock.
    pub(super) fn arrived(&mut self, captured_at: u64, arrived_at: u64, decode: Duration) {
        let way = i128::from(arrived_at) - i128::from(captured_at);
        self.newest = Some(way);
        self.quickest = Some(self.quickest.map_or(way, |quickest| quickest.min(way)));
        self.decode = decode;
    }

    /// The device has told how long the newest picture took there.
    pub(super) fn timed(&self, timing: Timing, rtt: Duration) -> Option<Latency> {
        let later = self.newest? - self.quickest?;
        let later = Duration::from_millis(u64::try_from(later).unwrap_or(0));
        let tenths = |tenths: u32| Duration::from_micros(100 * u64::from(tenths));
        Some(Latency {
            capture: tenths(timing.capture),
            encode: tenths(timing.encode),
            network: rtt / 2 + later,
            decode: self.decode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_travels_longer_than_the_quickest_is_told_whatever_the_clocks_say() {
        let timing = Timing {
            capture: 12,
            encode: 30,
        };
        let rtt = Duration::from_millis(60);
        let mut meter = LatencyMeter::default();
        assert_eq!(meter.timed(timing, rtt), None, "no picture yet");
        // The device's clock is an hour ahead.
        for (captured_at, arrived_at, network) in [
            (3_600_000, 40, 30),
            (3_600_100, 290, 180),
            (3_600_200, 230, 30),
            (3_600_300, 350, 50),
        ] {
            meter.arrived(captured_at, arrived_at, Duration::from_micros(700));
            let latency = meter.timed(timing, rtt).expect("a picture");
            assert_eq!(latency.network, Duration::from_millis(network));
            assert_eq!(latency.capture, Duration::from_micros(1_200));
            assert_eq!(latency.encode, Duration::from_micros(3_000));
            assert_eq!(latency.decode, Duration::from_micros(700));
        }
    }
}
