//! SHA-256 (FIPS 180-4) of four mebibytes of zeros, for scripts/bench.sh: arithmetic on 32-bit words.
//! Convention: command (WASI).

use std::hint::black_box;

const MEBIBYTES: usize = 4;

/// The first 32 bits of the fractional part of the `root`-th root of `n`, in integers, so that no table has to be
/// believed: FIPS 180-4 defines its constants so.
fn fraction(n: u128, root: u32) -> u32 {
    // The largest x with x^root <= n * 2^(32 * root), bit by bit.
    let power = |x: u128| (1..root).try_fold(x, |product, _| product.checked_mul(x));
    let most = n << (32 * root);
    let mut x = 0;
    for bit in (0..36).rev() {
        let next = x | 1 << bit;
        if power(next).is_some_and(|product| product <= most) {
            x = next;
        }
    }
    x as u32
}

fn primes() -> impl Iterator<Item = u128> {
    (2..).filter(|n: &u128| (2..*n).all(|divisor| n % divisor != 0))
}

fn block(state: &mut [u32; 8], constants: &[u32; 64], block: &[u8]) {
    let mut w = [0; 64];
    for (word, bytes) in w.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for t in 16..64 {
        let (early, late) = (w[t - 15], w[t - 2]);
        let small0 = early.rotate_right(7) ^ early.rotate_right(18) ^ early >> 3;
        let small1 = late.rotate_right(17) ^ late.rotate_right(19) ^ late >> 10;
        w[t] = small1.wrapping_add(w[t - 7]).wrapping_add(small0).wrapping_add(w[t - 16]);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, constant) in w.iter().zip(constants) {
        let big1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = e & f ^ !e & g;
        let one = h.wrapping_add(big1).wrapping_add(choice).wrapping_add(*constant).wrapping_add(*word);
        let big0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let two = big0.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
    }
    for (sum, word) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *sum = sum.wrapping_add(word);
    }
}

fn main() {
    let mut constants = [0; 64];
    for (constant, prime) in constants.iter_mut().zip(primes()) {
        *constant = fraction(prime, 3);
    }
    let mut state = [0; 8];
    for (word, prime) in state.iter_mut().zip(primes()) {
        *word = fraction(prime, 2);
    }

    // Whole blocks, so that the padding is a block of its own.
    let bytes = black_box(vec![0; MEBIBYTES << 20]);
    for whole in bytes.chunks_exact(64) {
        block(&mut state, &constants, whole);
    }
    let mut padding = [0; 64];
    padding[0] = 0x80;
    padding[56..].copy_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    block(&mut state, &constants, &padding);

    for word in state {
        print!("{word:08x}");
    }
    println!();
}
