package wechatfake

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
)

// filePart is the file in an upload whose ticket is the cookie's.
func filePart(r *http.Request, body []byte) (file []byte, ok bool) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, false
	}
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	ticket := ""
	for {
		part, err := parts.NextPart()
		if err != nil {
			return file, file != nil && ticket == secretTicket
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, false
		}
		switch part.FormName() {
		case "filename":
			file = data
		case "webwx_data_ticket":
			ticket = string(data)
		}
	}
}
