// Tells what it was asked, as an http.Handler under net/http/cgi. POST is answered with 201, GET with 200, all
// else with 405.
// Convention: command (WASI). The guests cgi-rust, cgi-c and cgi-zig do the same in their languages.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"os"
)

func tell(answer http.ResponseWriter, request *http.Request) {
	status := http.StatusOK
	switch request.Method {
	case "GET":
	case "POST":
		status = http.StatusCreated
	default:
		answer.Header().Set("Allow", "GET, POST")
		answer.Header().Set("Content-Type", "text/plain")
		answer.WriteHeader(http.StatusMethodNotAllowed)
		fmt.Fprintf(answer, "not %s\n", request.Method)
		return
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusInternalServerError)
		return
	}
	answer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	answer.Header().Set("X-Written-In", "Go")
	answer.WriteHeader(status)
	// The request's URL has SCRIPT_NAME before PATH_INFO.
	fmt.Fprintf(answer, "%s %s?%s\n", request.Method, os.Getenv("PATH_INFO"), request.URL.RawQuery)
	fmt.Fprintf(answer, "type: %s\n", request.Header.Get("Content-Type"))
	fmt.Fprintf(answer, "greeting: %s\n", request.Header.Get("X-Greeting"))
	fmt.Fprintf(answer, "%d bytes:\n", len(body))
	answer.Write(body)
}

func main() {
	if err := cgi.Serve(http.HandlerFunc(tell)); err != nil {
		fmt.Fprintln(os.Stderr, "cgi:", err)
		os.Exit(1)
	}
}
