use fuelbox_fuzz::{choices::Choices, generate::{make,Shape}, compare::*, reduce::reduce};
fn main(){
 std::panic::set_hook(Box::new(|_| {}));
 let a: Vec<u64> = std::env::args().skip(1).map(|x|x.parse().unwrap()).collect();
 let shape = Shape{block_params: a[0]!=0, guarded_selects:a[1]!=0, guarded_stores:a[1]!=0};
 let roads = Roads{fuelbox:a[2]!=0, work_arounds:a[3]!=0, plain:a[4]!=0};
 let (from,to,show)=(a[5],a[6],a[7]);
 let t=std::time::Instant::now(); let mut c=Counts::default();
 for seed in from..to { let m = make(&mut Choices::seeded(seed), shape);
  if let Some(d)=module(&m,roads,&mut c) { if c.differences<=show { println!("seed {seed} {} {} {:?}\n{}\n", d.road,d.function,d.args,d.what);
    let (w,d)=reduce(&m.wasm,&d,roads); println!("reduced: {} {:?}\n{}\n{}", d.function, d.args, d.what, wasmprinter::print_bytes(&w).unwrap());
 } }
 }
 println!("{c:?} {:?} {}/s", t.elapsed(), c.executions as f64/t.elapsed().as_secs_f64());
}
