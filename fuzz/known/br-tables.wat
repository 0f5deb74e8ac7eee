;; `br_table` does not move the values that it passes if all of its labels are equally high, even where the
;; values lie higher than the labels expect. What the label takes is then what lies below them, and that
;; may be a number where it should be a reference.
;; Expected of e(5, 1): 1, as `ref.null` is passed. wasmi 2.0.0 takes 15 for the reference and gives 0.
(module
  (func (export "e") (param i64 i32) (result i32)
    block (result funcref i32)
      block (result funcref i32)
        local.get 0
        i64.const 3
        i64.mul
        ref.null func
        local.get 1
        i32.const 1
        i32.add
        local.get 1
        br_table 0 1
      end
    end
    drop
    ref.is_null))
