package gateway

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"shaoying/internal/audit"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// saying is a copy of the test dialogues in which welcome says something else.
func saying(t testing.TB, text string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	root := os.DirFS("testdata")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(root, path)
		files[path] = &fstest.MapFile{Data: body}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["flows/welcome.yaml"] = &fstest.MapFile{Data: []byte("flow: welcome\ntitle: 欢迎\nsteps:\n  - say: " + text + "\n")}
	return files
}

func (r *rig) load(files fs.FS, source string) {
	r.t.Helper()
	l, err := LoadLibrary(r.t.Context(), r.DB, files, source)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Library = l
}

func (r *rig) versions(name string) int64 {
	return r.count(`select count(*) from definition where kind = 'flow' and name = $1`, name)
}

func TestConsoleOverFileOverEmbedded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.load(saying(t, "文件"), "file")
	r.want(r.says("li", "唉"), "文件")
	r.load(saying(t, "新程序"), "embedded") // a newer program
	r.want(r.says("li", "唉"), "文件")
	publish := func(text string) {
		t.Helper()
		body := string(saying(t, text)["flows/welcome.yaml"].Data)
		if _, err := r.DB.AddDefinition(t.Context(), db.AddDefinitionParams{Kind: "flow", Name: "welcome", Sha: []byte(text), Body: body, Source: "console"}); err != nil {
			t.Fatal(err)
		}
		if err := r.Library.Reload(t.Context(), r.DB); err != nil {
			t.Fatal(err)
		}
	}
	publish("控制台一")
	publish("控制台二")
	r.want(r.says("li", "唉"), "控制台二")
	r.load(saying(t, "文件二"), "file")
	r.want(r.says("li", "唉"), "控制台二")
}

func TestADefinitionIsStoredWhenItIsNew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	before := r.versions("welcome")
	r.load(os.DirFS("testdata"), "embedded")
	if n := r.versions("welcome"); n != before {
		t.Fatalf("the same text made version %d", n)
	}
	r.load(saying(t, "二"), "embedded")
	r.load(os.DirFS("testdata"), "embedded") // going back is new too
	if n := r.versions("welcome"); n != before+2 {
		t.Fatalf("%d versions, want %d", n, before+2)
	}
	r.want(r.says("li", "唉"), "您好，有事请直说。")
}

func TestARunningDialogueKeepsItsVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.says("li", "报修")
	files := saying(t, "x")
	old := string(files["flows/report.yaml"].Data)
	files["flows/report.yaml"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(old, "在什么地方？", "在哪个村？"))}
	r.load(files, "embedded")
	r.want(r.says("li", "楼道灯坏了"), "在什么地方？")
	r.says("wang", "报修")
	r.want(r.says("wang", "楼道灯坏了"), "在哪个村？")
	// What was queued before is said in the words of then.
	if got := r.row(r.count(`select min(id) from outbox where chat = 'li'`)); got.Text != "请说说是什么事。" {
		t.Fatalf("said %q", got.Text)
	}
}

func TestABadDefinitionIsRefusedWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	files := saying(t, "neu")
	files["flows/zz.yaml"] = &fstest.MapFile{Data: []byte("flow: zz\nsteps: 7\n")}
	before := r.count(`select count(*) from definition`)
	if _, err := LoadLibrary(t.Context(), r.DB, files, "file"); err == nil || !strings.Contains(err.Error(), "zz.yaml") {
		t.Fatalf("LoadLibrary said %v", err)
	}
	if n := r.count(`select count(*) from definition`); n != before {
		t.Fatal("half of the files were stored")
	}
}

func TestWhatTheLibraryKnows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.Library
	if !l.Has("report") || l.Has("nothing") {
		t.Error("Has is wrong")
	}
	if _, _, err := l.Flow("nothing", 0); !errors.Is(err, ErrNoDefinition) {
		t.Errorf("Flow said %v", err)
	}
	if _, _, err := l.TextSource("no.key"); !errors.Is(err, ErrNoDefinition) {
		t.Errorf("TextSource said %v", err)
	}
	if _, err := l.Template("flow:report", "x", 99, "en"); !errors.Is(err, ErrNoDefinition) {
		t.Errorf("Template said %v", err)
	}
	if s, err := l.Text("note.told", "en", map[string]string{"what": "x"}); err != nil || s != "Note: x" {
		t.Errorf("Text: %q, %v", s, err)
	}
	if f, ok := l.GlobalFlow("help", true); !ok || f != "staff_help" {
		t.Errorf("the help of the staff is %q", f)
	}
	if _, ok := l.GlobalFlow("help", false); ok {
		t.Error("residents got a help that is not there")
	}
	if _, ok := l.Starts()["survey"]; ok {
		t.Error("a push dialogue can be begun by a word")
	}
	if len(l.StaffStarts()["staff_take"]) == 0 || len(l.Current()) != int(r.count(`select count(distinct name) from definition where kind = 'flow'`)) {
		t.Error("the lists are short")
	}
}

func TestAGatewayNeedsItsDialogues(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	deps := r.Deps
	deps.Library = &Library{}
	if _, err := New(Config{}, deps); !errors.Is(err, ErrNoDefinition) {
		t.Errorf("New said %v", err)
	}
	deps.DB = nil
	if _, err := New(Config{}, deps); err == nil {
		t.Error("New made a gateway without a database")
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	record := func(words string) {
		t.Helper()
		tx, _, err := r.DB.BeginTurn(t.Context(), []postgres.Incoming{{Channel: "web", Chat: "li", User: "li", Trust: "session"}})
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(t.Context())
		if err := Record(t.Context(), &tx.Tx, r.Keys, "staff:7", "ticket.note", "ticket:1", map[string]any{"to": 3}, words); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(t.Context(), nil, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	record("")
	record("王秀英来过")
	record("王秀英来过")
	rows, err := r.DB.TrailOf(t.Context(), "ticket:1")
	if err != nil || len(rows) != 3 || rows[0].Actor != "staff:7" || string(rows[0].Data) != `{"to": 3}` {
		t.Fatalf("%+v, %v", rows, err)
	}
	if n := r.count(`select count(*) from trail where digest is null`); n != 1 {
		t.Errorf("%d rows without words, want 1", n)
	}
	if n := r.count(`select count(distinct digest) from trail`); n != 2 {
		t.Error("the same words have the same digest: they can be guessed")
	}
	var salt, body, digest []byte
	err = r.sql.QueryRow(t.Context(), `select w.salt, w.body, t.digest from trail_words w join trail t on t.id = w.trail_id limit 1`).Scan(&salt, &body, &digest)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := r.Keys.Open(body, aadTrail)
	if err != nil || string(audit.Salted(plain, salt)) != string(digest) {
		t.Fatalf("the digest does not belong to %q, %v", plain, err)
	}
}

func TestATextKeyStandsOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	files := saying(t, "好")
	files["texts/twice.yaml"] = &fstest.MapFile{Data: []byte("choice.stale: 又一个\n")}
	_, err := LoadLibrary(t.Context(), r.DB, files, "file")
	if err == nil || !strings.Contains(err.Error(), "choice.stale") || !strings.Contains(err.Error(), "texts/twice.yaml") {
		t.Fatalf("got %v, want it to name the key and both files", err)
	}
}
