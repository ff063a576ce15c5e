package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"shaoying/bots"
	"shaoying/internal/demo"
	"shaoying/internal/postgres"
)

// settle makes sure that demo and life never meet: the demo lays its city into
// a database of its own and speaks on loopback only, and life refuses what the
// demo has made.
func (h *House) settle(ctx context.Context, out io.Writer) error {
	if h.Env.Demo {
		return h.layDemo(ctx, out)
	}
	shifted, err := h.DB.ClockIsShifted(ctx)
	if err != nil {
		return fmt.Errorf("read the product clock: %w", err)
	}
	_, err = h.DB.Setting(ctx, demo.Setting)
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return fmt.Errorf("look for the mark of the demo: %w", err)
	}
	if shifted || err == nil {
		return errors.New("this database belongs to the demo: start with --demo, or set SHAOYING_DATA or DATABASE_URL to another one")
	}
	return nil
}

func (h *House) layDemo(ctx context.Context, out io.Writer) error {
	if err := h.Env.onLoopback(); err != nil {
		return err
	}
	fmt.Fprintln(out, "laying the demo city (the first time takes a few seconds)")
	loader := demo.Loader{DB: h.DB, Keys: h.Keys, Units: h.Units, Web: bots.ChannelID(h.webID())}
	if _, err := loader.Load(ctx); err != nil {
		return err
	}
	if err := h.DB.SyncClock(ctx); err != nil {
		return err
	}
	return h.Places.Reload(ctx)
}

// webID is the first channel account of kind webchat.
func (h *House) webID() string {
	for _, c := range h.Process.Channels {
		if c.Kind == "webchat" {
			return c.ID
		}
	}
	return ""
}

// onLoopback refuses to show the demo to a network.
func (e Env) onLoopback() error {
	if e.Addr == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(e.Addr)
	if err != nil {
		return fmt.Errorf("SHAOYING_ADDR %q: write host:port, such as 127.0.0.1:8080: %w", e.Addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("SHAOYING_ADDR %q: the demo listens on this machine only, such as 127.0.0.1:8080", e.Addr)
	}
	return nil
}

// layBeds gives the demo city its family beds. They are entered by commands, so it
// takes the gateway that is built by then.
func (s *server) layBeds(ctx context.Context) error {
	if !s.Env.Demo {
		return nil
	}
	return demo.Ward{Gateway: s.gateway, Care: s.Care, Web: bots.ChannelID(s.webID())}.Lay(ctx)
}
