// Package machine reports how much memory and disk this machine has left.
package machine
