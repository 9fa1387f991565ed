package keys

import (
	"os"
	"runtime"
	"strings"

	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/strength"
)

const (
	// leastLetters is the shortest passphrase of a backup.
	leastLetters = 8
	// leastBits is the estimate below which a passphrase is refused. Each try costs an attacker a second of a
	// core and 256 MiB (passphraseWork): 23 bits are some three months.
	leastBits = 23
	// estimated is how many letters the estimate reads. Longer texts take too long while a person types.
	estimated = 32
)

// tooKnown are words that an attacker of these backups tries first.
var tooKnown = []string{"flower", "flwr", "flwrup", "supergrid", "supernode", "superlink", "client", "credentials", "hospital", "keys"}

// CheckPassphrase reports why a passphrase is too weak for a backup: a Problem (bad-input), or nil when it is
// strong enough. It judges how hard the passphrase is to guess, by words, names, dates, neighbouring keys and
// repetitions, not by its length. It is quick enough to run at every key press.
func CheckPassphrase(pass string) error {
	letters := []rune(pass)
	if len(letters) < leastLetters {
		return problem.New(problem.BadInput, "8 characters or more", "", "")
	}
	if bits(letters) < leastBits {
		return problem.New(problem.BadInput, "too easy to guess: take several words that do not belong together", "", "")
	}
	return nil
}

// bits estimates how hard letters are to guess; for a long text the stronger end counts.
func bits(letters []rune) float64 {
	if len(letters) <= estimated {
		return strength.Bits(string(letters), tooKnown)
	}
	return max(bits(letters[:estimated]), bits(letters[len(letters)-estimated:]))
}

// OpenToOthers reports a file with a secret that more users than its owner may read. It returns nil when they
// may not, and where the system has no such modes.
func OpenToOthers(file string) *problem.Problem {
	info, err := os.Stat(file)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o044 == 0 || !info.Mode().IsRegular() {
		return nil
	}
	return problem.New(problem.BadInput, "other users of this machine may read "+show(file), "its mode is "+strings.TrimPrefix(info.Mode().Perm().String(), "-"),
		"let its owner alone read it: chmod 600 "+shell.Path(file))
}
