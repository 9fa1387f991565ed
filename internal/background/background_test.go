package background

import "testing"

func TestDark(t *testing.T) {
	for value, want := range map[string]bool{
		"": true, "15;0": true, "0;15": false, "0;default;15": false, "7;8": true, "0;7": false,
		"12;default": true, "0;": true, "1;x": true, "0;255": true,
	} {
		if got := Dark(value); got != want {
			t.Errorf("Dark(%q) = %v", value, got)
		}
	}
}
