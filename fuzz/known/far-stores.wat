;; Address and value are one local that is still in the register, and the offset has more than 16 bits.
;; The translator panics: no operator stores a register to an address in the same register. As $store is
;; translated when it is first called, in the middle of a run, the panic ends the process.
(module
  (memory 2)
  (func $store (param i32)
    local.get 0
    i32.const 1
    i32.add
    local.tee 0
    local.get 0
    i32.store offset=65536)
  (func (export "e") (param i64 i32)
    local.get 1
    call $store))
