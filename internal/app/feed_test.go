package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
)

// A calendar lies at its token alone. What is wrong, and what was taken back, has one
// answer, and the token stands in no log.
func TestCalendarOverHTTP(t *testing.T) {
	e := external(t)
	var log bytes.Buffer
	h := open(t, e)
	h.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := h.build()
	if err != nil {
		t.Fatal(err)
	}
	sql, err := pgx.Connect(t.Context(), e.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer sql.Close(t.Context())
	var nurse int64
	if err := sql.QueryRow(t.Context(), `with p as (insert into person (kind) values ('staff') returning id),
		s as (insert into staff (person_id, slug, name) select id, 'nurse', '王静' from p returning id)
		insert into staff_role (staff_id, role, area_kind, area) select id, 'nurse', 'unit', 'cli' from s returning staff_id`).Scan(&nurse); err != nil {
		t.Fatal(err)
	}
	issue := func() (path string) {
		t.Helper()
		err := s.gateway.Desk(t.Context(), nurse, 0, func(ctx context.Context, turn *gateway.Turn) (err error) {
			path, err = h.Care.IssueFeed(ctx, turn, nurse)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	mux := http.NewServeMux()
	s.feeds(mux)
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	path := issue()
	w := get(path)
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.HasPrefix(body, "BEGIN:VCALENDAR") || strings.Contains(body, "王静") {
		t.Fatalf("the calendar: %d %s", w.Code, body)
	}
	for name, want := range map[string]string{"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	newer := issue() // takes the older one back
	none := get(homecare.FeedPath + "nobody" + homecare.FeedExt)
	for _, dead := range []string{path, strings.TrimSuffix(newer, homecare.FeedExt), homecare.FeedPath + homecare.FeedExt} {
		if got := get(dead); got.Code != http.StatusNotFound || got.Body.String() != none.Body.String() {
			t.Errorf("%s: %d %q", dead, got.Code, got.Body)
		}
	}
	if got := get(newer); got.Code != http.StatusOK {
		t.Errorf("the newer calendar: %d", got.Code)
	}
	// What goes wrong is logged without the token.
	if _, err := sql.Exec(t.Context(), `alter table calendar_feed rename to calendar_feed_gone`); err != nil {
		t.Fatal(err)
	}
	if got := get(newer); got.Code != http.StatusInternalServerError {
		t.Errorf("without its table: %d", got.Code)
	}
	token := strings.TrimSuffix(strings.TrimPrefix(newer, homecare.FeedPath), homecare.FeedExt)
	if log.Len() == 0 || strings.Contains(log.String(), token) {
		t.Errorf("the log says %s", log.String())
	}
}
