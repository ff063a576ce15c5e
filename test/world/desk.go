package world

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Desk is somebody before the desk page, who fills in its forms as a browser
// does: what the page has put into a form goes back with it.
type Desk struct {
	t    testing.TB
	base string
	http *http.Client
	// Page is what is on the screen.
	Page string
}

var (
	forms   = regexp.MustCompile(`(?s)<form([^>]*)>(.*?)</form>`)
	inputs  = regexp.MustCompile(`<(?:input|button)([^>]*)>`)
	areas   = regexp.MustCompile(`(?s)<textarea([^>]*)>(.*?)</textarea>`)
	selects = regexp.MustCompile(`(?s)<select([^>]*)>(.*?)</select>`)
	options = regexp.MustCompile(`<option([^>]*)>([^<]*)`)
	markup  = regexp.MustCompile(`<[^>]*>`)
	pairs   = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

func attribute(tag, name string) string {
	for _, m := range pairs.FindAllStringSubmatch(tag, -1) {
		if m[1] == name {
			return html.UnescapeString(m[2])
		}
	}
	return ""
}

// Desk opens the desk page as a member of the demo's staff.
func (s *Server) Desk(t testing.TB, slug string) *Desk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	Must(t, err)
	d := &Desk{t: t, base: s.URL, http: &http.Client{Jar: jar}}
	t.Cleanup(d.http.CloseIdleConnections)
	d.Open("/demo/as/" + slug + "/desk")
	return d
}

// Open opens a page of the desk and fails the test when it is refused.
func (d *Desk) Open(path string) string {
	d.t.Helper()
	res, err := d.http.Get(d.base + path)
	Must(d.t, err)
	d.show(path, res)
	return d.Page
}

func (d *Desk) show(what string, res *http.Response) {
	d.t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	Must(d.t, err)
	d.Page = string(body)
	if res.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %s\n%s", what, res.Status, d.Text())
	}
}

// Text is the page without its markup.
func (d *Desk) Text() string {
	return html.UnescapeString(strings.Join(strings.Fields(markup.ReplaceAllString(d.Page, " ")), " "))
}

// Has fails the test unless the page shows every part.
func (d *Desk) Has(parts ...string) {
	d.t.Helper()
	if !Holds(d.Text(), parts...) {
		d.t.Fatalf("the desk page does not show %q:\n%s", parts, d.Text())
	}
}

// Submit sends the form of the page whose address ends with action, with values
// over what the page has put into it: name and value in turn, a label of an option
// instead of its value where there is one. The page that follows is opened.
func (d *Desk) Submit(action string, values ...string) {
	d.t.Helper()
	for _, m := range forms.FindAllStringSubmatch(d.Page, -1) {
		to := attribute(m[1], "action")
		if !strings.HasSuffix(to, action) {
			continue
		}
		kind, body := packed(d.t, attribute(m[1], "enctype"), fill(d.t, m[2], values))
		res, err := d.http.Post(d.base+to, kind, body)
		Must(d.t, err)
		d.show(to, res)
		if i := strings.Index(d.Page, `class="trouble"`); i >= 0 {
			d.t.Fatalf("%s is refused:\n%s", to, d.Text())
		}
		return
	}
	d.t.Fatalf("no form goes to %q:\n%s", action, d.Page)
}

// packed makes the body of a form, as its page wants it.
func packed(t testing.TB, kind string, filled url.Values) (string, io.Reader) {
	t.Helper()
	if kind != "multipart/form-data" {
		return "application/x-www-form-urlencoded", strings.NewReader(filled.Encode())
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, list := range filled {
		for _, value := range list {
			Must(t, form.WriteField(name, value))
		}
	}
	Must(t, form.Close())
	return form.FormDataContentType(), &body
}

// fill reads what a form holds and puts values over it.
func fill(t testing.TB, form string, values []string) url.Values {
	t.Helper()
	filled, labels := url.Values{}, map[string]map[string]string{}
	for _, m := range inputs.FindAllStringSubmatch(form, -1) {
		name, kind := attribute(m[1], "name"), attribute(m[1], "type")
		ticked := strings.Contains(m[1], " checked")
		if name == "" || kind == "file" || kind == "submit" || (kind == "checkbox" || kind == "radio") && !ticked {
			continue
		}
		filled[name] = append(filled[name], attribute(m[1], "value"))
	}
	for _, m := range areas.FindAllStringSubmatch(form, -1) {
		filled[attribute(m[1], "name")] = []string{html.UnescapeString(m[2])}
	}
	for _, m := range selects.FindAllStringSubmatch(form, -1) {
		name := attribute(m[1], "name")
		labels[name] = map[string]string{}
		for i, o := range options.FindAllStringSubmatch(m[2], -1) {
			value := attribute(o[1], "value")
			labels[name][strings.TrimSpace(html.UnescapeString(o[2]))] = value
			if i == 0 || strings.Contains(o[1], " selected") {
				filled[name] = []string{value}
			}
		}
	}
	if len(values)%2 != 0 {
		t.Fatalf("%q is no list of names and values", values)
	}
	over := map[string][]string{}
	for i := 0; i < len(values); i += 2 {
		name, value := values[i], values[i+1]
		for label, v := range labels[name] {
			if strings.Contains(label, value) {
				value = v
				break
			}
		}
		over[name] = append(over[name], value)
	}
	for name, list := range over {
		filled[name] = list
	}
	return filled
}
