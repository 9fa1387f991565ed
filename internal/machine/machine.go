// Package machine tells how much memory and disk this machine has left.
package machine
