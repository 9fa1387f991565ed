package fleet

import "testing"

func TestSettingsThatDoNotFit(t *testing.T) {
	for key, bad := range map[string][]string{"memory": {"2", "lots", "2gb"}, "cpus": {"0", "many"}, "gpus": {"one"}, "env": {"A=1", "1A"}, "data": {"here", "here:there", "here:/app", "a:/run/supernode"},
		"node-config": {"a\x1b[2J"}} {
		for _, v := range bad {
			if checked(key)(v) == nil {
				t.Errorf("%s takes %q", key, v)
			}
		}
	}
	for key, good := range map[string]string{"memory": "512m", "cpus": "1.5", "gpus": "device=0,1", "env": "TOKEN", "data": "a b:/data:rw", "node-config": "a=1 b='c d'"} {
		if err := checked(key)(good); err != nil {
			t.Errorf("%s: %q: %v", key, good, err)
		}
	}
}
