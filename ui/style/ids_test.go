package style

import "testing"

func TestShortIDs(t *testing.T) {
	const hash = "641ce2b047685e94592c936bbb890265c21ecfe491a3e9c6160ba806b8051411"
	for text, want := range map[string]string{
		"SuperNode ID: 11843878913437196669":                    "SuperNode ID: 1184…6669",
		"[RUN 1762309077582676982, ROUND 2] and " + hash + ".":  "[RUN 1762…6982, ROUND 2] and 641ce2b0….",
		"run 1762309077582676982.":                              "run 1762…6982.",
		"loss 0.12345678901234567 and 1762309077582676982.5":    "loss 0.12345678901234567 and 1762309077582676982.5",
		"/app/.flwr/runtime-envs/1762309077582676982":           "/app/.flwr/runtime-envs/1762309077582676982",
		"port 8080, 1234567890123456, deadbeef, sha256:" + hash: "port 8080, 1234567890123456, deadbeef, sha256:641ce2b0…",
		"": "",
	} {
		if got := ShortIDs(text, "…"); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
