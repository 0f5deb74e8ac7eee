;; `select` is fused with `i32.eqz`, whose operand it then takes from the wrong place.
;; Expected of e(5, 1): 0.
(module
  (func (export "e") (param i64 i32) (result i32)
    i32.const 1
    local.set 1
    block
      i32.const 1
      i32.const 0
      local.get 1
      i32.eqz
      select
      local.set 1
    end
    local.get 1))
