package site_test

import (
	"testing"

	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }
