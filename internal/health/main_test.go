package health

import (
	"testing"

	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }
