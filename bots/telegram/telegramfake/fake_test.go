package telegramfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const patience = 40 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bot calls the fake as a program would.
type bot struct {
	t    *testing.T
	s    *Server
	http *http.Client
}

func start(t *testing.T, cfg Config) (*Server, *bot) {
	t.Helper()
	s := New(cfg)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		s.Close()
		client.CloseIdleConnections()
	})
	return s, &bot{t, s, client}
}

// result is the answer to a call.
type result struct {
	status int
	OK     bool
	Result json.RawMessage
	Why    string `json:"description"`
	Params struct {
		RetryAfter int   `json:"retry_after"`
		NewChat    int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

func (b *bot) post(method, kind string, body io.Reader) (result, error) {
	req, err := http.NewRequest(http.MethodPost, b.s.URL()+"/bot"+b.s.Token()+"/"+method, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := b.http.Do(req)
	if err != nil {
		return result{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return result{}, err
	}
	out := result{status: resp.StatusCode}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("no JSON: %s", raw)
	}
	return out, nil
}

// call calls with a JSON body.
func (b *bot) call(method string, args map[string]any) result {
	b.t.Helper()
	body, err := json.Marshal(args)
	if err != nil {
		b.t.Fatal(err)
	}
	out, err := b.post(method, "application/json", bytes.NewReader(body))
	if err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	return out
}

type got struct {
	ID      int64 `json:"update_id"`
	Message *struct {
		Text string
		Date int64
	}
	Callback *struct{ ID, Data string } `json:"callback_query"`
	Edited   *struct{ Text string }     `json:"edited_message"`
	Member   *struct{}                  `json:"my_chat_member"`
}

func (b *bot) poll(offset int64) []got {
	b.t.Helper()
	var list []got
	r := b.call("getUpdates", map[string]any{"offset": offset})
	if err := json.Unmarshal(r.Result, &list); err != nil {
		b.t.Fatalf("getUpdates: %d %s: %v", r.status, r.Why, err)
	}
	return list
}

func (r result) wants(t *testing.T, status int, why string) {
	t.Helper()
	if r.status != status || r.OK != (status == 200) || !strings.Contains(r.Why, why) {
		t.Errorf("answered %d %q, want %d with %q", r.status, r.Why, status, why)
	}
}

func TestUpdatesComeUntilTheyAreConfirmed(t *testing.T) {
	s, b := start(t, Config{})
	u := s.User(7, "张三")
	u.Says("一")
	u.Says("二")
	first := b.poll(0)
	if len(first) != 2 || first[0].Message.Text != "一" || first[1].ID != first[0].ID+1 {
		t.Fatalf("polled %+v", first)
	}
	if again := b.poll(first[0].ID); len(again) != 2 {
		t.Fatalf("asked for the same again, got %d", len(again))
	}
	if rest := b.poll(first[0].ID + 1); len(rest) != 1 || rest[0].Message.Text != "二" || s.Waiting() != 1 {
		t.Fatalf("after confirming one: %+v", rest)
	}
	if none := b.poll(first[1].ID + 1); len(none) != 0 || s.Waiting() != 0 {
		t.Fatalf("after confirming all: %+v", none)
	}
	s.Redeliver()
	if again := b.poll(first[1].ID + 1); len(again) != 1 || again[0].Message.Text != "二" || again[0].ID == first[1].ID {
		t.Fatalf("redelivered %+v, want the same message under a new id", again)
	}
	u.Says("三")
	if last := b.poll(-1); len(last) != 1 || last[0].Message.Text != "三" {
		t.Fatalf("from the end: %+v", last)
	}
}

func TestALongPollWaitsAndTheOlderOneIsCutOff(t *testing.T) {
	s, b := start(t, Config{})
	answers := make(chan result, 2)
	poll := func() {
		r, err := b.post("getUpdates", "application/json", strings.NewReader(`{"timeout":30}`))
		if err != nil {
			t.Error(err)
		}
		answers <- r
	}
	var wg sync.WaitGroup
	wg.Go(poll)
	if !s.Await(patience, func() bool { return s.Calls("getUpdates") == 1 }) {
		t.Fatal("the first poll did not come")
	}
	wg.Go(poll)
	(<-answers).wants(t, 409, "terminated by other getUpdates")
	s.User(7, "张三").Says("来了")
	if r := <-answers; !strings.Contains(string(r.Result), "来了") {
		t.Errorf("the poll got %s", r.Result)
	}
	wg.Wait()
}

func TestWhatTelegramRefuses(t *testing.T) {
	s, b := start(t, Config{})
	s.User(7, "张三")
	gone := s.User(8, "李四")
	gone.Blocks()
	button := func(label, data string) map[string]any {
		return map[string]any{"inline_keyboard": [][]Button{{{label, data}}}}
	}
	many := make([][]Button, 101)
	for i := range many {
		many[i] = []Button{{"a", "b"}}
	}
	for name, c := range map[string]struct {
		args   map[string]any
		status int
		why    string
	}{
		"fits":              {map[string]any{"chat_id": 7, "text": strings.Repeat("🙂", 2048)}, 200, ""},
		"one unit too long": {map[string]any{"chat_id": 7, "text": strings.Repeat("🙂", 2048) + "a"}, 400, "message is too long"},
		"nothing but space": {map[string]any{"chat_id": 7, "text": " \n\t "}, 400, "message text is empty"},
		"unknown chat":      {map[string]any{"chat_id": 9, "text": "x"}, 400, "chat not found"},
		"no number":         {map[string]any{"chat_id": "zhang", "text": "x"}, 400, "chat not found"},
		"blocked":           {map[string]any{"chat_id": 8, "text": "x"}, 403, "bot was blocked by the user"},
		"data fits":         {map[string]any{"chat_id": 7, "text": "x", "reply_markup": button("好", strings.Repeat("d", 64))}, 200, ""},
		"data too long":     {map[string]any{"chat_id": 7, "text": "x", "reply_markup": button("好", strings.Repeat("d", 65))}, 400, "BUTTON_DATA_INVALID"},
		"no data":           {map[string]any{"chat_id": 7, "text": "x", "reply_markup": button("好", "")}, 400, "BUTTON_DATA_INVALID"},
		"no label":          {map[string]any{"chat_id": 7, "text": "x", "reply_markup": button(" ", "d")}, 400, "non-empty"},
		"too many":          {map[string]any{"chat_id": 7, "text": "x", "reply_markup": map[string]any{"inline_keyboard": many}}, 400, "too long"},
		"reply to nothing":  {map[string]any{"chat_id": 7, "text": "x", "reply_parameters": map[string]any{"message_id": 99}}, 400, "replied not found"},
		"reply all the same": {map[string]any{
			"chat_id": 7, "text": "x",
			"reply_parameters": map[string]any{"message_id": 99, "allow_sending_without_reply": true},
		}, 200, ""},
		"words as HTML":      {map[string]any{"chat_id": 7, "text": "a < b", "parse_mode": "HTML"}, 400, "can't parse entities"},
		"unknown tag":        {map[string]any{"chat_id": 7, "text": "<粗>", "parse_mode": "HTML"}, 400, "can't parse entities"},
		"open tag":           {map[string]any{"chat_id": 7, "text": "<b>粗", "parse_mode": "HTML"}, 400, "can't parse entities"},
		"good HTML":          {map[string]any{"chat_id": 7, "text": "<b>粗</b> &lt;", "parse_mode": "HTML"}, 200, ""},
		"words as Markdown":  {map[string]any{"chat_id": 7, "text": "3.5 元", "parse_mode": "MarkdownV2"}, 400, "can't parse entities"},
		"escaped Markdown":   {map[string]any{"chat_id": 7, "text": `3\.5 元`, "parse_mode": "MarkdownV2"}, 200, ""},
		"old Markdown":       {map[string]any{"chat_id": 7, "text": "a_b", "parse_mode": "Markdown"}, 400, "can't parse entities"},
		"unknown parse mode": {map[string]any{"chat_id": 7, "text": "x", "parse_mode": "BBCode"}, 400, "parse_mode"},
	} {
		t.Run(name, func(t *testing.T) {
			n := len(s.Seen())
			b.t = t
			b.call("sendMessage", c.args).wants(t, c.status, c.why)
			if shown := len(s.Seen()) - n; shown == 1 != (c.status == 200) {
				t.Errorf("users were shown %d messages", shown)
			}
		})
	}
	b.t = t
	b.call("sendMessage", map[string]any{"chat_id": 7, "text": " 前\r\n\u202e后\x01 "})
	seen := s.Seen()
	if text := seen[len(seen)-1].Text; text != "前\n后" {
		t.Errorf("users were shown %q", text)
	}
	b.call("noSuchMethod", nil).wants(t, 404, "Not Found")
	s.cfg.Token = "1:other" // the bot goes on with the old one
	resp, err := b.http.Get(s.URL() + "/bot" + DefaultToken + "/getMe")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("a wrong token is %d", resp.StatusCode)
	}
}

func TestEditsTapsAndReplies(t *testing.T) {
	s, b := start(t, Config{})
	u := s.User(7, "张三")
	form := url.Values{"chat_id": {"7"}, "text": {"对吗？"}, "reply_markup": {`{"inline_keyboard":[[{"text":"对","callback_data":"y"}],[{"text":"错","callback_data":"n"}]]}`}}
	if r, err := b.post("sendMessage", "application/x-www-form-urlencoded", strings.NewReader(form.Encode())); err != nil || !r.OK {
		t.Fatalf("%+v %v", r, err)
	}
	id := u.Sees()[0].Message
	if u.Taps(id, 2) || !u.TapsLabel(id, "错") || !u.TapsOld(id, 0) {
		t.Fatal("buttons cannot be tapped as they are shown")
	}
	taps := b.poll(0)
	if len(taps) != 2 || taps[0].Callback.Data != "n" || taps[1].Callback.Data != "y" {
		t.Fatalf("taps: %+v", taps)
	}
	b.call("answerCallbackQuery", map[string]any{"callback_query_id": taps[0].Callback.ID}).wants(t, 200, "")
	b.call("answerCallbackQuery", map[string]any{"callback_query_id": "1"}).wants(t, 400, "query ID is invalid")
	if answered, all := s.Answered(); answered != 1 || all != 2 {
		t.Errorf("%d of %d taps were answered", answered, all)
	}
	own := u.Replies(id, "对的")
	b.call("editMessageText", map[string]any{"chat_id": 7, "message_id": own, "text": "x"}).wants(t, 400, "can't be edited")
	b.call("editMessageText", map[string]any{"chat_id": 7, "message_id": 99, "text": "x"}).wants(t, 400, "message to edit not found")
	b.call("editMessageText", map[string]any{"chat_id": 7, "message_id": id, "text": "好了"}).wants(t, 200, "")
	b.call("editMessageText", map[string]any{"chat_id": 7, "message_id": id, "text": "好了"}).wants(t, 400, "message is not modified")
	b.call("editMessageCaption", map[string]any{"chat_id": 7, "message_id": id, "caption": "x"}).wants(t, 400, "no caption")
	if last := u.Sees()[1]; !last.Edit || last.Text != "好了" || len(last.Buttons) != 0 || u.Taps(id, 0) {
		t.Errorf("after the edit users see %+v", last)
	}
	u.Edits(own, "不对")
	all := b.poll(0)
	if last := all[len(all)-1]; last.Edited == nil || last.Edited.Text != "不对" || all[2].Message.Text != "对的" {
		t.Errorf("edit: %+v", all)
	}
}

func TestPhotosAndFiles(t *testing.T) {
	s, b := start(t, Config{})
	u := s.User(7, "张三")
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	send := func(data []byte, caption string) result {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		_ = form.WriteField("chat_id", "7")
		_ = form.WriteField("caption", caption)
		part, _ := form.CreateFormFile("photo", "a.jpg")
		_, _ = part.Write(data)
		_ = form.Close()
		r, err := b.post("sendPhoto", form.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	send(picture.Bytes(), strings.Repeat("字", 1024)).wants(t, 200, "")
	send(picture.Bytes(), strings.Repeat("字", 1025)).wants(t, 400, "caption is too long")
	send([]byte("no picture"), "").wants(t, 400, "IMAGE_PROCESS_FAILED")
	s.mu.Lock()
	huge := s.newFile(make([]byte, maxDownload+1))
	s.mu.Unlock()
	b.call("sendPhoto", map[string]any{"chat_id": 7, "photo": huge}).wants(t, 400, "too big")
	b.call("getFile", map[string]any{"file_id": huge}).wants(t, 400, "too big")
	if seen := u.Sees(); len(seen) != 1 || !bytes.Equal(seen[0].Photo, picture.Bytes()) {
		t.Fatalf("users see %d photos", len(seen))
	}
	u.SendsPhoto(picture.Bytes(), "井盖")
	var updates []struct {
		Message struct {
			Photo []struct {
				ID string `json:"file_id"`
			}
		}
	}
	if err := json.Unmarshal(b.call("getUpdates", nil).Result, &updates); err != nil {
		t.Fatal(err)
	}
	sizes := updates[0].Message.Photo
	var file struct {
		Path string `json:"file_path"`
	}
	if err := json.Unmarshal(b.call("getFile", map[string]any{"file_id": sizes[len(sizes)-1].ID}).Result, &file); err != nil {
		t.Fatal(err)
	}
	resp, err := b.http.Get(s.URL() + "/file/bot" + s.Token() + "/" + file.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if data, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(data, picture.Bytes()) {
		t.Errorf("downloaded %d bytes, %v", len(data), err)
	}
	b.call("getFile", map[string]any{"file_id": "no-such-file"}).wants(t, 400, "wrong file_id")
}

func TestFaults(t *testing.T) {
	s, b := start(t, Config{})
	u := s.User(7, "张三")
	say := map[string]any{"chat_id": 7, "text": "x"}
	s.Fail("sendMessage", Fault{Kind: TooMany, RetryAfter: 3}, Fault{Kind: Migrated, NewChat: -100}, Fault{Kind: Kicked}, Fault{Kind: Internal})
	if r := b.call("sendMessage", say); r.status != 429 || r.Params.RetryAfter != 3 {
		t.Errorf("429: %+v", r)
	}
	if r := b.call("sendMessage", say); r.status != 400 || r.Params.NewChat != -100 {
		t.Errorf("migrated: %+v", r)
	}
	b.call("sendMessage", say).wants(t, 403, "kicked")
	b.call("sendMessage", say).wants(t, 500, "")
	for kind, shown := range map[FaultKind]int{BadGateway: 0, DropBefore: 0, DropAfter: 1} {
		before := len(u.Sees())
		s.Fail("sendMessage", Fault{Kind: kind})
		if _, err := b.post("sendMessage", "application/json", strings.NewReader(`{"chat_id":7,"text":"x"}`)); err == nil {
			t.Errorf("%s: answered", kind)
		}
		if n := len(u.Sees()) - before; n != shown {
			t.Errorf("%s: users see %d messages, want %d", kind, n, shown)
		}
	}
	s.Down(true)
	b.http.CloseIdleConnections()
	n := s.Requests()
	if _, err := b.post("getMe", "application/json", nil); err == nil || s.Requests() == n {
		t.Errorf("a dead network answers, or counts no request: %v", err)
	}
	s.Calm()
	s.Fail("sendMessage", Fault{Kind: Slow, Delay: time.Millisecond})
	b.call("sendMessage", say).wants(t, 200, "")
	s.Fail("sendMessage", Fault{Kind: Blocked, Chat: 8})
	b.call("sendMessage", say).wants(t, 200, "")
	s.User(8, "李四")
	b.call("sendMessage", map[string]any{"chat_id": 8, "text": "x"}).wants(t, 403, "blocked")
	s.FailFirst("sendMessage", 2, Fault{Kind: Internal})
	for i, want := range []int{200, 500, 200, 200} { // the second message fails once
		if r := b.call("sendMessage", map[string]any{"chat_id": 7, "text": fmt.Sprint(min(i, 2) - i/2)}); r.status != want {
			t.Errorf("call %d of messages 0, 1, 1, 0 is %d, want %d", i, r.status, want)
		}
	}
	s.Calm()
	s.Chance("", 1, Fault{Kind: Unauthorized})
	b.call("getMe", nil).wants(t, 401, "Unauthorized")
	if s.Faults() != 11 {
		t.Errorf("%d faults were counted", s.Faults())
	}
}

func TestGroups(t *testing.T) {
	s, b := start(t, Config{Privacy: true})
	g := s.Group(-5, "三栋工作群")
	li := g.Member(8, "李四")
	g.AddsBot(li)
	li.Says("没叫机器人")
	li.Says("@Shaoying_Bot 你好")
	li.Says("/help@another_bot")
	li.Says("/help")
	g.Joins(g.Member(9, "王五"))
	updates := b.poll(0)
	var texts []string
	for _, u := range updates {
		if u.Message != nil && u.Message.Text != "" {
			texts = append(texts, u.Message.Text)
		}
	}
	if len(updates) != 5 || updates[0].Member == nil || fmt.Sprint(texts) != "[@Shaoying_Bot 你好 /help]" {
		t.Errorf("in privacy mode the bot hears %v of %d updates", texts, len(updates))
	}
	fresh := g.Migrates(li)
	if r := b.call("sendMessage", map[string]any{"chat_id": -5, "text": "x"}); r.Params.NewChat != fresh.ID() {
		t.Errorf("a message to the old group: %+v", r)
	}
	b.call("sendMessage", map[string]any{"chat_id": fresh.ID(), "text": "x"}).wants(t, 200, "")
	fresh.RemovesBot(li)
	b.call("sendMessage", map[string]any{"chat_id": fresh.ID(), "text": "x"}).wants(t, 403, "kicked")
	if len(fresh.Sees()) != 1 {
		t.Errorf("the group sees %d messages", len(fresh.Sees()))
	}
}

// hook is a webhook that takes what it is told to take.
type hook struct {
	*httptest.Server
	mu    sync.Mutex
	fails int // answers 500 so often
	texts []string
	bad   []string
}

func newHook(secret string) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var u got
		err := json.NewDecoder(r.Body).Decode(&u)
		h.mu.Lock()
		defer h.mu.Unlock()
		if err != nil || r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != secret || r.URL.Path != "/bots/tg" {
			h.bad = append(h.bad, r.URL.Path)
		}
		if h.fails > 0 {
			h.fails--
			w.WriteHeader(500)
			return
		}
		h.texts = append(h.texts, u.Message.Text)
	}))
	return h
}

func (h *hook) taken() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.texts...)
}

func TestWebhook(t *testing.T) {
	s, b := start(t, Config{Retry: time.Millisecond})
	a, c := newHook("geheim"), newHook("geheim")
	defer a.Close()
	defer c.Close()
	u := s.User(7, "张三")
	b.call("setWebhook", map[string]any{"url": "http://city.example/bots/tg"}).wants(t, 400, "HTTPS")
	b.call("setWebhook", map[string]any{"url": "https://city.example/bots/tg", "secret_token": "有"}).wants(t, 400, "unallowed")
	a.fails = 3
	b.call("setWebhook", map[string]any{"url": a.URL + "/bots/tg", "secret_token": "geheim"}).wants(t, 200, "")
	b.call("getUpdates", nil).wants(t, 409, "webhook is active")
	for i := range 3 {
		u.Says(fmt.Sprint(i))
	}
	if !s.Await(patience, func() bool { return s.Waiting() == 0 }) || fmt.Sprint(a.taken()) != "[0 1 2]" {
		t.Fatalf("the webhook took %v, %d wait", a.taken(), s.Waiting())
	}
	if r := b.call("getWebhookInfo", nil); !strings.Contains(string(r.Result), "500 Internal Server Error") {
		t.Errorf("getWebhookInfo: %s", r.Result)
	}
	s.Redeliver()
	s.Await(patience, func() bool { return s.Waiting() == 0 })
	// Behind a balancer one of two targets dies.
	s.Balance(a.URL, c.URL)
	a.CloseClientConnections()
	a.Close()
	for i := range 6 {
		u.Says(fmt.Sprint(i))
	}
	if !s.Await(patience, func() bool { return s.Waiting() == 0 }) || fmt.Sprint(c.taken()) != "[0 1 2 3 4 5]" {
		t.Fatalf("the second target took %v, %d wait", c.taken(), s.Waiting())
	}
	if fmt.Sprint(a.taken()) != "[0 1 2 2]" || len(a.bad)+len(c.bad) > 0 {
		t.Errorf("the first target took %v; bad requests %v %v", a.taken(), a.bad, c.bad)
	}
	s.Down(true)
	u.Says("没有网")
	s.RedeliverShare(1)
	s.Down(false)
	if !s.Await(patience, func() bool { return len(c.taken()) == 8 }) {
		t.Errorf("a share of 1 delivers %v", c.taken())
	}
	b.call("deleteWebhook", map[string]any{}).wants(t, 200, "")
	if s.Webhook() != "" {
		t.Error("the webhook is still set")
	}
}
