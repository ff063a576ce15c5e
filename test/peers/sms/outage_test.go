//go:build peers

package sms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/postgres/managed"
	"shaoying/internal/privacy"
	"shaoying/test/world"
)

// TestDatabaseAwayUnderKannel stops the database for ten seconds, a minute in
// soak, while 500 texts come in: none is lost or doubled, each sender's keep
// their order (promise R6).
func TestDatabaseAwayUnderKannel(t *testing.T) {
	needKannel(t)
	away := 10 * time.Second
	if os.Getenv("SHAOYING_SOAK") != "" {
		away = time.Minute
	}
	const senders, each = 50, 10
	dir, err := os.MkdirTemp("", "shaoying-test-")
	world.Must(t, err)
	t.Cleanup(func() { world.Must(t, os.RemoveAll(dir)) })
	world.Must(t, os.Chmod(dir, 0o755)) // the database runs as another user
	ctx := context.Background()
	start := func() *managed.Server {
		server, err := managed.Open(ctx, managed.Config{Dir: filepath.Join(dir, "db"), Log: slog.New(slog.DiscardHandler)})
		world.Must(t, err)
		return server
	}
	server := start()
	defer func() { world.Must(t, server.Stop(ctx)) }()
	dsn := server.DSN(managed.Database)
	bin, err := world.Build(dir)
	world.Must(t, err)
	w, err := world.New(bin, dir)
	world.Must(t, err)
	p := newPost(t)
	p.to = "http://" + w.Addr
	c := newCentre(t)
	k := startKannel(t, p.URL+"/bots/kannel", nil)
	w.Configure(t, configuration(c, k, p, ""), append(secrets(), "DATABASE_URL="+dsn, privacy.KeyVariable+"="+strings.Repeat("5a", privacy.MasterSize))...)
	program, err := w.Start()
	world.Must(t, err)
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("SHAOYING_TEST_LOGS") != "" {
			t.Log(w.Logs())
		}
		_, err := program.Stop()
		world.Must(t, err)
	})
	f := k.fake(t)
	text := func(sender, n int) string { return fmt.Sprintf("第%d位说第%d句", sender, n) }
	say := func(n int) {
		for sender := range senders {
			f.says(t, fmt.Sprint(8613900000000+sender), ours, text(sender, n))
		}
	}
	pace := time.NewTicker(away / each)
	defer pace.Stop()
	say(0)
	<-pace.C
	world.Must(t, server.Stop(ctx))
	gone := time.NewTimer(away)
	for n := 1; n < each; n++ {
		say(n)
		<-pace.C
	}
	<-gone.C
	server = start()

	var rows []string
	read := func() error {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		found, err := conn.Query(ctx, `select event_key from inbox where channel = 'kannel' and state = 'done' order by id`)
		if err == nil {
			rows, err = pgx.CollectRows(found, pgx.RowTo[string])
		}
		return errors.Join(err, conn.Close(ctx))
	}
	until(t, "all texts", func() bool {
		world.Must(t, read())
		return len(rows) >= senders*each
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	next := make([]int, senders)
	for _, key := range rows {
		words, known := "", false
		for id, said := range p.wrote {
			if strings.HasSuffix(key, id) {
				words, known = said, true
			}
		}
		var sender, n int
		if _, err := fmt.Sscanf(words, "第%d位说第%d句", &sender, &n); !known || err != nil {
			t.Fatalf("row %q is of no text: %q", key, words)
		}
		if n != next[sender] {
			t.Errorf("of sender %d text %d came where %d was due", sender, n, next[sender])
		}
		next[sender] = n + 1
	}
	if len(rows) != senders*each {
		t.Errorf("%d rows, want %d", len(rows), senders*each)
	}
}
