package console_test

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/internal/people"
)

// account is one that a person logs in.
type account struct {
	bots.Adapter
	standing bots.Standing
	err      error
}

func (a *account) Standing(context.Context) (bots.Standing, error) { return a.standing, a.err }

const secretCode = "https://login.weixin.qq.com/l/secret-code=="

// TestLogins: who may log accounts in sees how they stand, and the code of one in
// a look that the trail knows of and that ends; nobody else sees that there are any.
func TestLogins(t *testing.T) {
	r := newRig(t)
	phone := &account{standing: bots.Standing{State: bots.StandingScan, QR: secretCode, Since: time.Date(2026, 3, 3, 0, 30, 0, 0, time.UTC)}}
	r.Channels["wx"], r.Channels["web"] = phone, nil
	admin := r.browser(r.hire("admin", people.RoleAdmin, people.AreaCity, "3603"))
	second := r.browser(r.hire("second", people.RoleAdmin, people.AreaCity, "3603"))
	o := r.office()

	for name, path := range map[string]string{"list": "/desk/channels", "account": "/desk/channels/wx", "code": "/desk/channels/wx/code.png"} {
		if status, body := r.get(o.dispatcher, path); status != http.StatusNotFound || strings.Contains(body, "secret") {
			t.Errorf("a dispatcher opens the %s: %d", name, status)
		}
	}
	if status, _ := r.post(o.dispatcher, "/desk/channels/wx", nil); status != http.StatusNotFound {
		t.Errorf("a dispatcher looks: %d", status)
	}
	if _, body := r.get(admin, "/desk"); !strings.Contains(body, `href="/desk/channels"`) {
		t.Error("no way leads to the accounts")
	}
	if _, body := r.get(o.dispatcher, "/desk"); strings.Contains(body, `href="/desk/channels"`) {
		t.Error("a dispatcher is led to the accounts")
	}
	status, body := r.get(admin, "/desk/channels")
	if status != http.StatusOK || !strings.Contains(body, "等人扫码") || strings.Contains(body, "secret-code") || strings.Contains(body, "<b>web</b>") {
		t.Fatalf("list: %d %s", status, body)
	}
	if r.number(`select count(*) from trail where kind = 'look.login'`) != 0 {
		t.Error("a list counts as a look")
	}
	// Who is told that an account is out is sent to a page by its name.
	said, err := configs.Read("texts/staff.yaml")
	if title := regexp.MustCompile(`<h2>(.+?)</h2>`).FindStringSubmatch(body); err != nil || title == nil || !strings.Contains(string(said), "打开“"+title[1]+"”") {
		t.Errorf("the page is called %q, which nobody is told of: %v", title, err)
	}

	status, body = r.post(admin, "/desk/channels/wx", nil)
	picture := regexp.MustCompile(`/desk/channels/wx/code\.png\?look=[A-Za-z0-9_-]+`).FindString(body)
	if status != http.StatusOK || picture == "" || strings.Contains(body, "secret-code") {
		t.Fatalf("look: %d %s", status, body)
	}
	if r.text(`select subject from trail where kind = 'look.login'`) != "channel:wx" {
		t.Error("the trail does not know of the look")
	}
	status, body = r.get(admin, picture)
	if _, err := png.Decode(bytes.NewReader([]byte(body))); status != http.StatusOK || err != nil {
		t.Fatalf("picture: %d %v", status, err)
	}
	if status, _ := r.get(second, picture); status != http.StatusNotFound {
		t.Errorf("somebody else uses the look: %d", status)
	}
	if status, _ := r.get(admin, strings.Replace(picture, "/wx/", "/web/", 1)); status != http.StatusNotFound {
		t.Errorf("the look opens another account: %d", status)
	}
	if _, body := r.get(admin, "/desk/channels/wx"); strings.Contains(body, "code.png") {
		t.Error("the code is shown without a look")
	}

	if err := r.DB.SetProductTime(t.Context(), time.Date(2026, 3, 3, 1, 11, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.get(admin, picture); status != http.StatusNotFound {
		t.Errorf("a look does not end: %d", status)
	}

	phone.standing = bots.Standing{State: bots.StandingOnline}
	if _, body := r.get(admin, "/desk/channels"); !strings.Contains(body, "已登录") || strings.Contains(body, "打开二维码") {
		t.Error("a code is offered that nobody has to scan")
	}
	phone.err = errors.New("no database")
	if status, body := r.get(admin, "/desk/channels"); status != http.StatusOK || strings.Contains(body, "no database") {
		t.Errorf("an account that cannot be asked: %d", status)
	}
}
