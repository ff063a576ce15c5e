package telegramfake

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
)

// maxBody is the longest request that is read: a photo of 10 MB and a form.
const maxBody = 11 << 20

type object = map[string]any

// params are the arguments of one call, whichever way they came: multipart,
// urlencoded, JSON or in the query.
type params struct {
	values map[string]string // JSON values as they were written
	files  map[string][]byte
}

func readParams(r *http.Request) (params, error) {
	p := params{values: map[string]string{}, files: map[string][]byte{}}
	for k, v := range r.URL.Query() {
		p.values[k] = v[0]
	}
	kind, attrs, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body := http.MaxBytesReader(nil, r.Body, maxBody)
	switch kind {
	case "application/json":
		return p, p.readJSON(body)
	case "multipart/form-data":
		return p, p.readForm(multipart.NewReader(body, attrs["boundary"]))
	case "application/x-www-form-urlencoded":
		r.Body = body
		if err := r.ParseForm(); err != nil {
			return p, errors.New("can't parse the form")
		}
		for k, v := range r.PostForm {
			p.values[k] = v[0]
		}
	}
	return p, nil
}

func (p params) readJSON(body io.Reader) error {
	var values map[string]json.RawMessage
	if err := json.NewDecoder(body).Decode(&values); err != nil && !errors.Is(err, io.EOF) {
		return errors.New("can't parse JSON object")
	}
	for k, raw := range values {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			p.values[k] = text
		} else {
			p.values[k] = string(raw)
		}
	}
	return nil
}

func (p params) readForm(form *multipart.Reader) error {
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.New("can't parse the form")
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return errors.New("request is too large")
		}
		if part.FileName() != "" {
			p.files[part.FormName()] = data
		} else {
			p.values[part.FormName()] = string(data)
		}
	}
}

func (p params) number(name string) int64 {
	n, _ := strconv.ParseInt(p.values[name], 10, 64) // absent is 0
	return n
}

// into decodes a JSON argument; an absent one leaves v as it is.
func (p params) into(name string, v any) error {
	raw := p.values[name]
	if raw == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(raw), v); err != nil {
		return errors.New("can't parse " + name + " JSON object")
	}
	return nil
}

// reply is what a call comes to.
type reply struct {
	status int
	body   object
}

func success(result any) reply { return reply{http.StatusOK, object{"ok": true, "result": result}} }

func failure(status int, why string) reply {
	return reply{status, object{"ok": false, "error_code": status, "description": why}}
}

func bad(why string) reply { return failure(http.StatusBadRequest, "Bad Request: "+why) }

// with adds parameters to a failure.
func (r reply) with(name string, value any) reply {
	r.body["parameters"] = object{name: value}
	return r
}

func answer(w http.ResponseWriter, r reply) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r.body) // who has gone needs no answer
}
