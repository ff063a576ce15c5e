// Package gatewaytest gives tests the embedded dialogues and texts. Reading them
// costs more than most tests do, so it is done once per test binary: they lie in
// the template of the databases, and all tests share one library.
package gatewaytest

import (
	"context"
	"sync"
	"testing"

	"shaoying/configs"
	"shaoying/internal/clock"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/pgtest"
)

// DSN is pgtest.DSN with the schema and the embedded definitions.
func DSN(t testing.TB) string {
	t.Helper()
	return pgtest.DSN(t, furnish)
}

func furnish(ctx context.Context, dsn string) error {
	if err := postgres.Migrate(ctx, dsn); err != nil {
		return err
	}
	d, err := postgres.Open(ctx, dsn, clock.New(), postgres.Options{AllowUnsafe: true})
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = gateway.LoadLibrary(ctx, d, configs.FS(), "embedded")
	return err
}

var shared struct {
	once    sync.Once
	library *gateway.Library
	err     error
}

// Library is what every database of DSN holds; d is one of them. A test that
// adds definitions loads a library of its own.
func Library(t testing.TB, d *postgres.DB) *gateway.Library {
	t.Helper()
	shared.once.Do(func() {
		shared.library, shared.err = gateway.LoadLibrary(context.WithoutCancel(t.Context()), d, configs.FS(), "embedded")
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.library
}
