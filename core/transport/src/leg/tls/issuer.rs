//! Who issued a certificate, for a person to read: nothing is decided by it.
//!
//! Just enough of DER (ITU-T X.690) to walk to one field of a certificate (RFC 5280, section 4.1), without trust in
//! any byte of it.

use alongside_protocol::label::Label;

use crate::leg::inert::inert;

/// Tags (X.690, section 8.1.2).
mod tag {
    pub(super) const INTEGER: u8 = 0x02;
    pub(super) const OID: u8 = 0x06;
    pub(super) const UTF8: u8 = 0x0c;
    pub(super) const PRINTABLE: u8 = 0x13;
    pub(super) const TELETEX: u8 = 0x14;
    pub(super) const IA5: u8 = 0x16;
    pub(super) const BMP: u8 = 0x1e;
    pub(super) const SEQUENCE: u8 = 0x30;
    pub(super) const SET: u8 = 0x31;
    pub(super) const VERSION: u8 = 0xa0;
}

/// `id-at-commonName` and `id-at-organizationName` (RFC 5280, appendix A.1).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];

/// The common name of whoever issued `certificate`, else the organisation; `None` if it has neither, or none that can
/// be shown.
pub(crate) fn issuer(certificate: &[u8]) -> Option<Label<64>> {
    let mut outer = Reader(certificate);
    let mut signed = outer.enter(tag::SEQUENCE)?.enter(tag::SEQUENCE)?;
    if signed.peek() == Some(tag::VERSION) {
        signed.enter(tag::VERSION)?;
    }
    signed.enter(tag::INTEGER)?; // the serial number
    signed.enter(tag::SEQUENCE)?; // how it is signed
    let mut name = signed.enter(tag::SEQUENCE)?;
    let (mut common, mut organisation) = (None, None);
    while let Some(mut set) = name.enter(tag::SET) {
        while let Some(mut part) = set.enter(tag::SEQUENCE) {
            let kind = part.enter(tag::OID)?;
            let (tag, Reader(value)) = part.next()?;
            let place = match kind.0 {
                COMMON_NAME => &mut common,
                ORGANISATION => &mut organisation,
                _ => continue,
            };
            *place = text(tag, value).and_then(|text| inert(&text));
        }
    }
    common.or(organisation)
}

fn text(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        tag::UTF8 | tag::PRINTABLE | tag::IA5 => String::from_utf8(value.to_vec()).ok(),
        // In practice Latin-1.
        tag::TELETEX => Some(value.iter().map(|byte| char::from(*byte)).collect()),
        tag::BMP => {
            let (pairs, []) = value.as_chunks::<2>() else {
                return None;
            };
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

/// What is left of the contents of one value.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The contents of the next value, if it has this tag; the value is taken.
    fn enter(&mut self, tag: u8) -> Option<Self> {
        if self.peek() != Some(tag) {
            return None;
        }
        self.next().map(|(_, contents)| contents)
    }

    fn next(&mut self) -> Option<(u8, Self)> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            // No certificate is of 16 MiB.
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let len = digits
                    .iter()
                    .fold(0_usize, |len, digit| (len << 8) | usize::from(*digit));
                (len, rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((*tag, Reader(contents)))
    }
}

#[cfg(test)]
mod tests {
    use alongside_protocol::fuzzing::mutations;
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, Issuer, KeyPair};

    use super::*;

    fn issued_by(name: &[(DnType, DnValue)]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in name {
            params.distinguished_name.push(kind.clone(), value.clone());
        }
        let issuer = Issuer::new(params, KeyPair::generate().unwrap());
        let leaf = CertificateParams::new(vec!["relay.test".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&KeyPair::generate().unwrap(), &issuer);
        leaf.unwrap().der().to_vec()
    }

    fn utf8(text: &str) -> DnValue {
        DnValue::Utf8String(text.to_owned())
    }

    fn shown(name: &[(DnType, DnValue)]) -> Option<String> {
        issuer(&issued_by(name)).map(|label| label.to_string())
    }

    #[test]
    fn the_common_name_is_shown_else_the_organisation() {
        let organisation = (DnType::OrganizationName, utf8("Klinikum Süd"));
        let common = (DnType::CommonName, utf8("Web Gateway CA"));
        let both = shown(&[organisation.clone(), common]);
        assert_eq!(both.as_deref(), Some("Web Gateway CA"));
        assert_eq!(shown(&[organisation]).as_deref(), Some("Klinikum Süd"));
        assert_eq!(shown(&[]), None);
    }

    #[test]
    fn a_name_that_could_do_harm_is_not_shown() {
        assert_eq!(shown(&[(DnType::CommonName, utf8("\u{1b}[2J"))]), None);
        let long = shown(&[(DnType::CommonName, utf8(&"ä".repeat(100)))]);
        assert_eq!(long.as_deref(), Some("ä".repeat(32).as_str()));
    }

    #[test]
    fn older_encodings_are_read() {
        let latin = text(tag::TELETEX, b"S\xfcd").unwrap();
        assert_eq!(latin, "Süd");
        let wide = text(tag::BMP, &[0, b'A', 0x4e, 0x2d]).unwrap();
        assert_eq!(wide, "A中");
        assert_eq!(text(tag::BMP, &[0]), None);
    }

    #[test]
    fn no_mutation_of_a_certificate_does_harm() {
        let certificate = issued_by(&[(DnType::CommonName, utf8("Web Gateway CA"))]);
        for len in 0..certificate.len() {
            crate::fuzzing::certificate(&certificate[..len]);
        }
        mutations(&[certificate], 10_000, crate::fuzzing::certificate);
    }
}
