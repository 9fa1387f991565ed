package keys

import (
	"runtime/debug"
	"sync"
)

// PassphraseMemory is what a passphrase takes while a backup is made or opened, in bytes: scrypt's table for
// passphraseWork (age: N·r·128 with r = 8), and a little.
const PassphraseMemory = 1<<passphraseWork*8*128 + 32<<20

var scrypt sync.Mutex // held while a passphrase is worked on: two tables at a time are never needed

// alone does what may work on a passphrase, and gives the memory back to the system before anything else takes
// as much. The garbage collector would keep it for minutes.
func alone(do func()) {
	scrypt.Lock()
	defer scrypt.Unlock()
	defer debug.FreeOSMemory()
	do()
}
