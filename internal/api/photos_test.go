package api_test

import (
	"bytes"
	"crypto/rand"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"shaoying/internal/api"
	"shaoying/internal/privacy"
)

// picture is a photo of a size in one of two formats.
func picture(t testing.TB, w, h int, asPNG bool) string {
	t.Helper()
	var b bytes.Buffer
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	err := jpeg.Encode(&b, img, nil)
	if asPNG {
		b.Reset()
		err = png.Encode(&b, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A matter that asks for a photo of the work is finished by a program with one,
// once in each round of the work.
func TestPhotosOfAProgram(t *testing.T) {
	d := newDesks(t, func(deps *api.Deps) {
		deps.Photos = ok[*privacy.PhotoCleaner](t)(privacy.NewPhotoCleaner(privacy.PhotoLimits{
			MaxBytesIn: 100_000, MaxPixels: 1_000_000, MaxSide: 640, MaxBytesOut: 50_000,
		}))
		deps.Policy.Photos.AtOnce = 1
	})
	number := d.clerk.file(object{"words": "昌盛小区门口的井盖没了", "matter": "manhole", "place": object{"text": "昌盛小区"}})
	desk := d.text(`select desk from assignment where role = 'lead'`)
	unit := d.unit
	if desk != "urban_management" {
		d.exec(`update assignment set desk_kind = 'unit', desk = 'urban_management' where role = 'lead'`)
	}
	// The platform sends what the reporter photographed; the same key is the same
	// photo.
	a := d.clerk.send("POST", path(number, "/photos"), "photo-of-12345", picture(t, 800, 600, false))
	if a.Status != http.StatusCreated || a.Body["use"] != "report" {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	again := d.clerk.send("POST", path(number, "/photos"), "photo-of-12345", picture(t, 800, 600, false))
	if again.Raw != a.Raw || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("again: %d %s", again.Status, again.Raw)
	}
	d.clerk.send("POST", path(number, "/photos"), "photo-of-12345", picture(t, 10, 10, true)).problem(t, http.StatusUnprocessableEntity, "key_reused")

	// The unit's own photo counts as evidence, that of the report does not.
	unit.post(path(number, "/photos"), picture(t, 40, 30, true)).problem(t, http.StatusConflict, "refused") // has not signed
	unit.do(number, "take", object{})
	unit.do(number, "contact", object{"via": "phone", "reached": true})
	unit.refused(number, "finish", "no_photo", object{"result": "resolved", "reply": "井盖已装好"})
	a = unit.post(path(number, "/photos"), picture(t, 40, 30, true))
	if a.Status != http.StatusCreated || a.Body["use"] != "evidence" {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	list := items(t, unit.get(path(number, "/photos")))
	if len(list) != 2 || list[0]["use"] != "report" || list[1]["id"] != a.Body["id"] {
		t.Fatalf("listed: %v", list)
	}
	got := unit.get(path(number, "/photos/", list[0]["id"].(string)))
	cfg, kind, err := image.DecodeConfig(strings.NewReader(got.Raw))
	if err != nil || kind != "jpeg" || cfg.Width != 640 || got.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("photo: %d %s %v", got.Status, kind, err)
	}
	unit.get(path(number, "/photos/", rand.Text())).problem(t, http.StatusNotFound, "not_found")
	if n := d.number(`select count(*) from ticket_file f join blob b on b.id = f.blob_id where f.added_by like 'token:%' and b.mime = 'image/jpeg' and b.kind = 'photo'`); n != 2 {
		t.Errorf("%d photos are kept", n)
	}
	unit.do(number, "finish", object{"result": "resolved", "reply": "井盖已装好"})
	d.callback.do(number, "callback_result", object{"contacted": "yes", "solved": "no", "satisfied": "dissatisfied"})
	d.callback.do(number, "judge", object{"verdict": "redo", "words": "没有装好"})
	unit.do(number, "take", object{})
	unit.refused(number, "finish", "no_photo", object{"result": "resolved", "reply": "装好了"})

	// What is none, too large, too many, or from who may not.
	unit.post(path(number, "/photos"), "这不是照片").problem(t, http.StatusUnsupportedMediaType, "media_type")
	unit.post(path(number, "/photos"), "").problem(t, http.StatusBadRequest, "invalid")
	unit.post(path(number, "/photos"), picture(t, 1001, 1000, false)).problem(t, http.StatusRequestEntityTooLarge, "too_large")
	unit.post(path(number, "/photos"), strings.Repeat("\xff\xd8\xff", 40_000)).problem(t, http.StatusRequestEntityTooLarge, "too_large")
	for range 6 {
		unit.post(path(number, "/photos"), picture(t, 4, 3, true))
	}
	unit.post(path(number, "/photos"), picture(t, 4, 3, true)).problem(t, http.StatusConflict, "too_many")
	unit.do(number, "finish", object{"result": "resolved", "reply": "装好了"})
	d.supervisor.post(path(number, "/photos"), picture(t, 4, 3, true)).problem(t, http.StatusForbidden, "forbidden")
	d.other.post(path(number, "/photos"), picture(t, 4, 3, true)).problem(t, http.StatusNotFound, "not_found")
	d.other.get(path(number, "/photos")).problem(t, http.StatusNotFound, "not_found")
	d.clerk.send("POST", path(number, "/photos"), "", picture(t, 4, 3, true)).problem(t, http.StatusUnprocessableEntity, "invalid")
	// While one comes in, another is turned away: its bytes are asked for only
	// once it has its place.
	coming, half := io.Pipe()
	req := ok[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, d.server.URL+"/api/v1"+path(number, "/photos"), coming))
	req.Header.Set("Authorization", "Bearer "+d.clerk.token)
	req.Header.Set("Idempotency-Key", "slow-photo")
	req.Header.Set("Expect", "100-continue")
	patient := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour}}
	done := make(chan int)
	go func() {
		resp, err := patient.Do(req)
		if err != nil {
			t.Error(err)
			done <- 0
			return
		}
		resp.Body.Close()
		done <- resp.StatusCode
	}()
	slow := picture(t, 4, 3, true)
	for i, part := range []string{slow[:3], slow[3:]} {
		if _, err := io.WriteString(half, part); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			d.clerk.post(path(number, "/photos"), slow).problem(t, http.StatusTooManyRequests, "too_many")
		}
	}
	half.Close()
	defer patient.CloseIdleConnections()
	if got := <-done; got != http.StatusCreated {
		t.Errorf("the photo that came slowly: %d", got)
	}
	// A report of words keeps its own limit.
	d.clerk.post("/tickets", object{"words": strings.Repeat("长", 30_000)}).problem(t, http.StatusRequestEntityTooLarge, "too_large")
}
