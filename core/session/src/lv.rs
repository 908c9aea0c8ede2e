//! Length-value encoding, so that no two different lists of fields hash alike.

use hmac::Mac;
use sha2::Digest;

/// Anything that bytes can be fed into: a hash, a MAC or a buffer.
pub(crate) trait Sink {
    /// Takes in raw bytes.
    fn take(&mut self, bytes: &[u8]);
}

/// Feeding fields one by one, each behind its length in LEB128.
pub(crate) trait Absorb: Sink {
    /// Takes in one field.
    fn absorb(&mut self, field: &[u8]) -> &mut Self {
        let mut len = field.len();
        loop {
            // The mask keeps seven bits.
            let low = (len & 0x7f) as u8;
            len >>= 7;
            if len == 0 {
                self.take(&[low]);
                break;
            }
            self.take(&[low | 0x80]);
        }
        self.take(field);
        self
    }
}

impl<S: Sink> Absorb for S {}

impl Sink for sha2::Sha512 {
    fn take(&mut self, bytes: &[u8]) {
        Digest::update(self, bytes);
    }
}

impl Sink for hmac::Hmac<sha2::Sha256> {
    fn take(&mut self, bytes: &[u8]) {
        Mac::update(self, bytes);
    }
}

impl Sink for Vec<u8> {
    fn take(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::Absorb;

    #[test]
    fn lengths_are_leb128() {
        let mut out = Vec::new();
        out.absorb(b"").absorb(b"ab").absorb(&[7; 300]);
        assert_eq!(out.get(..4), Some(&[0, 2, b'a', b'b'][..]));
        assert_eq!(
            out.get(4..7),
            Some(&[0xac, 0x02, 7][..]),
            "300 = 0b10_0101100"
        );
        assert_eq!(out.len(), 6 + 300);
    }
}
