package archtest

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// The house as it stands.
func TestHouse(t *testing.T) {
	all, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d files were read", len(all))
	}
	for _, breach := range check(all) {
		t.Error(breach)
	}
}

// Every rule bites: a file that breaks it is named, one that keeps it is not.
func TestRules(t *testing.T) {
	for _, tc := range []struct{ name, file, body, want string }{
		{"down is free", "internal/gateway/x.go", `import _ "shaoying/internal/postgres"`, ""},
		{"skipping levels is free", "cmd/shaoying/x.go", `import _ "shaoying/internal/clock"`, ""},
		{"up", "internal/postgres/x.go", `import _ "shaoying/internal/gateway"`, "does not lie below internal/postgres"},
		{"up from the ground", "internal/privacy/x.go", `import _ "shaoying/configs"`, "does not lie below"},
		{"beside", "internal/api/x.go", `import _ "shaoying/internal/console"`, "does not lie below"},
		{"peers", "scheduler/x.go", `import _ "shaoying/configs"`, ""},
		{"own parts", "internal/postgres/x.go", `import _ "shaoying/internal/postgres/db"`, ""},
		{"parts of one house", "internal/postgres/pgtest/x.go", `import _ "shaoying/internal/postgres/managed"`, ""},
		{"due kinds use the gateway", "scheduler/jobs/x.go", `import _ "shaoying/internal/gateway"`, ""},
		{"the scheduler does not use its jobs", "scheduler/x.go", `import _ "shaoying/scheduler/jobs"`, "does not lie below"},
		{"actions use tickets", "internal/actions/x.go", `import _ "shaoying/internal/ticket"`, ""},
		{"no layer", "internal/misc/x.go", ``, "is in no layer"},
		{"no layer below internal", "internal/postgresql/x.go", ``, "is in no layer"},

		{"contract with a library", "bots/x.go", `import _ "golang.org/x/text/width"`, "standard library only"},
		{"contract with our own", "bots/x.go", `import _ "shaoying/internal/privacy"`, "standard library only"},
		{"contract with the standard library", "bots/x.go", `import _ "net/http"`, ""},
		{"channel with its library", "bots/telegram/x.go", `import (_ "github.com/go-telegram/bot"; _ "shaoying/internal/outbound"; _ "shaoying/bots")`, ""},
		{"channel with the gateway", "bots/telegram/x.go", `import _ "shaoying/internal/gateway"`, "a channel imports only"},
		{"first of two", "bots/telegram/x.go", `import (_ "shaoying/internal/gateway"; _ "shaoying/bots")`, "a channel imports only"},
		{"channel with configs", "bots/telegram/x.go", `import _ "shaoying/configs"`, "a channel imports only"},
		{"channel with another", "bots/telegram/x.go", `import _ "shaoying/bots/webchat"`, "a channel imports only"},
		{"channel with its own part", "bots/wechat/x.go", `import _ "shaoying/bots/wechat/wechatfake"`, ""},

		{"pure with files", "internal/ticket/x.go", `import _ "os"`, "is pure"},
		{"pure with the clock", "internal/ticket/x.go", `import _ "shaoying/internal/clock"`, "is pure"},
		{"driver outside", "internal/gateway/x.go", `import _ "github.com/jackc/pgx/v5"`, "only internal/postgres does"},
		{"driver inside", "internal/postgres/db/x.go", `import _ "github.com/jackc/pgx/v5"`, ""},
		{"driver of the test databases", "internal/postgres/pgtest/x.go", `import _ "github.com/jackc/pgx/v5"`, ""},

		{"time.Now", "internal/gateway/x.go", "import \"time\"\nvar x = time.Now()", "x.go:3:9: time.Now outside internal/clock"},
		{"time.Now as a value", "internal/gateway/x.go", "import \"time\"\nvar x = time.Now", "time.Now outside"},
		{"time.Now under another name", "internal/gateway/x.go", "import t \"time\"\nvar x = t.Since", "time.Since outside"},
		{"another Now", "internal/gateway/x.go", "import time \"shaoying/internal/clock\"\nvar x = time.Now", ""},
		{"the clock itself", "internal/clock/x.go", "import \"time\"\nvar x = time.Now()", ""},
		{"the clock of test help", "internal/postgres/pgtest/x.go", "import \"time\"\nvar x = time.Now()", ""},
		{"durations", "internal/gateway/x.go", "import \"time\"\nvar x = time.Second", ""},

		{"a client", "bots/telegram/x.go", "import \"net/http\"\nvar x = http.Client{}", "net/http.Client outside internal/outbound"},
		{"a quick get", "internal/api/x.go", "import \"net/http\"\nfunc f() { http.Get(\"x\") }", "net/http.Get outside"},
		{"a handler", "internal/api/x.go", "import \"net/http\"\nvar x http.Handler", ""},
		{"the client itself", "internal/outbound/x.go", "import \"net/http\"\nvar x http.Client", ""},

		{"init", "internal/app/x.go", "func init() {}", "init function"},
		{"a method named init", "internal/app/x.go", "type t int\nfunc (t) init() {}", ""},
		{"tests are free", "internal/gateway/x_test.go", "import \"time\"\nvar x = time.Now()", ""},
		{"testdata is free", "flows/testdata/x.go", "func init() {}", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tree := fstest.MapFS{tc.file: {Data: []byte("package x\n" + tc.body + "\n")}}
			all, err := load(tree)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(check(all), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}

func TestLoadNamesABrokenFile(t *testing.T) {
	_, err := load(fstest.MapFS{"internal/app/x.go": {Data: []byte("package x\nfunc {")}})
	if err == nil || !strings.Contains(err.Error(), "internal/app/x.go:2") {
		t.Fatalf("error %v", err)
	}
}
