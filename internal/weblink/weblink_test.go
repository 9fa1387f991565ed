package weblink

import "testing"

func TestForeign(t *testing.T) {
	const portal = "http://127.0.0.1:4567"
	for _, c := range []struct {
		link, grid, portal string
		good               bool
	}{
		{"https://api.flower.ai/device?user_code=AB-CD", "api.flower.ai", "", true},
		{"https://account.flower.ai/x", "api.flower.ai:443", "", true},
		{"https://flower.ai", "api.flower.ai", "", true},
		{"https://API.Flower.ai./x", "api.flower.ai", "", true},
		{"https://grid.hospital.example:8443/x", "grid.hospital.example:9093", "", true},
		{"https://10.0.0.5/x", "10.0.0.5:9093", "", true},
		{"https://[::1]/x", "[::1]:9093", "", true},
		{"https://superlink/x", "superlink", "", true},
		{portal + "/device?user_code=X", "127.0.0.1:9093", portal, true},

		{"http://api.flower.ai/x", "api.flower.ai", "", false},
		{"https://api.flower.ai@evil.example/x", "api.flower.ai", "", false},
		{"https://user:pw@api.flower.ai/x", "api.flower.ai", "", false},
		{"https://api.flower.ai.evil.example/x", "api.flower.ai", "", false},
		{"https://evilflower.ai/x", "api.flower.ai", "", false},
		{"https://evil.github.io/x", "grid.github.io", "", false},
		{"https://evil.co.uk/x", "grid.co.uk", "", false},
		{"https://evil.ai", "api.flower.ai", "", false},
		{`https://evil.example\@api.flower.ai/`, "api.flower.ai", "", false},
		{"https://api.flower.ai%2f@evil.example", "api.flower.ai", "", false},
		{"https://аpi.flower.ai/x", "api.flower.ai", "", false}, // a Cyrillic a
		{"https://10.0.0.6/x", "10.0.0.5", "", false},
		{"https://2.10.0.0.5/x", "10.0.0.5", "", false},
		{"https://other/x", "superlink", "", false},
		{"http://127.0.0.1:4568/x", "127.0.0.1", portal, false},
		{"http://127.0.0.1.evil.example:4567/x", "127.0.0.1", portal, false},
		{"http://localhost:4567/x", "127.0.0.1", portal, false},
		{"http://127.0.0.1:4567/x", "127.0.0.1", "", false},
		{"javascript:alert(1)", "api.flower.ai", "", false},
		{"file:///etc/passwd", "api.flower.ai", "", false},
		{"https:api.flower.ai", "api.flower.ai", "", false},
		{"https:///x", "api.flower.ai", "", false},
		{"//api.flower.ai/x", "api.flower.ai", "", false},
		{"--help", "api.flower.ai", "", false},
		{"https://api.flower.ai/\x1b[31m", "api.flower.ai", "", false},
		{"https://api.flower.ai/\u202e", "api.flower.ai", "", false},
		{"https://evil.example/", "", "", false},
		{"mailto:a@flower.ai", "api.flower.ai", "", false},
		{"", "", "", false},
	} {
		if why := Foreign(c.link, c.grid, c.portal); (why == "") != c.good {
			t.Errorf("%q of %q: %q", c.link, c.grid, why)
		}
	}
}

func TestBad(t *testing.T) {
	for link, good := range map[string]bool{
		"https://flower.ai/docs/": true, "mailto:hello@flower.ai": true, "http://127.0.0.1:1/x#c=1": true, "http://[::1]:1/": true, "http://localhost:8080": true,
		"http://flower.ai": false, "-x": false, "ftp://x": false, "https://a@b": false, "data:text/html,x": false, "vscode://x": false, "https://x/'": false,
	} {
		if why := Bad(link); (why == "") != good {
			t.Errorf("%q: %q", link, why)
		}
	}
}
