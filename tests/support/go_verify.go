// Verify databases with maxminddb-golang: from standard input, each as its length in four bytes and its bytes; or a
// file named by the only argument. Answers a line for each: empty when it verifies, else the error. For a file, says
// on the error stream how many seconds it took to verify, once read.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang"
)

func verify(body []byte) (said string) {
	defer func() {
		if failure := recover(); failure != nil {
			said = fmt.Sprintf("panic: %v", failure)
		}
	}()
	reader, err := maxminddb.FromBytes(body)
	if err == nil {
		err = reader.Verify()
	}
	if err != nil {
		return strings.ReplaceAll("error: "+err.Error(), "\n", " ")
	}
	return ""
}

func main() {
	if len(os.Args) == 2 {
		body, err := os.ReadFile(os.Args[1])
		if err != nil {
			panic(err)
		}
		started := time.Now()
		fmt.Println(verify(body))
		fmt.Fprintf(os.Stderr, "%.4f\n", time.Since(started).Seconds())
		return
	}
	debug.SetMaxStack(16 << 20) // the verifier recurses on what it is given
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		var size uint32
		if binary.Read(in, binary.BigEndian, &size) != nil {
			return
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(in, body); err != nil {
			panic(err)
		}
		done := make(chan string, 1)
		go func() { done <- verify(body) }()
		select {
		case said := <-done:
			fmt.Println(said)
		case <-time.After(time.Second):
			fmt.Println("error: it does not end")
			os.Exit(3) // what hangs cannot be stopped
		}
	}
}
