// Package memo keeps answers that are dear to ask for, such as a grid's.
package memo

import (
	"sync"
	"time"
)

// Answer is one answer with its age.
type Answer[T any] struct {
	asking sync.Mutex // held while it is asked, which may take long
	mu     sync.Mutex // guards what follows
	value  T
	err    error
	at     time.Time // of the last try
	good   time.Time // of value
}

// Get returns the answer, asking again when the last one is older than maxAge. After an error the last
// good value comes with it.
func (a *Answer[T]) Get(maxAge time.Duration, ask func() (T, error)) (T, time.Time, error) {
	if a.young(maxAge) {
		return a.Last()
	}
	a.asking.Lock()
	defer a.asking.Unlock()
	if a.young(maxAge) { // somebody else has asked while we waited
		return a.Last()
	}
	value, err := ask()
	a.mu.Lock()
	a.at, a.err = time.Now(), err
	if err == nil {
		a.value, a.good = value, a.at
	}
	a.mu.Unlock()
	return a.Last()
}

func (a *Answer[T]) young(maxAge time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.at.IsZero() && time.Since(a.at) < maxAge
}

// Last returns the last good value, its time, and the error of the last try.
func (a *Answer[T]) Last() (T, time.Time, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.value, a.good, a.err
}

// Forget makes the next Get ask, however young the answer is.
func (a *Answer[T]) Forget() {
	a.mu.Lock()
	a.at = time.Time{}
	a.mu.Unlock()
}

// Reset forgets the answer as if nothing had ever been asked.
func (a *Answer[T]) Reset() {
	a.asking.Lock()
	defer a.asking.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	var none T
	a.value, a.err, a.at, a.good = none, nil, time.Time{}, time.Time{}
}
