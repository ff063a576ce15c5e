package jobs_test

import (
	"context"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/chart"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler/jobs"
)

// deaf is the network of a group robot.
type deaf struct{ network }

func (*deaf) Caps() bots.Caps {
	return bots.Caps{MaxText: 2048, TextUnit: bots.Bytes, SendOnly: true, Digest: true, PhotoOut: 2 << 20}
}

// board binds the group of a robot to an area, with nothing else; its chat and its
// channel are called by name.
func (r *rig) board(name, kind, area string) {
	r.t.Helper()
	r.deps.Channels[bots.ChannelID(name)] = &deaf{}
	r.binds(gateway.Board{Channel: bots.ChannelID(name), Chat: bots.ChatID(name), AreaKind: kind, Area: area})
}

func (r *rig) binds(boards ...gateway.Board) {
	r.t.Helper()
	if err := r.BindBoards(r.t.Context(), boards); err != nil {
		r.t.Fatal(err)
	}
	r.drain()
}

// A board shows what its desk has beside the chats of its people: the card without
// taking theirs away, the reminders, what became of it, and the morning's figures.
func TestABoardStandsBesideTheDesk(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.board("grid-board", "grid", grid)
	id := r.files("li", ticket.Content{})
	r.holds(r.heard("grid-board"), "（待接单）")
	r.holds(r.heard("wang"), "（待接单）")
	r.until("2026-03-04 08:31")
	if got := r.heard("grid-board"); !has(got, "手上1件，今天到期0件，已超时0件") {
		t.Errorf("in the morning the board said %q", got)
	}
	r.until("2026-03-06 17:00")
	if got := r.heard("grid-board"); !has(got, "时间已用") {
		t.Errorf("the board reminded with %q", got)
	}
	if got := r.heard("wang"); !has(got, "时间已用") {
		t.Errorf("the desk was reminded with %q", got)
	}
	r.handles(id)
	if n := one[int64](r, `select count(*) from outbox where channel = 'grid-board' and edits <> 0`); n == 0 {
		t.Error("the board does not show what became of the ticket")
	}
	r.heard("grid-board")
	r.until("2026-03-09 12:00")
	if got := r.heard("grid-board"); has(got, "手上") || has(got, "时间已用") {
		t.Errorf("with nothing open the board said %q", got)
	}
	if n := one[int64](r, `select count(*) from due where kind = $1 and state not in ('done', 'dropped')`, gateway.KindMembers); n != 0 {
		t.Errorf("%d looks at members are left", n)
	}
}

func has(list []string, piece string) bool { return strings.Contains(strings.Join(list, "|"), piece) }

// What is private, or about somebody, never goes onto a board.
func TestNothingPrivateOnABoard(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.board("grid-board", "grid", grid)
	for _, c := range []ticket.Content{{Confidential: true}, {Anonymous: true}, {Sensitive: true}, {Against: []string{grid}}} {
		r.files("li", c)
	}
	r.until("2026-03-06 17:00")
	r.holds(r.heard("grid-board"))
}

// A line that waited is read again: the ticket is done by then.
func TestABoardLineIsReadAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.board("grid-board", "grid", grid)
	id := r.files("li", ticket.Content{})
	r.until("2026-03-06 17:00")
	reason, subject := "board."+workorder.DueNudge, ""
	if subject = one[string](r, `select subject from outbox where channel = 'grid-board' and reason = $1 limit 1`, reason); subject == "" {
		t.Fatal("no reminder waits for the board")
	}
	ask := func() (ok bool) {
		err := r.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) (err error) {
			ok, _, err = r.Fresh[reason](ctx, tx, subject, 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !ask() {
		t.Error("a reminder of what is open is stale")
	}
	r.handles(id)
	if ask() {
		t.Error("a reminder of what is done goes out")
	}
}

// The configuration binds, binds elsewhere, and lets go; a group of the staff is
// none of its business, and may serve the same area.
func TestBoardsAreAsTheConfigurationSays(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	g := r.group("wang", "pai")
	r.board("grid-board", "grid", grid)
	bound := func() string {
		return one[string](r, `select coalesce(string_agg(area_kind || ' ' || area, ','), '') from conversation where channel = 'grid-board' and bound_as = 'work'`)
	}
	if bound() != "grid "+grid {
		t.Fatalf("bound as %q", bound())
	}
	r.files("li", ticket.Content{})
	r.holds(r.heard("hall"), "（待接单）")
	r.holds(r.heard("grid-board"), "（待接单）")
	r.holds(r.heard("wang"))
	r.board("grid-board", "grid", grid) // again: nothing changes
	if n := one[int64](r, `select count(*) from trail where kind = 'group.bound'`); n != 1 {
		t.Errorf("bound %d times", n)
	}
	r.board("grid-board", "village", village)
	if bound() != "village "+village || one[int64](r, `select count(*) from conversation where channel = 'grid-board'`) != 1 {
		t.Errorf("bound elsewhere as %q", bound())
	}
	r.binds()
	if bound() != "" || one[string](r, `select bound_as from conversation where id = $1`, g) != "work" {
		t.Errorf("let go: %q, and the group of the staff is %q", bound(), one[string](r, `select bound_as from conversation where id = $1`, g))
	}
	r.heard("grid-board")
	r.files("li", ticket.Content{})
	if got := r.heard("grid-board"); has(got, "（待接单）") {
		t.Errorf("a group that was let go got %q", got)
	}
	if n := one[int64](r, `select count(*) from trail where kind = 'group.unbound'`); n != 2 {
		t.Errorf("let go %d times", n)
	}
}

// A unit that is called to a whistle sees it on its board, with its reminders; the
// township's board shows how far everybody is.
func TestAWhistleOnBoards(t *testing.T) {
	urban := ticket.Desk{Kind: ticket.DeskUnit, Code: "urban_management"}
	r := newRig(t, "2026-03-03 09:30")
	id := r.blown(ticket.WhistleMajor)
	for _, name := range []string{"unit-board", "town-board"} {
		r.deps.Channels[bots.ChannelID(name)] = &deaf{}
	}
	r.binds(gateway.Board{Channel: "unit-board", Chat: "unit-board", AreaKind: "unit", Area: urban.Code},
		gateway.Board{Channel: "town-board", Chat: "town-board", AreaKind: "township", Area: township})
	r.deed("xian", id, ticket.AsCounty, ticket.Deed{Command: ticket.WhistleAssign, Lead: urban})
	r.until("2026-03-03 09:31")
	if got := r.heard("unit-board"); !has(got, "请城市管理局报到") {
		t.Errorf("the unit's board said %q", got)
	}
	if got := r.heard("town-board"); len(got) == 0 {
		t.Error("the township's board says nothing")
	}
	if got := r.heard("qiu"); !has(got, "请城市管理局报到") {
		t.Errorf("the unit's people heard %q", got)
	}
	r.until("2026-03-05 18:00")
	if got := r.heard("unit-board"); !has(got, "到场") {
		t.Errorf("reminders on the unit's board: %q", got)
	}
}

// On Monday a board shows its desk's own figures, with the chart where there is a
// font, with a table where there is none.
func TestABoardOnMonday(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-02 10:00")
	r.board("town-board", "township", township)
	r.handles(r.files("li", ticket.Content{}))
	r.until("2026-03-09 08:31")
	if got := r.heard("town-board"); !has(got, "计入1件，响应率") || !has(got, "月份　响应率") || !has(got, "3月　") {
		t.Errorf("without a font the board said %q", got)
	}
	policy, err := chart.ParsePolicy("charts.yaml", config(t, "policies/charts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	painter, err := chart.Find(policy)
	if err != nil {
		t.Log("no font here: the chart itself is tested in internal/chart")
		return
	}
	r.deps.Chart = painter
	r.Kinds = append(jobs.All(r.deps), r.doing())
	r.runner = gateway.NewRunner(r.Gateway)
	r.until("2026-03-16 08:31")
	if got := r.heard("town-board"); !has(got, "计入1件，响应率") || has(got, "月份　响应率") {
		t.Errorf("with a font the board said %q", got)
	}
	if n := one[int64](r, `select count(*) from blob where mime = 'image/png' and size > 1000`); n != 1 {
		t.Errorf("%d charts are kept", n)
	}
}
