//! Where the generator's decisions come from: a seed, or the bytes that libFuzzer gives.
//!
//! The same seed or the same bytes give the same decisions on every machine.

/// A stream of decisions.
pub struct Choices<'a> {
    bytes: Option<&'a [u8]>,
    state: u64,
}

impl<'a> Choices<'a> {
    /// Decisions from a seed, without end.
    pub fn seeded(seed: u64) -> Choices<'static> {
        Choices { bytes: None, state: seed }
    }

    /// Decisions from `bytes`. Each decision is 0 once they are used up; the generator takes that for the
    /// simplest choice, so that it ends.
    pub fn from_bytes(bytes: &'a [u8]) -> Choices<'a> {
        Choices { bytes: Some(bytes), state: 0 }
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        if self.bytes.is_some() { self.take(8) } else { self.splitmix() }
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        let bits = match self.bytes {
            None => self.splitmix() >> 32,
            Some(_) if n <= 256 => self.take(1),
            Some(_) => self.take(4),
        };
        (bits % n as u64) as usize
    }

    /// True in `percent` of a hundred cases. A decision of 0 is false.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of `all`, which is not empty.
    pub fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    /// An index of `weights`, more often where the weight is larger.
    pub fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut at = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            match at.checked_sub(*weight) {
                None => return index,
                Some(rest) => at = rest,
            }
        }
        0
    }

    /// Little-endian; zeroes after the end.
    fn take(&mut self, count: usize) -> u64 {
        let bytes = self.bytes.unwrap_or(&[]);
        let (now, later) = bytes.split_at(count.min(bytes.len()));
        self.bytes = Some(later);
        now.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// Sebastiano Vigna's SplitMix64 (public domain, <https://prng.di.unimi.it/splitmix64.c>).
    fn splitmix(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
