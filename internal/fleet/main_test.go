package fleet

import (
	"testing"

	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// once is an Again on a grid whose login lasts.
func once(do func() error) error { return do() }
