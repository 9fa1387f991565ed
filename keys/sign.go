package keys

import (
	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
)

// Signer returns a signer with the private key of p. A file whose key has changed since p was read is a Problem
// (Mismatch).
func Signer(p Pair) (ssh.Signer, error) {
	data, _, err := readKeyFile(p.Private)
	if err != nil {
		return nil, readProblem(p.Private, err)
	}
	public, bad := parsePrivate(data, p.Private)
	if bad != nil {
		return nil, bad
	}
	if ssh.FingerprintSHA256(public) != p.Fingerprint {
		return nil, problem.New(Mismatch, show(p.Private)+" has another key now", "it was replaced while flwrup looked at the folder", "run the same command again")
	}
	return ssh.ParsePrivateKey(data)
}
