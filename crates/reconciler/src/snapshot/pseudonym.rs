//! Pseudonyms: what stands in the place of an address, the same for the same address and the same salt.

use crate::digest::hex;
use model::names::fold;
use sha2::{Digest, Sha256};
use std::hash::{BuildHasher, Hasher, RandomState};

/// The key under which one snapshot's pseudonyms are made. It stands in the file: it keeps tables made beforehand from
/// working and pseudonyms of two files from being compared, and does not keep anybody who holds the file from trying
/// whether an address that they think of is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Salt([u8; 32]);

/// How a pseudonym begins.
const MARK: &str = "redacted-";
/// The top-level domain of a hidden domain, which nobody can own (RFC 2606 §2).
const NOWHERE: &str = ".invalid";
/// Where the addresses of Slack's bots are, and how they begin (sheet S5).
const BOTS: (&str, &str) = ("botuser-", "@slack-bots.com");

impl Salt {
    /// A salt that nobody has had before.
    pub(super) fn random() -> Self {
        // Each `RandomState` is keyed by the operating system's randomness, which is the only such source in the
        // standard library; hashing several of its answers loses nothing of it.
        let mut hasher = Sha256::new();
        for state in std::iter::repeat_with(RandomState::new).take(8) {
            hasher.update(state.build_hasher().finish().to_be_bytes());
        }
        Self(hasher.finalize().into())
    }

    /// A given salt, for tests that must say the same twice.
    #[cfg(test)]
    pub(super) fn fixed(byte: u8) -> Self {
        Self([byte; 32])
    }

    pub(super) fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Reads 64 hexadecimal digits.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let mut salt = [0; 32];
        if text.len() != 2 * salt.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, pair) in salt.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(salt))
    }

    /// The pseudonym of a text, letter case and surrounding blanks aside. That of an address is shaped like one, so that
    /// whatever takes addresses takes it: `redacted-HASH@HASH.invalid`.
    pub(super) fn pseudonym(self, text: &str) -> String {
        let folded = fold(text);
        match domain(&folded) {
            Some(domain) => format!("{}@{}", self.local(&folded), self.domain(domain)),
            None => self.local(&folded),
        }
    }

    /// The pseudonym of an app's address, which still tells that it is one.
    pub(super) fn of_bot(self, address: &str) -> String {
        let local = self.local(&fold(address));
        format!("{}{local}{}", BOTS.0, BOTS.1)
    }

    /// What stands in the place of a folded domain.
    pub(super) fn domain(self, folded: &str) -> String {
        format!("{}{NOWHERE}", hex(self.mac(&format!("@{folded}")).split_at(8).0))
    }

    fn local(self, folded: &str) -> String {
        format!("{MARK}{}", hex(self.mac(folded).split_at(16).0))
    }

    /// HMAC-SHA-256 (RFC 2104).
    fn mac(self, text: &str) -> [u8; 32] {
        const BLOCK: usize = 64;
        let mut key = [0; BLOCK];
        for (slot, byte) in key.iter_mut().zip(self.0) {
            *slot = byte;
        }
        let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
        Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
    }
}

/// The domain of an address; `None` for what is none.
pub(super) fn domain(folded: &str) -> Option<&str> {
    let (local, domain) = folded.rsplit_once('@')?;
    let fits = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '@');
    (fits(local) && fits(domain)).then_some(domain)
}

/// Whether a text is the pseudonym of an address: what stands before and after its `@`.
pub(super) fn parts(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.split_once('@')?;
    (local.starts_with(MARK) && domain.ends_with(NOWHERE)).then_some((local, domain))
}

/// Whether a text is the pseudonym of an address, its domain shown or not.
pub(super) fn is_pseudonym(text: &str) -> bool {
    text.starts_with(MARK)
}

/// Whether an address is an app's.
pub(super) fn is_bot(address: &str) -> bool {
    let address = fold(address);
    address.starts_with(BOTS.0) && address.ends_with(BOTS.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_the_hmac_of_the_folded_address() {
        // RFC 4231 has no test case with a key of 32 bytes; this one is by openssl:
        // printf %s ada@acme.example | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b…
        let salt = Salt::fixed(0x0b);
        assert_eq!(salt.pseudonym(" Ada@Acme.example"), salt.pseudonym("ada@acme.example"));
        assert_eq!(
            hex(&salt.mac("ada@acme.example")),
            "a78e041cb7fc896e0c282776682838e1fad65e767305833387d8865f0d38ff04"
        );
        assert!(salt.pseudonym("ada@acme.example").starts_with("redacted-a78e041"));
        assert_ne!(salt.pseudonym("ada@acme.example"), Salt::fixed(1).pseudonym("ada@acme.example"));
    }

    #[test]
    fn what_is_no_address_gets_a_pseudonym_that_is_none() {
        let salt = Salt::fixed(1);
        assert!(parts(&salt.pseudonym("a@b.example")).is_some());
        for text in ["all people a@b.example", "@b", "a@", "a@b@c d", ""] {
            assert!(!salt.pseudonym(text).contains('@'), "{text}");
        }
    }

    #[test]
    fn a_salt_reads_back_and_no_two_are_alike() {
        let salt = Salt::random();
        assert_eq!(Salt::from_hex(&salt.to_hex()), Some(salt));
        assert_ne!(Salt::random(), salt);
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Salt::from_hex(text), None);
        }
    }
}
