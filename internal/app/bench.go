package app

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"shaoying/bots"
	"shaoying/bots/sms/smpp"
	"shaoying/internal/bench"
	"shaoying/internal/privacy"
	"shaoying/scheduler/jobs"
)

// Bench opens what `shaoying bench` measures: the house and its gateway as
// serve builds them, over the private database in a directory of the bench's
// own, on a free port of loopback. The environment has no say in it.
func Bench(log *slog.Logger) bench.Open {
	return func(ctx context.Context, dir string) (*bench.Product, error) {
		h, err := Open(ctx, Env{Data: dir, Addr: "127.0.0.1:0", Role: RoleAll}, log)
		if err != nil {
			return nil, err
		}
		s, err := h.build()
		if err != nil {
			return nil, errors.Join(err, h.Close())
		}
		return &bench.Product{
			Gateway: s.gateway,
			Tally:   h.Tally,
			Care:    h.Care,
			Slots:   jobs.Slots(s.due),
			Serve:   func(ctx context.Context, out io.Writer) error { return Serve(ctx, h, out) },
			SMPP: func(id bots.ChannelID, addr, systemID, password string, window int) (bots.Adapter, error) {
				cfg := smpp.Defaults(id)
				cfg.Addr, cfg.SystemID, cfg.Password, cfg.From = addr, systemID, privacy.NewSecret(password), "10690"
				cfg.Window, cfg.Throughput = window, 1e6
				return h.smppChannel(cfg)
			},
			Close: h.Close,
		}, nil
	}
}
