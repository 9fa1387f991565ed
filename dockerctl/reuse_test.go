package dockerctl

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestConnectionsAreReused: one look after the other needs one connection. Through ssh each is a process and a login,
// and an sshd drops them when there are too many.
func TestConnectionsAreReused(t *testing.T) {
	var connections atomic.Int32
	long := strings.Repeat(" ", 8<<10) // behind the object, so that its end is not in the same read
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Api-Version", "1.41")
		switch path := q.URL.Path; {
		case strings.HasSuffix(path, "/containers/json"):
			fmt.Fprint(w, `[{"Id":"c1"}]`)
		case strings.HasSuffix(path, "/stats"):
			fmt.Fprint(w, `{"read":"2026-11-27T12:00:00Z","cpu_stats":{"cpu_usage":{"total_usage":1}},"memory_stats":{"usage":5}}`)
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
			fmt.Fprint(w, long)
		case strings.HasSuffix(path, "/json"):
			fmt.Fprint(w, `{"Id":"c1","Name":"/c1","State":{"Running":true},"Config":{"Labels":{"flwrup.node":"n","flwrup.project":"reuse"}},"HostConfig":{}}`)
		default:
			fmt.Fprint(w, `{}`)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	r, err := New(context.Background(), Options{Project: "reuse", Host: "tcp://" + s.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 10 {
		if u, err := r.Usage(t.Context(), "n"); err != nil || u.Memory != 5 {
			t.Fatalf("%+v %v", u, err)
		}
	}
	if n := connections.Load(); n > 2 {
		t.Errorf("ten looks took %d connections", n)
	}
}
