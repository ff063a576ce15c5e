//go:build acceptance

package badinput

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shaoying/test/world"
)

// bomb is a small PNG whose header promises 30,000 × 30,000 pixels.
func bomb() []byte {
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		binary.Write(&out, binary.BigEndian, uint32(len(data)))
		body := append([]byte(kind), data...)
		out.Write(body)
		binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	header := binary.BigEndian.AppendUint32(nil, 30000)
	header = binary.BigEndian.AppendUint32(header, 30000)
	chunk("IHDR", append(header, 8, 2, 0, 0, 0))
	chunk("IDAT", []byte{0x78, 0x9c, 3, 0, 0, 0, 0, 1})
	chunk("IEND", nil)
	return out.Bytes()
}

func TestBadConfiguration(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"an unknown key":       {"timezone: Asia/Shanghai\ntimezon: x\n", "2:"},
		"no YAML":              {"channels:\n  - id: [\n", "2:"},
		"a zone that is none":  {"timezone: Asia/Pingxiang\n", "Asia/Pingxiang"},
		"an unknown network":   {"channels:\n  - id: web\n    kind: pigeon\n", "pigeon"},
		"two channels, one id": {"channels:\n  - {id: web, kind: webchat}\n  - {id: web, kind: webchat}\n", "web"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "shaoying.yaml")
			world.Must(t, os.WriteFile(file, []byte(c.yaml), 0o600))
			bad := *city
			bad.Addr, bad.Env = "127.0.0.1:0", []string{"SHAOYING_CONFIG=" + file}
			unchanged(t, nil, func() {
				out, err := bad.Run("serve", "--demo")
				if err == nil || !strings.Contains(out, c.want) {
					t.Errorf("want an error with %q: %v\n%s", c.want, err, out)
				}
			})
		})
	}
}

func TestBadImports(t *testing.T) {
	for name, c := range map[string]struct{ kind, csv, want string }{
		"no columns":        {"places", "a,b\n1,2\n", "1"},
		"an empty file":     {"places", "", "places"},
		"a broken quote":    {"calendar", "date,kind\n\"2026-01-01,off\n", "calendar"},
		"not UTF-8":         {"divisions", "code,name\n3603,\xc6\xbc\xcf\xe7\n", "UTF-8"},
		"no such person":    {"staff", "name\n甲\n", "staff"},
		"a date that isn't": {"calendar", "date,kind,name\n2026-02-31,off,x\n", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), c.kind+".csv")
			world.Must(t, os.WriteFile(file, []byte(c.csv), 0o600))
			unchanged(t, nil, func() {
				out, err := city.Run("import", c.kind, file)
				if err == nil || !strings.Contains(out, c.want) {
					t.Errorf("want an error with %q: %v\n%s", c.want, err, out)
				}
			})
		})
	}
}

func TestBadCommandLines(t *testing.T) {
	unchanged(t, nil, func() {
		for _, args := range [][]string{
			{},
			{"fly"},
			{"serve", "--role", "king"},
			{"import", "dragons", "x.csv"},
			{"import", "places", "/does/not/exist.csv"},
			{"replay", "x"},
			{"staff", "invite", "--name", "甲"},
		} {
			cmd := city.Command(args...)
			if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 2 {
				t.Errorf("shaoying %q: exit %d, want 2", args, cmd.ProcessState.ExitCode())
			}
		}
		for _, args := range [][]string{
			{"replay", "999999"},
			{"staff", "invite", "--name", "甲", "--role", "king", "--area", "city:3603"},
			{"staff", "invite", "--name", "甲", "--role", "grid_worker", "--area", "moon:1"},
		} {
			cmd := city.Command(args...)
			if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("shaoying %q: exit %d, want 1", args, cmd.ProcessState.ExitCode())
			}
		}
	})
}
