package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"shaoying/bots"
	"shaoying/bots/webchat"
	"shaoying/internal/actions"
	"shaoying/internal/gateway"
	"shaoying/scheduler/jobs"
)

// server is a house with a gateway in it.
type server struct {
	*House
	gateway  *gateway.Gateway
	registry *prometheus.Registry
	channels []*gateway.Channel
	web      *webchat.Channel
	due      jobs.Deps
	actions  *actions.Set
	runner   *gateway.Runner
	poster   *gateway.Runner
	drainer  *gateway.Drainer
	unspool  *gateway.Unspooler
	planner  *gateway.Planner
}

// Serve runs the whole product until ctx ends. It prints the ready line to
// out when the port answers.
func Serve(ctx context.Context, h *House, out io.Writer) error {
	if err := h.settle(ctx, out); err != nil {
		return err
	}
	s, err := h.build()
	if err != nil {
		return err
	}
	if err := s.bindBoards(ctx); err != nil {
		return err
	}
	if err := s.layBeds(ctx); err != nil {
		return err
	}
	l, err := h.Env.listen()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	s.operations(mux)
	if err := s.pages(mux); err != nil {
		return errors.Join(err, l.Close())
	}
	stages := []stage{
		{"database", []func(context.Context) error{h.Bus.Run, h.watchServer, h.watchDefinitions, h.Places.Run, h.Hooks.Run, giveBack}},
		{"send", s.sendLoops()},
		{"work", s.workLoops()},
		{"http", []func(context.Context) error{func(ctx context.Context) error {
			fmt.Fprintf(out, "ready http://%s\n", l.Addr())
			return serveHTTP(ctx, l, mux, h.Log, s.web.Close)
		}}},
	}
	h.Log.Info("started", "addr", l.Addr().String(), "role", h.Env.Role)
	err = runStages(ctx, stages)
	h.Log.Info("stopped")
	return err
}

// giveBack returns to the system, once, what starting has used: every definition and
// place was read, and the collector alone would keep the room for them.
func giveBack(ctx context.Context) error {
	started := time.NewTimer(20 * time.Second)
	defer started.Stop()
	select {
	case <-started.C:
		debug.FreeOSMemory()
		<-ctx.Done()
	case <-ctx.Done():
	}
	return nil
}

// build makes the gateway with its channels, actions and due kinds.
func (h *House) build() (*server, error) {
	s := &server{House: h, registry: prometheus.NewRegistry()}
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	adapters := map[bots.ChannelID]bots.Adapter{}
	for _, c := range h.Process.Channels {
		a, err := h.channel(c)
		if err != nil {
			return nil, err
		}
		adapters[bots.ChannelID(c.ID)] = a
		if web, ok := a.(*webchat.Channel); ok && s.web == nil {
			s.web = web
		}
	}
	if s.web == nil {
		return nil, errors.New("configuration: a channel of kind webchat is needed")
	}
	if err := h.openSpool(); err != nil {
		return nil, err
	}
	s.registry.MustRegister(gateway.Spooled(h.Spool))
	deps := gateway.Deps{
		Spool: h.Spool,
		DB:    h.DB, Bus: h.Bus, Clock: h.Clock, Keys: h.Keys, Library: h.Library, Words: h.Words, Safety: h.Safety,
		Quiet: h.Quiet, Channels: adapters, Log: h.Log, Metrics: gateway.NewMetrics(s.registry),
	}
	if err := s.furnish(&deps); err != nil {
		return nil, err
	}
	cfg := gateway.Config{Silent: h.Rights.Trust.Silent, Desk: h.deskPage()}
	if h.Env.Alter != nil {
		h.Env.Alter(&cfg, &deps)
	}
	var err error
	if s.gateway, err = gateway.New(cfg, deps); err != nil {
		return nil, err
	}
	for id, a := range adapters {
		c, err := gateway.NewChannel(s.gateway, id)
		if err != nil {
			return nil, err
		}
		s.channels = append(s.channels, c)
		s.registry.MustRegister(gateway.Waiting(h.DB, id, a.Caps().Paid, h.Log)...)
	}
	return s, s.clockwork()
}

// watchServer starts the private PostgreSQL again when it crashed.
func (h *House) watchServer(ctx context.Context) error {
	if h.server == nil {
		return nil
	}
	return h.server.Run(ctx)
}

// watchDefinitions reads the library and the clock again when another process
// changed them.
func (h *House) watchDefinitions(ctx context.Context) error {
	published, stop := h.Bus.Subscribe(gateway.TopicDefinitions)
	defer stop()
	moved, stopClock := h.Bus.Subscribe(gateway.TopicClock)
	defer stopClock()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-published:
			if err := h.Library.Reload(ctx, h.DB); err != nil {
				h.Log.Error("read the definitions again", "error", err)
			}
		case <-moved:
			if err := h.DB.SyncClock(ctx); err != nil {
				h.Log.Error("read the product clock again", "error", err)
			}
		}
	}
}

func (s *server) sendLoops() []func(context.Context) error {
	if !s.Env.does(RoleSender) && !s.Env.does(RoleGateway) {
		return nil
	}
	loops := make([]func(context.Context) error, len(s.channels))
	for i, c := range s.channels {
		loops[i] = c.Run
	}
	return loops
}
