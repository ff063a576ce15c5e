//go:build acceptance

package acceptance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"shaoying/test/world"
)

// TestLogsHoldNoWords looks at everything that was logged while residents
// said what nobody else may read, in the tests before it: files run in the
// order of their names.
func TestLogsHoldNoWords(t *testing.T) {
	r := server.Resident(t)
	var secrets []string
	for i := range 15 {
		phone, name := fmt.Sprintf("139%08d", 40017003+i*1111), fmt.Sprintf("钱秘%d密", i)
		secrets = append(secrets, phone, name)
		r.Insist(fmt.Sprintf("我叫%s，电话%s", name, phone))
	}
	r.Await(time.Second, func(items []world.Item) bool { return len(items) >= 15 })
	secrets = append(secrets, "楼下水井盖", "走上去会响", "困在里面", "人工湖栏杆")
	logs := city.Logs()
	for _, s := range secrets {
		if strings.Contains(logs, s) {
			t.Errorf("the logs hold %q", s)
		}
	}
	if code, body := server.Get(t, "/metrics"); code != http.StatusOK || strings.Contains(body, secrets[0]) {
		t.Errorf("/metrics: %d", code)
	}
}
