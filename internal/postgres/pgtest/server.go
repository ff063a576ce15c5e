package pgtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"shaoying/internal/postgres/managed"
)

// Start joins the users of this machine's test server, starting it when nobody
// uses it. The caller must call Stop.
func Start(ctx context.Context) (*managed.Server, error) {
	installed, err := managed.Find(ctx)
	if err != nil {
		return nil, err
	}
	// A cluster per user, for he owns the files, and per version.
	newest := installed[0]
	dir := filepath.Join(Place(), fmt.Sprintf("shaoying-pgtest-%d-%d", os.Geteuid(), newest.Major))
	server, err := managed.Open(ctx, managed.Config{
		Dir:    dir,
		BinDir: newest.Dir,
		Settings: map[string]string{
			// Nobody misses this data after a power cut.
			"fsync":            "off",
			"full_page_writes": "off",
			"max_connections":  "600", // several test binaries at once, each with many pools
			// A process costs more than what it would do for a small database.
			"autovacuum":                      "off",
			"max_parallel_workers_per_gather": "0",
			"max_wal_senders":                 "0",
			"wal_level":                       "minimal",
		},
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, fmt.Errorf("start the test server (if its files broke in a power cut, remove %s): %w", dir, err)
	}
	return server, nil
}

// withDatabase returns the connection string dsn, a URL or key=value pairs,
// with another database in it.
func withDatabase(dsn, database string) string {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		if u, err := url.Parse(dsn); err == nil { // if not, connecting says so
			u.Path = "/" + database
			query := u.Query()
			query.Del("dbname")
			query.Del("database")
			u.RawQuery = query.Encode()
			return u.String()
		}
	}
	return dsn + " dbname=" + database // the last one counts
}
