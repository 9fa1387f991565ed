package dockerctl

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
)

// TestCallsAreNoted: the debug log has each call of the daemon with its outcome, and nothing of what was asked.
func TestCallsAreNoted(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer s.Close()
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	cli, err := endpoint{host: "tcp://" + strings.TrimPrefix(s.URL, "http://")}.client()
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	if _, err := cli.ContainerList(t.Context(), container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "secret"))}); err == nil {
		t.Fatal("a teapot lists containers")
	}
	if got := log.String(); !strings.Contains(got, "msg=docker method=GET path=/v") || !strings.Contains(got, "/containers/json status=418") || strings.Contains(got, "secret") {
		t.Error(got)
	}
}
