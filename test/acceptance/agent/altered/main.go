// Command altered is the product whose WeChat agent does harm when it is told to:
// the word in the file beside the program (its name and ".mood") says what. The
// gateway is the product's; only nobody counts how fast a resident writes.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"shaoying/internal/app"
	"shaoying/internal/gateway"
	"shaoying/internal/privacy"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "altered:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(privacy.NewLogHandler(os.Stderr, slog.LevelInfo, privacy.LogKeys()))
	if len(os.Args) > 1 && os.Args[1] == "wechat-agent" {
		return agent(ctx, log)
	}
	env, err := app.FromEnvironment()
	if err != nil {
		return err
	}
	env.Demo = true
	env.Alter = func(cfg *gateway.Config, _ *gateway.Deps) { cfg.FloodPerMinute = math.MaxInt32 }
	h, err := app.Open(ctx, env, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return app.Serve(ctx, h, os.Stdout)
}

// contact is what harm needs to know of the brief.
type contact struct{ URL, Token string }

// agent is the product's, with somebody beside it who watches the mood.
func agent(ctx context.Context, log *slog.Logger) error {
	in := json.NewDecoder(os.Stdin)
	var brief json.RawMessage
	var at contact
	if err := in.Decode(&brief); err != nil {
		return fmt.Errorf("read the brief: %w", err)
	}
	if err := json.Unmarshal(brief, &at); err != nil {
		return fmt.Errorf("read the brief: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	go watch(program+".mood", at)
	return app.Agent(ctx, io.MultiReader(bytes.NewReader(brief), in.Buffered(), os.Stdin), os.Stdout, log)
}

// watch does what the mood says, once.
func watch(file string, at contact) {
	for range time.Tick(20 * time.Millisecond) {
		mood, _ := os.ReadFile(file)
		switch strings.TrimSpace(string(mood)) {
		case "panic":
			panic("the library panics")
		case "spin":
			for range 64 {
				go spin(at)
			}
			return
		case "burn":
			for range 8 {
				go func() {
					for n := 0; ; n++ {
					}
				}()
			}
			return
		case "grow":
			var held [][]byte
			for range time.Tick(20 * time.Millisecond) {
				held = append(held, bytes.Repeat([]byte("x"), 16<<20))
			}
		}
	}
}

// spin asks without a pause.
func spin(at contact) {
	for {
		req, err := http.NewRequest(http.MethodPost, at.URL+"/events", strings.NewReader("[]"))
		if err != nil {
			return
		}
		req.Header.Set("Authorization", "Bearer "+at.Token)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}
}
