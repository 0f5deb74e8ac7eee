;; The smallest useful guest: one exported function with number parameters.
;; Convention: numeric (arguments and results are plain numbers, no memory is shared).
;;
;;   fuelbox run add.wasm add 10 20    prints 30
(module
  ;; The sum wraps around at 32 bits, as i32.add does.
  (func (export "add") (param $a i32) (param $b i32) (result i32)
    (i32.add (local.get $a) (local.get $b))))
