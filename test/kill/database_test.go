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
	"regexp"
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

// cluster is a PostgreSQL server of our own with fsync on. Its data outlives
// crashes; who looks after it starts it again.
type cluster struct {
	server *managed.Server
	dir    string
	stop   func() error
}

// seed is the database that is copied for every run: the schema, and the
// places of the city.
const seed = "seed"

// newCluster makes a server in dir and furnishes its seed.
func newCluster(ctx context.Context, dir string) (*cluster, error) {
	server, err := managed.Open(ctx, managed.Config{
		Dir: dir, Log: slog.New(slog.DiscardHandler), Settings: map[string]string{"max_connections": "500"},
	})
	if err != nil {
		return nil, fmt.Errorf("start a database server: %w", err)
	}
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- server.Run(watch) }()
	c := &cluster{server: server, dir: dir, stop: func() error {
		cancel()
		return errors.Join(<-done, server.Stop(context.Background()), os.RemoveAll(dir))
	}}
	if err := c.furnish(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// furnish makes the seed by the program itself.
func (c *cluster) furnish(ctx context.Context) error {
	root, err := world.Root()
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(root, "configs", "places", "*.csv"))
	if err != nil {
		return fmt.Errorf("find the places: %w", err)
	}
	if err := c.exec(ctx, "create database "+seed+" template template0 encoding 'UTF8' locale 'C.UTF-8'"); err != nil {
		return err
	}
	w := &world.World{Bin: bench.real, Data: c.dir + ".import", Env: environment(c.server.DSN(seed))}
	if out, err := w.Run(append([]string{"import", "divisions"}, files...)...); err != nil {
		return fmt.Errorf("import the divisions: %w\n%s", err, out)
	}
	return nil
}

func (c *cluster) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, c.server.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the database server: %w", err)
	}
	if _, err = conn.Exec(ctx, sql); err != nil {
		err = fmt.Errorf("%s: %w", sql, err)
	}
	return errors.Join(err, conn.Close(ctx))
}

// crash ends the server at once, as `pg_ctl stop -m immediate` does: the
// postmaster gets SIGQUIT, nothing is written, and the next start recovers.
func (c *cluster) crash() error {
	text, err := os.ReadFile(filepath.Join(c.dir, "postgres", "data", "postmaster.pid"))
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

// database is the database of one run.
type database struct {
	cluster *cluster
	dsn     string
	keys    *privacy.Keys
}

var notLetters = regexp.MustCompile("[^a-z]")

// newDatabase copies the seed, on the server that all share or, for a run that
// crashes it, on one of its own.
func newDatabase(t *testing.T, own bool) *database {
	t.Helper()
	c := bench.shared
	if own {
		var err error
		c, err = newCluster(t.Context(), filepath.Join(bench.dir, "own"))
		world.Must(t, err)
		t.Cleanup(func() { world.Must(t, c.stop()) })
	}
	name := notLetters.ReplaceAllString(strings.ToLower(t.Name()), "")
	world.Must(t, c.exec(t.Context(), "create database "+name+" template "+seed))
	raw, err := hex.DecodeString(master)
	world.Must(t, err)
	keys, err := privacy.NewKeys(raw)
	world.Must(t, err)
	return &database{cluster: c, dsn: c.server.DSN(name), keys: keys}
}

// environment leads a program to a database.
func environment(dsn string) []string {
	return []string{"DATABASE_URL=" + dsn, privacy.KeyVariable + "=" + master}
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
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	left := int64(-1)
	watch := func(c *pgx.Conn) error {
		for {
			if err := c.QueryRow(ctx, unrest).Scan(&left); err != nil || left == 0 {
				return err
			}
			select {
			case <-again.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	for {
		err := d.look(ctx, watch)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%d events and messages are not done after %s: %w", left, patience, err)
		}
	}
}
