package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"shaoying/bots"
	"shaoying/bots/remote"
	"shaoying/bots/wechat"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
	"shaoying/internal/qrcode"
)

// brief is what an agent is told on its standard input: its token stands in no
// argument and no environment, where others could read it.
type brief struct {
	ID     bots.ChannelID
	URL    string
	Token  string
	Limits remote.Limits
	WeChat wechat.Config
}

// Agent holds one personal WeChat account for the process that started it, until
// ctx ends or that process is gone: it has no database, no key, and nothing of the
// gateway but its door. A code that has to be scanned is printed to out where that
// is a terminal.
func Agent(ctx context.Context, in io.Reader, out *os.File, log *slog.Logger) error {
	var b brief
	if err := json.NewDecoder(in).Decode(&b); err != nil {
		return errors.New("wechat-agent is started by serve, for every channel of kind wechat in SHAOYING_CONFIG")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The parent never closes its end. Who reads this ends when the parent did;
	// the read itself ends with the process.
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, in)
	}()
	b.WeChat.ID = b.ID
	clk := clock.New()
	agent, err := remote.NewAgent(remote.Config{ID: b.ID, Limits: b.Limits}, remote.Contact{URL: b.URL, Token: privacy.NewSecret(b.Token)}, remote.AgentDeps{Clock: clk, Log: log})
	if err != nil {
		return err
	}
	show := agent.Show
	if isTerminal(out) {
		show = func(s bots.Standing) {
			agent.Show(s)
			if s.QR != "" {
				printCode(out, b.ID, s.QR, log)
			}
		}
	}
	account, err := wechat.New(b.WeChat, wechat.Deps{Clock: clk, Log: log, State: agent.State(), Show: show})
	if err != nil {
		return err
	}
	return agent.Run(ctx, account)
}

// isTerminal reports whether a person may be looking. A code that went into a
// file or a journal would be read by whoever reads that.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func printCode(out io.Writer, id bots.ChannelID, code string, log *slog.Logger) {
	if _, err := fmt.Fprintf(out, "\n%s: scan this with the phone of the account, then confirm there\n", id); err != nil {
		log.Warn("the code could not be printed", "error", err)
		return
	}
	if err := qrcode.Print(out, code); err != nil {
		log.Warn("the code could not be printed", "error", err)
	}
}
