// Command ticker is the only program of the image that the tests of a private daemon use: it counts,
// and stands in for flower-supernode.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if _, err := os.ReadFile("/run/supernode/key"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	started := time.Now().UnixNano()
	for i := 0; ; i++ {
		fmt.Println("tick", started, i)
		select {
		case <-end:
			fmt.Println("bye")
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}
