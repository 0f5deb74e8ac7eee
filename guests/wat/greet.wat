;; Bytes in, bytes out, by hand: answers "Hello, " followed by the input, whatever bytes that is.
;; Convention: packed. The host calls allocate(len), writes the input at the pointer it gets, and calls
;; greet(ptr, len), whose i64 result is (output pointer << 32) | output length.
;;
;;   fuelbox call greet greet --data World    prints Hello, World
;;
;; There is no deallocate: an instance lives for one call, and its memory goes with it.
(module
  (memory (export "memory") 1)

  ;; Address 0 stays unused, so that a null pointer never looks like the greeting.
  (data (i32.const 8) "Hello, ")
  (global $greeting i32 (i32.const 8))
  (global $greeting_len i32 (i32.const 7))

  ;; The first free byte. An i64, because a full 4 GiB memory ends at 2^32, which an i32 would wrap to 0.
  (global $heap (mut i64) (i64.const 16))

  ;; Bump allocator: grows the memory when it must and traps when it may not.
  (func $allocate (export "allocate") (param $len i32) (result i32)
    (local $start i64)
    (local $end i64)
    (local $pages i32)
    (local.set $start (global.get $heap))
    (local.set $end (i64.add (local.get $start) (i64.extend_i32_u (local.get $len))))
    ;; Pages of 64 KiB that hold everything below $end, rounded up.
    (local.set $pages
      (i32.wrap_i64 (i64.shr_u (i64.add (local.get $end) (i64.const 65535)) (i64.const 16))))
    (if (i32.gt_u (local.get $pages) (memory.size))
      (then
        (if (i32.eq (memory.grow (i32.sub (local.get $pages) (memory.size))) (i32.const -1))
          (then (unreachable)))))
    (global.set $heap (local.get $end))
    (i32.wrap_i64 (local.get $start)))

  ;; A length within 7 bytes of 2^32 wraps $out_len, and the second memory.copy then traps: no such input exists.
  (func (export "greet") (param $ptr i32) (param $len i32) (result i64)
    (local $out i32)
    (local $out_len i32)
    (local.set $out_len (i32.add (global.get $greeting_len) (local.get $len)))
    (local.set $out (call $allocate (local.get $out_len)))
    (memory.copy (local.get $out) (global.get $greeting) (global.get $greeting_len))
    (memory.copy
      (i32.add (local.get $out) (global.get $greeting_len))
      (local.get $ptr)
      (local.get $len))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $out)) (i64.const 32))
      (i64.extend_i32_u (local.get $out_len)))))
