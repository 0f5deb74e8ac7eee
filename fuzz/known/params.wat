;; A local that lies below the parameters of an `if` is preserved only in the branch that sets it.
;; Expected of e(5, 1): 5. wasmi 2.0.0 gives what the cell held before, 15 here.
(module
  (func (export "e") (param i64 i32) (result i64)
    local.get 0
    i64.const 3
    i64.mul
    local.get 0
    i64.const 7
    i64.mul
    i64.add
    drop
    local.get 0
    i32.const 6
    local.get 1
    i32.eqz
    if (param i32)
      drop
      i64.const 1
      local.set 0
    else
      drop
    end))
