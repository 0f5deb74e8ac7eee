// The smallest program of Go, for scripts/bench.sh: 2 MB of runtime, and a line.
// Convention: command (WASI).
//
//	fuelbox run hello-go.wasm
package main

import "fmt"

func main() {
	fmt.Println("Hello, World")
}
