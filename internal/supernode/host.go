package supernode

import (
	"net/url"
	"path"
)

// HostName returns the short name of a Docker host: the machine or the socket in its address, or the name of its
// context as it is.
func HostName(host string) string {
	u, err := url.Parse(host)
	switch {
	case err != nil || u.Scheme == "":
		return host
	case u.Host != "":
		return u.Host
	}
	return path.Base(u.Path)
}
