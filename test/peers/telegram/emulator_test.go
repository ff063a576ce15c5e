//go:build peers

package telegram

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shaoying/test/world"
)

// emulator is a running telegram-test-api.
type emulator struct {
	url   string
	token string
}

// startEmulator installs the emulator at its locked version, once for each
// lock, and starts it. Without node the test is left out by name, in CI it
// fails.
func startEmulator(t *testing.T) *emulator {
	t.Helper()
	dir, err := install()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("left out: ", err)
	}
	port := world.FreePort(t)
	cmd := exec.Command("node", "serve.js", port)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	world.Must(t, err)
	stdout, err := cmd.StdoutPipe()
	world.Must(t, err)
	world.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close() // its end is the end of the server
		world.Must(t, cmd.Wait())
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the emulator did not start: %q, %v", line, err)
	}
	return &emulator{url: "http://127.0.0.1:" + port, token: "666:emulated-token_of-the-tests"}
}

// install puts package, lock and script into a folder of the user's cache that
// is named after them, and has npm fetch the rest.
func install() (string, error) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("%s is not installed: scripts/need node", program)
		}
	}
	sum := sha256.New()
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json", "serve.js"} {
		body, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		files[name] = body
		sum.Write(body)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "shaoying", fmt.Sprintf("telegram-peer-%x", sum.Sum(nil)[:6]))
	if _, err := os.Stat(filepath.Join(dir, "installed")); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
			return "", err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm cannot fetch telegram-test-api: %w\n%s", err, out)
	}
	return dir, os.WriteFile(filepath.Join(dir, "installed"), nil, 0o644)
}

// post calls the emulator's side of users.
func (e *emulator) post(t testing.TB, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	world.Must(t, err)
	resp, err := http.Post(e.url+path, "application/json", bytes.NewReader(body))
	world.Must(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	world.Must(t, err)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, raw)
	}
	if out != nil {
		world.Must(t, json.Unmarshal(raw, out))
	}
}

type object = map[string]any

// phone is a user of the emulator.
func (e *emulator) phone(t testing.TB, id int64, name string) *world.Phone {
	from := object{"id": id, "is_bot": false, "first_name": name}
	chat := object{"id": id, "type": "private", "first_name": name}
	send := func(content object) {
		content["botToken"], content["from"], content["chat"], content["date"] = e.token, from, chat, time.Now().Unix()
		e.post(t, "/sendMessage", content, nil)
	}
	phone := &world.Phone{Lines: func() []world.Line { return e.lines(t, id) }}
	phone.Say = func(text string) { send(object{"text": text}) }
	phone.Photo = func([]byte) {
		// The emulator has no files: its users make the message up.
		send(object{"photo": []object{{"file_id": "made-up", "file_unique_id": "made-up", "width": 320, "height": 240}}})
	}
	phone.Press = func(message int64, label string) bool {
		for _, row := range e.shown(t, id) {
			for _, b := range row.buttons() {
				if row.ID == message && b.Label == label {
					e.post(t, "/sendCallback", object{
						"botToken": e.token, "from": from, "data": b.Data,
						"message": object{"message_id": message, "date": time.Now().Unix(), "chat": chat, "text": row.Message.Text},
					}, nil)
					return true
				}
			}
		}
		return false
	}
	return phone
}

type button struct {
	Label string `json:"text"`
	Data  string `json:"callback_data"`
}

// shown is one message of the bot as the emulator keeps it.
type shown struct {
	ID      int64 `json:"messageId"`
	Message struct {
		ChatID any    `json:"chat_id"` // what the bot sent: a text
		Text   string `json:"text"`
		Markup struct {
			Rows [][]button `json:"inline_keyboard"`
		} `json:"reply_markup"`
	} `json:"message"`
}

func (s shown) buttons() (out []button) {
	for _, row := range s.Message.Markup.Rows {
		out = append(out, row...)
	}
	return out
}

// shown is every message of the bot to a chat, in order.
func (e *emulator) shown(t testing.TB, chat int64) (out []shown) {
	var history struct{ Result []shown }
	e.post(t, "/getUpdatesHistory", object{"token": e.token}, &history)
	for _, row := range history.Result {
		if fmt.Sprint(row.Message.ChatID) == fmt.Sprint(chat) {
			out = append(out, row)
		}
	}
	return out
}

func (e *emulator) lines(t testing.TB, chat int64) (out []world.Line) {
	for _, row := range e.shown(t, chat) {
		line := world.Line{Message: row.ID, Text: row.Message.Text}
		for _, b := range row.buttons() {
			line.Buttons = append(line.Buttons, b.Label)
		}
		out = append(out, line)
	}
	return out
}

// translator stands between the program and the emulator, for three things that
// the emulator does not do: it reads no multipart forms, which is all that the
// bot's library writes; it has no long poll, so that a bot would ask without a
// pause; and it has no files, of which it says what a proxy that is broken says.
func (e *emulator) translator() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/getFile") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"ok":false,"error_code":400,"description":"Bad Request: wrong file_id"}`)
			return
		}
		fields, err := form(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, err := json.Marshal(fields)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		resp, err := http.Post(e.url+r.URL.Path, "application/json", bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/getUpdates") && bytes.Contains(answer, []byte(`"result":[]`)) {
			pause := time.NewTimer(50 * time.Millisecond)
			defer pause.Stop()
			select {
			case <-pause.C:
			case <-r.Context().Done():
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(resp.StatusCode)
		_, _ = w.Write(answer) // who has gone needs no answer
	})
}

func form(r *http.Request) (map[string]string, error) {
	fields := map[string]string{}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("read a form: %w", err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read a form: %w", err)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("read a form: %w", err)
		}
		fields[part.FormName()] = string(value)
	}
}
