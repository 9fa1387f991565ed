// Package keys looks after the key pairs of SuperNodes: ECDSA on P-384 in OpenSSH format. The private half
// has mode 0600 in a folder of mode 0700; the public half is NAME.pub, without a comment. The package finds
// keys and names their faults, makes missing pairs, backs them up and restores them. It also edits the two
// files of Flower's authentication example (certificate.conf, generate_auth_keys.sh).
//
// No existing file is ever replaced. A file gets its name only when it is complete and on disk, by a call
// that fails when the name is taken. So two runs at once, a kill at any moment or a symlink in the way cannot
// cost a key.
package keys

import (
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// The kinds of Issue and of Problem that only this package knows.
const (
	HalfPair     problem.Code = "key-public-missing"  // the public half is missing; Complete writes it
	NoPrivate    problem.Code = "key-private-missing" // a public key whose private key is not here
	Mismatch     problem.Code = "key-mismatch"        // private and public half belong to different keys
	WrongKey     problem.Code = "key-wrong-type"      // not ECDSA on P-384
	PEMKey       problem.Code = "key-pem"             // PEM or another format instead of OpenSSH's
	Passphrase   problem.Code = "key-passphrase"      // a SuperNode cannot ask for a passphrase
	Damaged      problem.Code = "key-damaged"         // not a key, or cut off
	Unreadable   problem.Code = "key-unreadable"      // no permission, or not a plain file
	Symlink      problem.Code = "key-symlink"         // flwrup does not read or write keys through links
	LooseMode    problem.Code = "key-loose-mode"      // others on this machine can read; FixModes
	SameKey      problem.Code = "key-twice"           // another file holds the same key; harmless
	ServerKey    problem.Code = "key-of-superlink"    // a SuperLink's own key; harmless
	HasComment   problem.Code = "key-comment"         // the public key has a comment; harmless
	Leftover     problem.Code = "key-leftover"        // unfinished file of a run that was killed; harmless
	DiskFull     problem.Code = "disk-full"           // no space, or over quota
	NotWritable  problem.Code = "not-writable"        // no permission, or a read-only file system
	FileExists   problem.Code = "file-exists"         // refused, because it would replace a file
	BackupBad    problem.Code = "backup-bad"          // not an age file, tampered with, or no archive of keys
	BackupLocked problem.Code = "backup-locked"       // wrong passphrase or identity
	BackupStale  problem.Code = "backup-stale"        // keys were made or changed after the backup
)

// Pair is a key pair that flwr accepts.
type Pair struct {
	Name            string    // file name of the private key
	Number          int       // the digits at the end of Name; 0 where there are none
	Private, Public string    // absolute paths
	Fingerprint     string    // SHA256:… as ssh-keygen -l shows it
	Made            time.Time // when the private key was last written
}

// Issue is a fault, or a fact worth knowing, of one file of the folder.
type Issue struct {
	File     string // absolute path
	Harmless bool   // nothing has to be done
	Problem  *problem.Problem
}

// Folder is what Scan found.
type Folder struct {
	Dir    string
	Pairs  []Pair   // usable ones, by number, then name; each key once
	Others []Pair   // whole pairs that are not a SuperNode's own: copies, a SuperLink's
	Halves []string // names of good private keys whose public half is missing: Complete or Generate writes it
	Issues []Issue  // by file name

	taken []string // names of all files, without .pub: none is used again
}

// show makes a path of the user's safe for a terminal.
func show(path string) string { return termsafe.Line(path) }
