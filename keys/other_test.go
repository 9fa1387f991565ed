//go:build !(linux || darwin)

package keys

func limitFileSize() {}
