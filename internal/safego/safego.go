// Package safego is the only way flwrup starts a goroutine, and how it sleeps: a panic in a bare goroutine would end the
// process with the terminal still raw.
package safego

import (
	"fmt"
	"runtime/debug"
)

// Panic is what a goroutine died of.
type Panic struct {
	Where string // the name given to Go
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("%s: panic: %v", p.Where, p.Value) }

// Go runs work in a goroutine. When work panics, report gets a *Panic instead of the process ending;
// report must not be nil and may be called from that goroutine.
func Go(name string, report func(error), work func()) {
	go func() {
		defer func() {
			if v := recover(); v != nil {
				report(&Panic{Where: name, Value: v, Stack: debug.Stack()})
			}
		}()
		work()
	}()
}
