// Prints as JSON what it was given: arguments, environment, and what lies in the folder that its last argument
// names.
// Convention: command (WASI). Exit code 1 when the folder cannot be read.
//
//	fuelbox run --dir some/folder::/data --env A=B report.wasm -- /data
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
)

type file struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Folder bool   `json:"folder"`
}

type report struct {
	Args  []string `json:"args"`
	Env   []string `json:"env"`
	Files []file   `json:"files"`
}

func main() {
	said, err := look()
	if err == nil {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(said)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func look() (report, error) {
	said := report{Args: os.Args[1:], Env: os.Environ(), Files: []file{}}
	sort.Strings(said.Env)
	if len(said.Args) == 0 {
		return said, nil
	}
	// ReadDir sorts by name.
	entries, err := os.ReadDir(said.Args[len(said.Args)-1])
	if err != nil {
		return said, err
	}
	for _, entry := range entries {
		found := file{Name: entry.Name(), Folder: entry.IsDir()}
		// What a folder's size means is the file system's affair.
		if !found.Folder {
			info, err := entry.Info()
			if err != nil {
				return said, err
			}
			found.Bytes = info.Size()
		}
		said.Files = append(said.Files, found)
	}
	return said, nil
}
