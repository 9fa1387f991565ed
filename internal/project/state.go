package project

import "errors"

// EnsureStateDir makes StateDir(dir) (mode 0700) and gives its path.
func EnsureStateDir(dir string) (string, error) { return "", errors.New("not yet") }

// ID gives the id of the project in dir on this machine, made at the first call.
func ID(dir string) (string, error) { return "", errors.New("not yet") }

// Lock keeps other flwrups from acting in dir.
func Lock(dir string) (unlock func(), err error) { return nil, errors.New("not yet") }

// Mark puts flwrup's mark on a folder it made; kind says what the folder is.
func Mark(dir, kind string) error { return errors.New("not yet") }

// Marked tells whether dir carries flwrup's mark for kind.
func Marked(dir, kind string) bool { return false }

// RemoveMarked deletes dir and all in it, when it carries flwrup's mark.
func RemoveMarked(dir string) error { return errors.New("not yet") }

// Find gives the project folder for start: start itself, else its rehearsal.
func Find(start string) (dir string, ok bool) { return "", false }
