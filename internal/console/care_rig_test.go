package console_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"shaoying/internal/people"
)

// ward is a clinic with its hospital and the browsers of its people.
type ward struct {
	*rig
	clinic, hospital           int64
	clerk, desk, doctor, nurse *http.Client
	liaison, stranger          *http.Client
	doctorID, nurseID, otherID int64
}

func (r *rig) ward() *ward {
	r.t.Helper()
	w := &ward{rig: r}
	r.exec(`insert into unit (code, name, kind) values ('hos', '市第一医院', 'hospital'), ('cli', '青山卫生院', 'clinic'), ('far', '远山卫生院', 'clinic')`)
	w.hospital = r.number(`insert into clinic (code, name, tier, phone) values ('hos', '市第一医院', 'hospital', '0799-1111111') returning id`)
	w.clinic = r.number(`insert into clinic (code, name, tier, phone, hospital_id, townships) values ('cli', '青山卫生院', 'clinic', '0799-2222222', $1, '{360313001}') returning id`, w.hospital)
	r.exec(`insert into clinic (code, name, tier, phone) values ('far', '远山卫生院', 'clinic', '0799-3333333')`)
	w.clerk = r.browser(r.hire("calls", people.RoleCallbackClerk, people.AreaCity, "3603"))
	w.desk = r.browser(r.hire("desk", people.RoleClinicDesk, people.AreaUnit, "cli"))
	w.doctorID, w.nurseID = r.hire("doc", people.RoleDoctor, people.AreaUnit, "cli"), r.hire("nurse", people.RoleNurse, people.AreaUnit, "cli")
	w.otherID = r.hire("nurse2", people.RoleNurse, people.AreaUnit, "cli")
	r.exec(`update staff set name = '李平' where slug = 'doc'`)
	r.exec(`update staff set name = '王静' where slug = 'nurse'`)
	r.exec(`update staff set name = '陈芳' where slug = 'nurse2'`)
	w.doctor, w.nurse = r.browser(w.doctorID), r.browser(w.nurseID)
	w.liaison = r.browser(r.hire("liaison", people.RoleLiaison, people.AreaUnit, "hos"))
	w.stranger = r.browser(r.hire("far-desk", people.RoleClinicDesk, people.AreaUnit, "far"))
	return w
}

// send posts a form and fails unless it is taken.
func (w *ward) send(c *http.Client, path string, form url.Values) string {
	w.t.Helper()
	status, body := w.post(c, path, form)
	if status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", path, status, trouble(body))
	}
	return body
}

// refused posts a form that is not taken and returns why.
func (w *ward) refused(c *http.Client, path string, form url.Values) string {
	w.t.Helper()
	status, body := w.post(c, path, form)
	if status != http.StatusConflict && status != http.StatusUnprocessableEntity {
		w.t.Fatalf("%s was taken: %d", path, status)
	}
	return trouble(body)
}

// sendWith posts a form with a file.
func (w *ward) sendWith(c *http.Client, path string, form url.Values, field, name string, file []byte) (int, string) {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, list := range form {
		for _, v := range list {
			if err := m.WriteField(k, v); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	f, err := m.CreateFormFile(field, name)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := f.Write(file); err != nil {
		w.t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		w.t.Fatal(err)
	}
	resp, err := c.Post(w.server.URL+path, m.FormDataContentType(), &b)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, body.String()
}

// scan is a picture of a paper.
func scan() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 32, 32)), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// call is the wish of a daughter for her father, as a clerk takes it down.
func call() url.Values {
	return url.Values{
		"words": {"瘫在床上，出不了门"}, "patient": {"刘大山"}, "place": {"昌盛小区"}, "name": {"刘小梅"}, "phone": {"13800138000"},
		"answer": {"sms"}, "dependent": {"1"},
	}
}

// applied takes the wish down and returns its page.
func (w *ward) applied() string {
	w.t.Helper()
	w.send(w.clerk, "/desk/care/new", call())
	return fmt.Sprintf("/desk/care/application/%d", w.number(`select max(id) from care_application`))
}

// registered goes on to a bed that waits for the signature, and returns its page.
func (w *ward) registered() string {
	w.t.Helper()
	page := w.applied()
	w.send(w.desk, page+"/do/screen", url.Values{"q_stable": {"yes"}, "q_housebound": {"yes"}, "q_served": {"yes"}, "q_adult": {"yes"}})
	w.send(w.desk, page+"/do/assess", url.Values{"condition": {"yes"}, "home_fit": {"yes"}})
	w.send(w.desk, page+"/do/register", url.Values{
		"type": {"treatment"}, "number": {"JC-1"}, "hospital": {fmt.Sprint(w.hospital)}, "order_1": {"1"}, "relation_1": {"daughter"}, "dependent": {"1"},
	})
	return fmt.Sprintf("/desk/bed/%d", w.number(`select max(id) from bed`))
}

// opened goes on to an open bed with a nurse who comes every week.
func (w *ward) opened() string {
	w.t.Helper()
	bed := w.registered()
	daughter := w.number(`select person_id from bed_carer limit 1`)
	status, body := w.sendWith(w.desk, bed+"/do/sign", url.Values{
		"form": {"sign"}, "form_of": {"paper"}, "person": {fmt.Sprint(daughter)}, "signed_at": {"2026-03-03T01:00"},
	}, "photo", "p.jpg", scan())
	if status != http.StatusOK {
		w.t.Fatalf("sign: %d %s", status, trouble(body))
	}
	w.send(w.desk, bed+"/do/open", url.Values{"doctor": {fmt.Sprint(w.doctorID)}, "nurse": {fmt.Sprint(w.nurseID)}, "diagnosis": {"脑梗后遗症"}, "to": {"2026-04-01"}})
	w.send(w.desk, bed+"/do/order", url.Values{"kind": {"nursing"}, "every": {"7"}, "staff": {fmt.Sprint(w.nurseID)}, "from": {"2026-03-05"}, "window": {"09:00-11:00"}})
	return bed
}

// deeds are the forms of a page of family beds.
func (w *ward) deeds(c *http.Client, page string) string {
	w.t.Helper()
	status, body := w.get(c, page)
	if status != http.StatusOK {
		return fmt.Sprint(status)
	}
	var names []string
	for _, m := range offered.FindAllStringSubmatch(body, -1) {
		names = append(names, m[1])
	}
	return strings.Join(names, " ")
}

// wordless finds keys on a page for which there is no text.
var wordless = regexp.MustCompile(`[>"](?:care|console)\.[a-z_.0-9]+[<"]`)
