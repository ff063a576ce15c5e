package telegramfake

import (
	"bytes"
	"image"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

const (
	maxText      = 4096
	maxCaption   = 1024
	maxPhoto     = 10 << 20
	maxDownload  = 20 << 20
	maxPhotoEdge = 10000 // width and height together
)

// target finds the chat of a call, or says why it cannot be written to.
func (s *Server) target(p params) (*chat, *reply) {
	refuse := func(r reply) (*chat, *reply) { return nil, &r }
	raw := p.values["chat_id"]
	if raw == "" {
		return refuse(bad("chat_id is empty"))
	}
	id, err := strconv.ParseInt(raw, 10, 64)
	c := s.chats[id]
	switch {
	case err != nil || c == nil:
		return refuse(bad("chat not found"))
	case c.movedTo != 0:
		return refuse(bad("group chat was upgraded to a supergroup chat").with("migrate_to_chat_id", c.movedTo))
	case c.gone && c.kind == "private":
		return refuse(failure(http.StatusForbidden, "Forbidden: bot was blocked by the user"))
	case c.gone:
		return refuse(failure(http.StatusForbidden, "Forbidden: bot was kicked from the "+c.kind+" chat"))
	}
	return c, nil
}

func (s *Server) sendMessage(p params) reply {
	c, refused := s.target(p)
	if refused != nil {
		return *refused
	}
	text, err := shown(p, "text", maxText, "message text is empty", "message is too long")
	if err != nil {
		return bad(err.Error())
	}
	return s.sent("sendMessage", c, p, object{"text": text}, nil)
}

func (s *Server) sendPhoto(p params) reply {
	c, refused := s.target(p)
	if refused != nil {
		return *refused
	}
	data, ok := p.files["photo"]
	if !ok {
		if data, ok = s.files[p.values["photo"]]; !ok {
			return bad("wrong file identifier/HTTP URL specified")
		}
	}
	if len(data) > maxPhoto {
		return bad("file is too big")
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return bad("IMAGE_PROCESS_FAILED")
	}
	if cfg.Width+cfg.Height > maxPhotoEdge {
		return bad("PHOTO_INVALID_DIMENSIONS")
	}
	caption, err := shown(p, "caption", maxCaption, "", "message caption is too long")
	if err != nil {
		return bad(err.Error())
	}
	return s.sent("sendPhoto", c, p, s.photoContent(data, caption), data)
}

// sent puts a message of the bot into its chat, where users see it.
func (s *Server) sent(method string, c *chat, p params, content object, photo []byte) reply {
	buttons, err := keyboard(p)
	if err != nil {
		return bad(err.Error())
	}
	replyTo, refused := replyOf(c, p)
	if refused != nil {
		return *refused
	}
	content["from"] = s.me()
	if len(buttons) > 0 {
		content["reply_markup"] = object{"inline_keyboard": buttons}
	}
	if m := c.messages[replyTo]; m != nil {
		content["reply_to_message"] = m.quoted()
	}
	m := s.keep(c, content)
	m.ours, m.photo, m.buttons = true, photo, buttons
	s.show(method, c, m, false, replyTo)
	return success(m.body)
}

// replyOf reads which message is answered.
func replyOf(c *chat, p params) (int64, *reply) {
	var to struct {
		MessageID int64 `json:"message_id"`
		Anyway    bool  `json:"allow_sending_without_reply"`
	}
	to.MessageID = p.number("reply_to_message_id")
	if err := p.into("reply_parameters", &to); err != nil {
		r := bad(err.Error())
		return 0, &r
	}
	if to.MessageID == 0 || c.messages[to.MessageID] != nil {
		return to.MessageID, nil
	}
	if to.Anyway {
		return 0, nil
	}
	r := bad("message to be replied not found")
	return 0, &r
}

// edit changes a message of the bot.
func (s *Server) edit(method string, p params) reply {
	c, refused := s.target(p)
	if refused != nil {
		return *refused
	}
	m := c.messages[p.number("message_id")]
	switch {
	case m == nil:
		return bad("message to edit not found")
	case !m.ours:
		return bad("message can't be edited")
	}
	text, err := m.text, error(nil)
	switch method {
	case "editMessageText":
		if m.photo != nil {
			return bad("there is no text in the message to edit")
		}
		text, err = shown(p, "text", maxText, "message text is empty", "message is too long")
	case "editMessageCaption":
		if m.photo == nil {
			return bad("there is no caption in the message to edit")
		}
		text, err = shown(p, "caption", maxCaption, "", "message caption is too long")
	}
	if err != nil {
		return bad(err.Error())
	}
	buttons, err := keyboard(p)
	if err != nil {
		return bad(err.Error())
	}
	if text == m.text && reflect.DeepEqual(buttons, m.buttons) {
		return bad("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	m.text, m.buttons = text, buttons
	body := maps.Clone(m.body)
	body["edit_date"] = s.cfg.Now().Unix()
	delete(body, "reply_markup")
	if len(buttons) > 0 {
		body["reply_markup"] = object{"inline_keyboard": buttons}
	}
	field := "text"
	if m.photo != nil {
		field = "caption"
	}
	body[field] = text
	m.body = body
	s.show(method, c, m, true, 0)
	return success(body)
}

func (s *Server) answerCallback(p params) reply {
	id := p.values["callback_query_id"]
	if _, ok := s.tapped[id]; !ok {
		return bad("query is too old and response timeout expired or query ID is invalid")
	}
	if units(p.values["text"]) > 200 {
		return bad("MESSAGE_TOO_LONG")
	}
	s.tapped[id] = true
	return success(true)
}

func (s *Server) getFile(p params) reply {
	id := p.values["file_id"]
	data, ok := s.files[id]
	if !ok {
		return bad("wrong file_id or the file is temporarily unavailable")
	}
	if len(data) > maxDownload {
		return bad("file is too big")
	}
	return success(object{"file_id": id, "file_unique_id": "u" + id, "file_size": len(data), "file_path": "photos/" + id})
}

// file serves the bytes behind getFile's path.
func (s *Server) file(w http.ResponseWriter, path string) {
	s.mu.Lock()
	data, ok := s.files[strings.TrimPrefix(path, "photos/")]
	s.mu.Unlock()
	if !ok {
		answer(w, failure(http.StatusNotFound, "Not Found"))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data)
}

func (s *Server) memberCount(p params) reply {
	c, refused := s.target(p)
	if refused != nil {
		return *refused
	}
	return success(len(c.members) + 1)
}
