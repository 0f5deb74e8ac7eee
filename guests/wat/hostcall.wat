;; Calls the host 10,000,000 times: each call writes one byte to standard output. With an argument, counts just
;; as far and makes no call. The difference in time is what the calls cost (scripts/bench-hostcall.sh).
;; Convention: command (WASI).
;;
;;   fuelbox run --timeout none --max-output 16MiB hostcall.wasm > /dev/null
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) ".")
  ;; The only vector: one byte at 0.
  (data (i32.const 8) "\00\00\00\00\01\00\00\00")

  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (if (i32.gt_u (i32.load (i32.const 16)) (i32.const 1))
      (then (call $count (i32.const 10000000)))
      (else (call $write (i32.const 10000000)))))

  (func $write (param $left i32)
    (loop $again
      (if (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 24))
        (then (unreachable)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))

  ;; What the call would give is read from memory, where it is always 0.
  (func $count (param $left i32)
    (loop $again
      (if (i32.load (i32.const 28))
        (then (unreachable)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))
