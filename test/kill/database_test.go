//go:build kill

package kill

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/postgres/managed"
	"shaoying/internal/privacy"
	"shaoying/test/world"
)

// master is the secret key of every run, so that the ledger can open words.
var master = strings.Repeat("5a", privacy.MasterSize)

// database is a PostgreSQL server of one test's own, with fsync on, and the
// city in it. Its data outlives crashes; who looks after it starts it again.
type database struct {
	server *managed.Server
	data   string
	dsn    string
	keys   *privacy.Keys
}

// newDatabase starts a server, brings it to the schema and imports the places
// of the city. It ends with the test.
func newDatabase(t *testing.T) *database {
	t.Helper()
	dir := filepath.Join(bench.dir, strings.ReplaceAll(t.Name(), "/", "_"))
	server, err := managed.Open(t.Context(), managed.Config{
		Dir: dir, Log: slog.New(slog.DiscardHandler), Settings: map[string]string{"max_connections": "200"},
	})
	world.Must(t, err)
	d := &database{server: server, data: filepath.Join(dir, "postgres", "data"), dsn: server.DSN(managed.Database)}
	raw, err := hex.DecodeString(master)
	world.Must(t, err)
	d.keys, err = privacy.NewKeys(raw)
	world.Must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		world.Must(t, errors.Join(<-done, server.Stop(context.Background()), os.RemoveAll(dir)))
	})
	d.furnish(t)
	return d
}

// furnish imports the divisions, by the program itself.
func (d *database) furnish(t *testing.T) {
	t.Helper()
	root, err := world.Root()
	world.Must(t, err)
	files, err := filepath.Glob(filepath.Join(root, "configs", "places", "*.csv"))
	world.Must(t, err)
	w := &world.World{Bin: bench.real, Data: t.TempDir(), Env: d.env()}
	if out, err := w.Run(append([]string{"import", "divisions"}, files...)...); err != nil {
		t.Fatalf("import the divisions: %v\n%s", err, out)
	}
}

// env leads a program to this database.
func (d *database) env() []string {
	return []string{"DATABASE_URL=" + d.dsn, privacy.KeyVariable + "=" + master}
}

// crash ends the server at once, as `pg_ctl stop -m immediate` does: the
// postmaster gets SIGQUIT, nothing is written, and the next start recovers.
func (d *database) crash() error {
	text, err := os.ReadFile(filepath.Join(d.data, "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("find the database server: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return fmt.Errorf("find the database server: postmaster.pid begins with %q", first)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		return fmt.Errorf("crash the database server: %w", err)
	}
	return nil
}

// look runs f on a connection of its own.
func (d *database) look(ctx context.Context, f func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, d.dsn)
	if err != nil {
		return fmt.Errorf("look into the database: %w", err)
	}
	return errors.Join(f(conn), conn.Close(ctx))
}

// unrest counts what is not done yet: events that wait, and messages that were
// neither sent nor given up.
const unrest = `select (select count(*) from inbox where state = 'waiting')
	+ (select count(*) from outbox where state in ('queued', 'sending'))`

// rest waits until everything has been done. A database that is just coming
// back is waited for as well.
func (d *database) rest(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	var left int64
	for {
		err := d.look(ctx, func(c *pgx.Conn) error { return c.QueryRow(ctx, unrest).Scan(&left) })
		if err == nil && left == 0 {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%d events and messages are not done after %s: %w", left, patience, errors.Join(ctx.Err(), err))
		}
	}
}
