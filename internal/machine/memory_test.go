package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryFree(t *testing.T) {
	const meminfo = "MemTotal: 2000000 kB\nMemFree: 100 kB\nMemAvailable:    1000000 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
		ok    bool
	}{
		"no Linux":   {nil, 0, false},
		"no limit":   {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 1000000 << 10, true},
		"no cgroups": {map[string]string{"proc/meminfo": meminfo}, 1000000 << 10, true},
		"its group": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "100000\n",
			"sys/fs/cgroup/a/b/memory.current": "60000\n", "sys/fs/cgroup/a/b/memory.stat": "anon 5\ninactive_file 10000\n"}, 50000, true},
		"a group above": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "3000\n",
			"sys/fs/cgroup/a/memory.current": "1000\n", "sys/fs/cgroup/a/b/memory.max": "max\n"}, 2000, true},
		"a container": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/host/path\n", "sys/fs/cgroup/memory.max": "5000\n",
			"sys/fs/cgroup/memory.current": "6000\n"}, 0, true},
		"cgroup v1": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/d\n", "sys/fs/cgroup/memory/d/memory.limit_in_bytes": "900\n",
			"sys/fs/cgroup/memory/d/memory.usage_in_bytes": "500\n", "sys/fs/cgroup/memory/d/memory.stat": "total_inactive_file 100\n"}, 500, true},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			file = filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := memoryFree(root); got != c.want || ok != c.ok {
			t.Errorf("%s: %d %v, not %d %v", name, got, ok, c.want, c.ok)
		}
	}
}
