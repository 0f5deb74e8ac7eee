;; The same function twice: once cheap, once as a CPU-bound guest whose cost grows with its result.
;; Convention: numeric.
;;
;;   fuelbox run fibonacci.wasm fibonacci 90              prints 2880067194370816120
;;   fuelbox run fibonacci.wasm fibonacci_recursive 20    prints 6765, after 21891 calls
;;
;; Both give 0 for n <= 0. Results fit an i64 up to n = 92 and wrap around above.
(module
  ;; Iterative: n rounds, so any i32 finishes, though a large one needs much fuel.
  (func (export "fibonacci") (param $n i32) (result i64)
    (local $current i64)
    (local $next i64)
    (local $sum i64)
    (local.set $next (i64.const 1))
    (block $done
      (loop $round
        (br_if $done (i32.le_s (local.get $n) (i32.const 0)))
        (local.set $sum (i64.add (local.get $current) (local.get $next)))
        (local.set $current (local.get $next))
        (local.set $next (local.get $sum))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $round)))
    (local.get $current))

  ;; Naive on purpose: an exponential number of calls, and almost nothing but calls.
  (func $recursive (export "fibonacci_recursive") (param $n i32) (result i64)
    (if (i32.le_s (local.get $n) (i32.const 1))
      (then (return (i64.extend_i32_u (i32.eq (local.get $n) (i32.const 1))))))
    (i64.add
      (call $recursive (i32.sub (local.get $n) (i32.const 1)))
      (call $recursive (i32.sub (local.get $n) (i32.const 2))))))
