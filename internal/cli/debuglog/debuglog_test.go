package debuglog

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestHasNoSecret: keys and passwords in addresses do not reach the file, whatever carries them.
func TestHasNoSecret(t *testing.T) {
	var b bytes.Buffer
	log := logger(&b)
	key := "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAA\n-----END OPENSSH PRIVATE KEY-----"
	log.Debug("x", slog.Any("error", errors.New("bad key "+key)), "argv", []string{"pip", "https://ada:hunter2@index/simple", "AGE-SECRET-KEY-1QQQ"},
		"text", "\x1b[31m"+key, "took", 1500*time.Microsecond)
	for _, secret := range []string{"b3Blb", "hunter2", "1QQQ", `\u001b`} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q in %s", secret, b.String())
		}
	}
	if !strings.Contains(b.String(), `"took":"2ms"`) || !strings.Contains(b.String(), "https://…@index/simple") {
		t.Error(b.String())
	}
}
