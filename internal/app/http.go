package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"shaoying/bots"
	"shaoying/internal/gateway"
)

// defaultPort is where the page is when nothing else is asked for; the next
// free one of the ports after it is taken when it is not free.
const (
	defaultPort = 8080
	portTries   = 50
)

// listen opens the port. An address that was asked for and is taken is an
// error; the default one moves on to the next free port.
func (e Env) listen() (net.Listener, error) {
	if e.Addr != "" {
		l, err := net.Listen("tcp", e.Addr)
		if err != nil {
			return nil, fmt.Errorf("SHAOYING_ADDR: %w", err)
		}
		return l, nil
	}
	for port := defaultPort; port < defaultPort+portTries; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("open a port: %w", err)
		}
	}
	return nil, fmt.Errorf("ports %d to %d are all taken: set SHAOYING_ADDR", defaultPort, defaultPort+portTries-1)
}

// serveHTTP serves until ctx ends; open requests then have 5 s to finish.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger, closeStreams func()) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 120 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(closeStreams)
	// Serve returns as soon as Shutdown begins; what is open is waited for.
	drained := make(chan struct{})
	stopping := context.AfterFunc(ctx, func() {
		defer close(drained)
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(stop); err != nil {
			log.Warn("some requests did not finish", "error", err)
			server.Close()
		}
	})
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		<-drained
		return nil
	}
	stopping()
	return fmt.Errorf("serve HTTP: %w", err)
}

// operations serves /healthz, /readyz and /metrics.
func (s *server) operations(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "alive\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{}))
}

// ready says in one line each whether database, schema and channels are there.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	status := http.StatusOK
	var lines []string
	check := func(what string, err error) {
		if err != nil {
			status = http.StatusServiceUnavailable
			s.Log.Warn("not ready", "part", what, "error", err)
			lines = append(lines, what+": not ready")
			return
		}
		lines = append(lines, what+": ok")
	}
	check("database", s.DB.Ping(ctx))
	check("schema", s.DB.CheckSchema(ctx))
	if waiting, _ := s.Spool.Size(); waiting > 0 {
		lines = append(lines, fmt.Sprintf("outage spool: %d messages wait for the database", waiting))
	}
	for _, c := range s.channels {
		check("channel "+string(c.ID()), s.owned(ctx, c))
	}
	lines = append(lines, s.logins(ctx)...)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}

// logins says how the accounts stand that people log in. One that is out makes
// nothing unready: the other channels go on, and staff have a task about it.
func (s *server) logins(ctx context.Context) (lines []string) {
	for _, c := range s.channels {
		account, ok := s.gateway.Channels[c.ID()].(bots.Login)
		if !ok {
			continue
		}
		stands, err := account.Standing(ctx)
		if err != nil {
			s.Log.Warn("ask how an account stands", "channel", string(c.ID()), "error", err)
			lines = append(lines, fmt.Sprintf("login %s: not known", c.ID()))
			continue
		}
		lines = append(lines, fmt.Sprintf("login %s: %s", c.ID(), stands.State))
	}
	return lines
}

// owned tells whether some process, this one or another, owns the channel.
func (s *server) owned(ctx context.Context, c *gateway.Channel) error {
	if c.Owned() {
		return nil
	}
	held, err := s.DB.IsOwned(ctx, string(c.ID()))
	if err == nil && !held {
		err = errors.New("no process owns the channel")
	}
	return err
}
