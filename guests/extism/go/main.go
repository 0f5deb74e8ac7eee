// The same plug-in as in extism/rust, without a development kit: what Extism's host has to offer is declared
// here, as its documentation has it. A block that is a key, a value or a message is the host's from then on.
// Go 1.24 and newer make a WASI reactor of it.
package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

//go:wasmimport extism:host/env input_length
func inputLength() uint64

//go:wasmimport extism:host/env input_load_u8
func inputLoad(index uint64) uint32

//go:wasmimport extism:host/env alloc
func alloc(length uint64) uint64

//go:wasmimport extism:host/env length
func length(offset uint64) uint64

//go:wasmimport extism:host/env load_u8
func load(offset uint64) uint32

//go:wasmimport extism:host/env store_u8
func store(offset uint64, b uint32)

//go:wasmimport extism:host/env output_set
func outputSet(offset, length uint64)

//go:wasmimport extism:host/env error_set
func errorSet(offset uint64)

//go:wasmimport extism:host/env config_get
func configGet(key uint64) uint64

//go:wasmimport extism:host/env var_get
func varGet(key uint64) uint64

//go:wasmimport extism:host/env var_set
func varSet(key, value uint64)

//go:wasmimport extism:host/env log_info
func logInfo(offset uint64)

//go:wasmimport extism:host/env log_warn
func logWarn(offset uint64)

// block makes a block of the host's memory.
func block(bytes []byte) uint64 {
	offset := alloc(uint64(len(bytes)))
	for i, b := range bytes {
		store(offset+uint64(i), uint32(b))
	}
	return offset
}

// text reads a block; otherwise stands for none.
func text(offset uint64, otherwise string) string {
	if offset == 0 {
		return otherwise
	}
	bytes := make([]byte, length(offset))
	for i := range bytes {
		bytes[i] = byte(load(offset + uint64(i)))
	}
	return string(bytes)
}

func input() []byte {
	bytes := make([]byte, inputLength())
	for i := range bytes {
		bytes[i] = byte(inputLoad(uint64(i)))
	}
	return bytes
}

// Counts the vowels of the input, which "vowels" in the configuration lists.
//
//go:wasmexport count_vowels
func countVowels() int32 {
	vowels := text(configGet(block([]byte("vowels"))), "aeiouAEIOU")
	count := 0
	for _, r := range string(input()) {
		if strings.ContainsRune(vowels, r) {
			count++
		}
	}
	total, _ := strconv.Atoi(text(varGet(block([]byte("total"))), "0"))
	total += count
	varSet(block([]byte("total")), block([]byte(strconv.Itoa(total))))
	output := fmt.Sprintf(`{"count": %d, "total": %d, "vowels": "%s"}`, count, total, vowels)
	outputSet(block([]byte(output)), uint64(len(output)))
	return 0
}

// Turns the input round.
//
//go:wasmexport reverse
func reverse() int32 {
	bytes := input()
	slices.Reverse(bytes)
	outputSet(block(bytes), uint64(len(bytes)))
	return 0
}

// Fails, with a code and a message.
//
//go:wasmexport fail
func fail() int32 {
	errorSet(block(append([]byte("no use for: "), input()...)))
	return 3
}

// Writes the input to the log.
//
//go:wasmexport tell
func tell() int32 {
	logInfo(block(input()))
	logWarn(block(input()))
	return 0
}

func main() {}
