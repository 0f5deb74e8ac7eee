;; A valid guest that never returns: the host must stop it, by fuel or by deadline.
;; Conventions: numeric (spin) and packed (greet, the name that the gateway calls by default).
;;
;;   fuelbox run infinite-loop.wasm spin
;;   fuelbox call infinite-loop greet --data World
(module
  (memory (export "memory") 1)

  (func (export "spin")
    (loop $forever
      (br $forever)))

  ;; Whole fresh pages for every request, so that an input of any size gets as far as the loop.
  (func (export "allocate") (param $len i32) (result i32)
    (local $page i32)
    (local.set $page
      (memory.grow (i32.add (i32.shr_u (local.get $len) (i32.const 16)) (i32.const 1))))
    (if (i32.eq (local.get $page) (i32.const -1))
      (then (unreachable)))
    (i32.shl (local.get $page) (i32.const 16)))

  (func (export "greet") (param $ptr i32) (param $len i32) (result i64)
    (loop $forever (result i64)
      (br $forever))))
