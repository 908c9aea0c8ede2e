//! Splits a receive buffer between two readers.
//!
//! The kernel may join packets of one size that came from one source into one buffer (GRO), whoever they are
//! for; only the last may be shorter.

/// Moves the packets for `ours` to the front of `buffer`, in order, and returns how many bytes they are. Gives
/// runs of packets for others to `give`; packets that `classify` calls nobody's are dropped.
///
/// `len` bytes of the buffer are filled, with a packet every `stride` bytes.
pub(crate) fn split<T: PartialEq + Copy>(
    buffer: &mut [u8],
    len: usize,
    stride: usize,
    mut classify: impl FnMut(&[u8]) -> Option<T>,
    ours: T,
    mut give: impl FnMut(&[u8]),
) -> usize {
    let (len, stride) = (len.min(buffer.len()), stride.max(1));
    if len == 0 {
        return 0;
    }
    let packet_end = |at: usize| at.saturating_add(stride).min(len);
    let mut class_at =
        |buffer: &[u8], at: usize| buffer.get(at..packet_end(at)).and_then(&mut classify);
    let (mut at, mut kept) = (0, 0);
    let mut next = class_at(buffer, 0);
    while at < len {
        let class = next;
        let mut end = packet_end(at);
        while end < len {
            next = class_at(buffer, end);
            if next != class {
                break;
            }
            end = packet_end(end);
        }
        match class {
            Some(class) if class == ours => {
                buffer.copy_within(at..end, kept);
                kept += end - at;
            }
            Some(_) => give(buffer.get(at..end).unwrap_or(&[])),
            None => {}
        }
        at = end;
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Splits packets whose first byte says whose they are: 0 ours, 1 the other's, else nobody's.
    fn split_by_first_byte(packets: &[Vec<u8>], stride: usize) -> (Vec<u8>, Vec<u8>) {
        let mut buffer = packets.concat();
        let len = buffer.len();
        let mut given = Vec::new();
        let class = |packet: &[u8]| Some(packet[0]).filter(|class| *class < 2);
        let kept = split(&mut buffer, len, stride, class, 0, |run| {
            given.extend_from_slice(run)
        });
        buffer.truncate(kept);
        (buffer, given)
    }

    proptest! {
        /// Every packet reaches its reader, whole and in order, and no other.
        #[test]
        fn each_reader_gets_its_packets_in_order(
            classes in prop::collection::vec(0u8..3, 0..40),
            stride in 1usize..50,
            last in 1usize..50,
        ) {
            let count = classes.len();
            let packets: Vec<Vec<u8>> = classes.iter().enumerate().map(|(n, class)| {
                let len = if n + 1 == count { last.min(stride) } else { stride };
                let mut packet = vec![n as u8; len];
                packet[0] = *class;
                packet
            }).collect();
            let of = |class: u8| packets.iter().filter(|packet| packet[0] == class).cloned().collect::<Vec<_>>().concat();
            prop_assert_eq!(split_by_first_byte(&packets, stride), (of(0), of(1)));
        }
    }

    #[test]
    fn packets_are_asked_about_once_each() {
        let mut asked = 0;
        let class = |_: &[u8]| {
            asked += 1;
            Some(0)
        };
        assert_eq!(split(&mut [0; 10], 10, 3, class, 0, |_| {}), 10);
        assert_eq!(asked, 4);
    }

    #[test]
    fn a_length_beyond_the_buffer_is_cut() {
        assert_eq!(split(&mut [0; 4], 9, 0, |_| Some(0), 0, |_| {}), 4);
        assert_eq!(split(&mut [], 9, 9, |_| Some(0), 0, |_| {}), 0);
    }
}
