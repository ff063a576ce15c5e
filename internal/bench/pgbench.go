package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"shaoying/internal/postgres/managed"
)

// ErrNoPgbench means that the reference of all ratios cannot be measured.
var ErrNoPgbench = errors.New("pgbench is not installed beside the PostgreSQL server or in PATH: " +
	"run `sudo apt-get install -y postgresql-contrib` (Debian: it is part of package postgresql-15 and later)")

// The reference: a message kept once and a reply queued, with nothing around
// them (reference sms-postgres-jobs 5, script tx2).
const (
	referenceTables = `drop table if exists bench_in, bench_out;
create table bench_in (id bigint generated always as identity primary key, channel text not null, event_key text not null, body text not null, received_at timestamptz not null default now(), unique (channel, event_key));
create table bench_out (id bigint generated always as identity primary key, chat text not null, body text not null, state text not null default 'queued', created_at timestamptz not null default now());
`
	referenceTurn = `\set k random(1, 9000000000000000)
begin;
insert into bench_in (channel, event_key, body) values ('web', :k, '昌盛小区三栋楼道的灯不亮了晚上老人下楼看不见') on conflict (channel, event_key) do nothing;
insert into bench_out (chat, body) values (:k, '收到了，已经转给网格员，今天之内答复您。');
commit;
`
)

type pgbench struct{ tool, dsn, dir string }

// findPgbench looks beside the servers and in PATH.
func findPgbench(installed []managed.Binaries) (string, error) {
	for _, b := range installed {
		tool := filepath.Join(b.Dir, "pgbench")
		if info, err := os.Stat(tool); err == nil && !info.IsDir() {
			return tool, nil
		}
	}
	tool, err := exec.LookPath("pgbench")
	if err != nil {
		return "", ErrNoPgbench
	}
	return tool, nil
}

// run measures two inserts in one transaction on empty tables, in
// transactions a second.
func (p pgbench) run(ctx context.Context, clients, seconds int) (float64, error) {
	if _, err := p.script(ctx, "tables.sql", referenceTables, "-c", "1", "-t", "1"); err != nil {
		return 0, err
	}
	out, err := p.script(ctx, "turn.sql", referenceTurn, "-M", "prepared",
		"-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(seconds))
	if err != nil {
		return 0, err
	}
	return parseTPS(out)
}

func (p pgbench) script(ctx context.Context, name, body string, args ...string) (string, error) {
	file := filepath.Join(p.dir, name)
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		return "", fmt.Errorf("write a pgbench script: %w", err)
	}
	out, err := exec.CommandContext(ctx, p.tool, append(append([]string{"-n"}, args...), "-f", file, p.dsn)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pgbench %s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

var tpsLine = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

// parseTPS reads the rate from pgbench's report.
func parseTPS(out string) (float64, error) {
	m := tpsLine.FindStringSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("pgbench printed no rate: %q", out)
	}
	tps, err := strconv.ParseFloat(m[1], 64)
	if err != nil || tps <= 0 {
		return 0, fmt.Errorf("pgbench printed the rate %q", m[1])
	}
	return tps, nil
}
