;; Takes all the memory that it can get: the host must cap it, and say that it did.
;; Convention: numeric.
;;
;;   fuelbox run memory-hog.wasm hog       traps once a growth is denied
;;   fuelbox run memory-hog.wasm grow 3    prints 1, the size before in pages of 64 KiB (-1 when denied)
(module
  (memory (export "memory") 1)

  ;; One page at a time, each written to at once, so that the host cannot get away with lazy pages.
  (func (export "hog") (result i32)
    (local $page i32)
    (loop $more
      (local.set $page (memory.grow (i32.const 1)))
      (if (i32.eq (local.get $page) (i32.const -1))
        (then (unreachable)))
      (i32.store (i32.shl (local.get $page) (i32.const 16)) (i32.const -1))
      (br $more))
    (unreachable))

  (func (export "grow") (param $pages i32) (result i32)
    (memory.grow (local.get $pages))))
