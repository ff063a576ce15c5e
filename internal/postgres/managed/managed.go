// Package managed runs the private PostgreSQL of an installation that was given
// no DATABASE_URL: its own data directory, a unix socket nobody else can reach,
// no port, no password.
//
// # On disk
//
//	DIR/start.lock             held while somebody starts or stops the server
//	DIR/use.lock               held, shared, by every process that uses it
//	DIR/postgres/data          the cluster
//	DIR/postgres/run           the socket, unless its path would be too long
//	DIR/postgres/postgres.log  what the server has to say
//
// DIR belongs to the user who runs the program, DIR/postgres to the account
// that the server runs as. PostgreSQL refuses to run as root: for root that
// account is the owner of DIR or, when that is root as well, "postgres".
//
// # Who owns the server
//
// The first user starts it, or adopts the one that a killed process left
// behind, and is its owner; later ones only connect. The last user stops it.
// An owner that goes first leaves the server to those who still use it, so a
// short command that happened to start it cannot take it away from `serve`.
// The kernel frees both locks of a process that is killed.
//
//	no server      --Open: start-->           running
//	running, left  --Open: adopt-->           running
//	running        --Stop, others use it-->   running
//	running        --Stop by the last user--> no server
//	crashed        --Run-->                   running
//
// # Failure
//
// A cluster is made beside its place and renamed into it, so that half a
// cluster is never taken for one. A cluster is never made again over another,
// and never opened with a different major version. PostgreSQL keeps every
// commit over a crash of the server; [Server.Run] starts it again.
//
// The package reads /proc and so needs Linux.
package managed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// Database is the name of the database that Open makes sure exists, and role
// the database user that everybody logs in as.
const (
	Database = "shaoying"
	role     = "shaoying"
)

// Config says where the server lives and how it runs.
type Config struct {
	// Dir holds the cluster, see the package comment; usually [DefaultDir].
	Dir string
	// BinDir is the directory of the PostgreSQL programs. Empty means: the
	// version that made the cluster or, for a new one, the newest on this
	// machine.
	BinDir string
	// Settings are server settings ("shared_buffers": "256MB"). They come
	// before our own except for where the server listens, and count only for
	// the process that starts it.
	Settings map[string]string
	// Log gets starts, stops and adoptions. Nil means slog.Default.
	Log *slog.Logger
}

// Server is this process's use of the private server. It is safe for use by
// many goroutines.
type Server struct {
	cfg      Config
	home     home
	account  account
	binaries Binaries
	owner    bool
	use      *lock // shared, until Stop

	mu      sync.Mutex // guards what follows and the coming and going of the server
	stopped bool
}

// Open makes the cluster in cfg.Dir when there is none, starts the server when
// it does not run, and makes the database "shaoying" when it is missing. It
// returns when the server answers, which after a crash takes as long as its
// recovery; ctx limits that.
//
// Errors say what the operator can do. The caller must call Stop.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	h, acct, err := prepare(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, home: h, account: acct}
	if s.binaries, err = choose(ctx, cfg.BinDir, h); err != nil {
		return nil, err
	}
	starting, err := h.startLock(ctx)
	if err != nil {
		return nil, err
	}
	defer starting.release()
	if s.use, s.owner, err = h.join(); err != nil {
		return nil, err
	}
	if err := s.bringUp(ctx); err != nil {
		return nil, errors.Join(err, s.use.release())
	}
	return s, nil
}

// bringUp leaves behind a server that answers and has our database. The caller
// holds the start lock.
func (s *Server) bringUp(ctx context.Context) error {
	if err := s.initialise(ctx); err != nil {
		return err
	}
	err := s.adopt(ctx)
	if errors.Is(err, errEnded) {
		err = s.start(ctx)
	}
	if err != nil {
		return err
	}
	return s.createDatabase(ctx)
}

// adopt takes the server that runs already. It returns errEnded when none does
// or when the one that did was about to end.
func (s *Server) adopt(ctx context.Context) error {
	p, running := findPostmaster(s.home.data())
	if !running {
		return errEnded
	}
	if err := s.awaitReady(ctx, p.pid, nil); err != nil {
		return err
	}
	if s.owner {
		s.cfg.Log.InfoContext(ctx, "adopted the database server that an earlier process left running", "pid", p.pid)
	}
	return nil
}

// createDatabase makes the product's database unless it is there.
func (s *Server) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private database server (its log: %s): %w", s.home.log(), err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	err = conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, Database).Scan(&there)
	if err != nil {
		return fmt.Errorf("look for database %s: %w", Database, err)
	}
	if there {
		return nil
	}
	// template0, because somebody may have changed template1.
	_, err = conn.Exec(ctx, `create database `+Database+` template template0 encoding 'UTF8' locale 'C.UTF-8'`)
	if err != nil {
		return fmt.Errorf("create database %s: %w", Database, err)
	}
	return nil
}

// DSN returns the connection string of a database on this server, in
// key=value form.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("host=%s port=%s user=%s dbname=%s", quoted(s.home.socketDir()), port, role, quoted(database))
}

// quoted puts a value of a connection string between quotes.
func quoted(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// Owner tells whether nobody else used the server when Open was called: this
// process started it or adopted it.
func (s *Server) Owner() bool { return s.owner }

// LogFile is the path of the server's own log.
func (s *Server) LogFile() string { return s.home.log() }

// Stop gives up the use of the server. The last user shuts it down: open
// transactions are rolled back, commits kept, and Stop returns when the server
// has ended. When ctx ends first, the server is still shutting down and Stop
// may be called again. A second Stop does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	starting, err := s.home.startLock(ctx)
	if err != nil {
		return err
	}
	defer starting.release()
	alone, err := s.use.alone()
	if err != nil {
		return err
	}
	if alone {
		if err := s.shutDown(ctx); err != nil {
			return errors.Join(err, s.use.share())
		}
	} else {
		s.cfg.Log.InfoContext(ctx, "left the database server to another shaoying process that uses it")
	}
	s.stopped = true
	return s.use.release()
}

// shutDown ends the server, if it runs, and waits for its end.
func (s *Server) shutDown(ctx context.Context) error {
	p, running := findPostmaster(s.home.data())
	if !running {
		return nil
	}
	// SIGINT is PostgreSQL's "fast" shutdown: sessions are ended, then a
	// checkpoint is written.
	if err := signal(p.pid, os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the database server: %w", err)
	}
	if err := s.awaitEnd(ctx, p.pid); err != nil {
		return fmt.Errorf("the database server (pid %d) is still shutting down: %w", p.pid, err)
	}
	return nil
}
