package keys

import (
	"runtime/debug"
	"sync"
)

// PassphraseMemory is how many bytes a passphrase takes while a backup is made or opened: scrypt's table for
// passphraseWork (age: N·r·128 with r = 8), and a little.
const PassphraseMemory = 1<<passphraseWork*8*128 + 32<<20

var scrypt sync.Mutex // held during work on a passphrase: two tables at a time are never needed

// alone runs work on a passphrase, and returns the memory to the system before anything else takes as much.
// The garbage collector would keep it for minutes.
func alone(do func()) {
	scrypt.Lock()
	defer scrypt.Unlock()
	defer debug.FreeOSMemory()
	do()
}
