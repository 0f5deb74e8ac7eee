//! Random bytes: from the system, or a seeded sequence.

use super::abi::Errno;

/// Where a guest's random bytes come from.
#[derive(Debug, Clone, Copy, Default)]
pub enum Entropy {
    /// The system's generator.
    #[default]
    System,
    /// Always this byte.
    Fixed(u8),
    /// The state of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    /// Reproducible, and no secret to anybody.
    Seeded(u64),
}

impl Entropy {
    /// The sequence of `seed`.
    pub fn seeded(seed: u64) -> Entropy {
        Entropy::Seeded(seed)
    }

    /// Fills `out`. EIO if the system has none.
    pub fn fill(&mut self, out: &mut [u8]) -> Result<(), Errno> {
        match self {
            Entropy::System => getrandom::fill(out).map_err(|_| Errno::Io)?,
            Entropy::Fixed(byte) => out.fill(*byte),
            Entropy::Seeded(state) => {
                for piece in out.chunks_mut(8) {
                    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mut z = *state;
                    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    piece.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..piece.len()]);
                }
            }
        }
        Ok(())
    }
}
