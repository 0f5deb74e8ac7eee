//! Guests whose translation or calls cost more than their bytes: written as bytes, since the text of millions of
//! instructions takes a gigabyte.

const I32: u8 = 0x7f;
const I64: u8 = 0x7e;

/// A number as modules have it (LEB128). Without a sign: constants here are below 64.
fn number(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (n & 0x7f) as u8;
        n >>= 7;
        if n == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// `bytes` after their length.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&number(bytes.len()), bytes].concat()
}

/// A list of things.
fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [number(items.len()), items.concat()].concat()
}

fn ty(params: &[u8], results: &[u8]) -> Vec<u8> {
    [&[0x60][..], &sized(params), &sized(results)].concat()
}

/// A function's body with these groups of local variables.
fn body(locals: &[(usize, u8)], code: &[u8]) -> Vec<u8> {
    let groups: Vec<Vec<u8>> = locals.iter().map(|(n, ty)| [number(*n), vec![*ty]].concat()).collect();
    sized(&[&list(&groups)[..], code, &[0x0b]].concat())
}

/// A module of functions, by their types and bodies, of which `f` is exported.
fn module(types: &[Vec<u8>], functions: &[(usize, Vec<u8>)], f: usize) -> Vec<u8> {
    let (types_of, bodies): (Vec<_>, Vec<_>) =
        functions.iter().map(|(ty, body)| (number(*ty), body.clone())).unzip();
    let export = [b"\x01f\x00".to_vec(), number(f)].concat();
    let section = |id: u8, items: &[Vec<u8>]| [vec![id], sized(&list(items))].concat();
    let sections = [section(1, types), section(3, &types_of), section(7, &[export]), section(10, &bodies)];
    [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
}

/// Gets 32 of the local variables 1 to 31, in no order in which they lie somewhere.
fn gets() -> Vec<u8> {
    (0..32).flat_map(|k| [0x20, 1 + k * 7 % 31]).collect()
}

/// One local variable under `height` constants, and then `blocks` blocks with a parameter: for each of them, the
/// translator looks at all of the constants.
pub fn square(height: usize, blocks: usize) -> Vec<u8> {
    let parts = [
        b"\x20\x00".to_vec(),
        b"\x41\x00".repeat(height),
        b"\x02\x01\x0b".repeat(blocks),
        vec![0x1a; height + 1],
    ];
    let types = [ty(&[], &[]), ty(&[I32], &[I32])];
    module(&types, &[(0, body(&[(1, I32)], &parts.concat()))], 0)
}

/// Branches to the function's own label, each of which copies 32 results: `size` bytes in `count` functions.
pub fn copies(size: usize, count: usize) -> Vec<u8> {
    let code = [gets(), b"\x20\x00\x0d\x00".repeat(size / count / 4)].concat();
    let params = [&[I32][..], &[I64; 31]].concat();
    let function = (0, body(&[], &code));
    module(&[ty(&params, &[I64; 32])], &vec![function; count], 0)
}

/// As [`copies`], in a function without parameters: a client without arguments can call it.
pub fn copies_of_locals(size: usize) -> Vec<u8> {
    let code = [gets(), b"\x20\x00\x0d\x00".repeat(size / 4)].concat();
    module(&[ty(&[], &[I64; 32])], &[(0, body(&[(1, I32), (31, I64)], &code))], 0)
}

/// Calls, without end, of functions that call each other, `depth` of them; each has `count` local variables to zero.
pub fn zeroed(count: usize, depth: usize) -> Vec<u8> {
    let mut functions: Vec<(usize, Vec<u8>)> = (0..depth)
        .map(|k| {
            let next = k.checked_sub(1).map(|next| [vec![0x10], number(next)].concat());
            (0, body(&[(count, I64)], &next.unwrap_or_default()))
        })
        .collect();
    let call = [vec![0x10], number(depth - 1)].concat();
    let code = [b"\x03\x40".to_vec(), call.repeat(50), b"\x0c\x00\x0b".to_vec()].concat();
    functions.push((0, body(&[], &code)));
    module(&[ty(&[], &[])], &functions, depth)
}

/// Modules of about `size` bytes, each full of one thing.
pub fn full_of(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let none = || ty(&[], &[]);
    let one = |locals: &[(usize, u8)], code: &[u8]| module(&[none()], &[(0, body(locals, code))], 0);
    let fill = |what: &[u8]| what.repeat(size / what.len());
    let number_local = [(1, I32)];
    let kept = [b"\x20\x00".repeat(6_000), b"\x41\x00\x21\x00".to_vec(), vec![0x1a; 6_000]].concat();
    // The format allows 65,520 targets.
    let targets = [number(40_000), b"\x00\x01".repeat(20_000)].concat();
    let table = [b"\x02\x40\x02\x40\x20\x00\x0e".to_vec(), targets, b"\x00\x0b\x0b".to_vec()].concat();
    let wide = ty(&[I64; 32], &[]);
    let giving = ty(&[], &[I64; 32]);
    let calls = [gets(), vec![0x10, 0]].concat();
    let results = [vec![0x10, 0], vec![0x1a; 32]].concat();
    let nest = (0, body(&[], &[b"\x02\x40".repeat(4_000), vec![0x0b; 4_000]].concat()));
    let groups: Vec<(usize, u8)> = (0..300).map(|k| (1, if k % 2 == 0 { I32 } else { I64 })).collect();
    vec![
        ("clz", one(&number_local, &[b"\x20\x00".to_vec(), fill(b"\x67"), vec![0x1a]].concat())),
        ("loops", one(&[], &fill(b"\x03\x40\x0b"))),
        ("ifs", one(&number_local, &fill(b"\x20\x00\x04\x40\x05\x0b"))),
        (
            "branches",
            one(&number_local, &[b"\x02\x40".to_vec(), fill(b"\x20\x00\x0d\x00"), vec![0x0b]].concat()),
        ),
        ("kept", one(&number_local, &fill(&kept))),
        ("table", one(&number_local, &fill(&table))),
        ("constants", one(&[(1, I64)], &fill(b"\x42\x3f\x21\x00"))),
        ("nest", module(&[none()], &vec![nest; size / 12_000 + 1], 0)),
        ("locals", module(&[none()], &vec![(0, body(&groups, b"")); size / 600 + 1], 0)),
        ("functions", module(&[none()], &vec![(0, body(&[], b"")); (size / 4).min(20_000)], 0)),
        ("calls", module(&[none(), wide], &[(1, body(&[], b"")), (0, body(&[(32, I64)], &fill(&calls)))], 1)),
        (
            "results",
            module(
                &[none(), giving],
                &[(1, body(&[], &b"\x42\x00".repeat(32))), (0, body(&[], &fill(&results)))],
                1,
            ),
        ),
    ]
}
