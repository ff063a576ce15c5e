// Command altered is the product whose WeChat agents do harm when they are told to:
// the word in a file beside the program (its name, the account's and ".mood") says
// what, and is taken away by it; another (".pid") says who holds the account. The
// gateway is the product's; only nobody counts
// how fast a resident writes.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/app"
	"shaoying/internal/gateway"
	"shaoying/test/altered"
)

func main() {
	altered.Main(func(env *app.Env) error {
		env.Demo = true
		env.Alter = func(cfg *gateway.Config, _ *gateway.Deps) { cfg.FloodPerMinute = math.MaxInt32 }
		return nil
	}, agent)
}

// contact is what harm needs to know of the brief.
type contact struct{ ID, URL, Token string }

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
	if err := os.WriteFile(program+"."+at.ID+".pid", []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return fmt.Errorf("say who holds the account: %w", err)
	}
	go watch(program+"."+at.ID+".mood", at)
	return app.Agent(ctx, io.MultiReader(bytes.NewReader(brief), in.Buffered(), os.Stdin), os.Stdout, log)
}

// watch does what the mood says, once: the next agent is in none.
func watch(file string, at contact) {
	for range time.Tick(20 * time.Millisecond) {
		mood, err := os.ReadFile(file)
		if err != nil || os.Remove(file) != nil {
			continue
		}
		switch string(mood) {
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
