package officialaccount

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
	fake "shaoying/bots/officialaccount/officialaccountfake"
	"shaoying/internal/clock"
)

// line is a channel without a network: what cannot go as an answer to a push
// fails, for there is no token.
type line struct {
	t    *testing.T
	c    *Channel
	net  *fake.Server
	sink bots.Sink
}

func newLine(t *testing.T, sink bots.Sink) *line {
	net := &fake.Server{} // its crypto alone is used
	cfg := settings(t, "http://127.0.0.1:1", false)
	c, err := New(cfg, Deps{Clock: clock.New(), Log: slog.New(slog.DiscardHandler), State: &botstest.State{}})
	if err != nil {
		t.Fatal(err)
	}
	c.answers.open(true)
	return &line{t: t, c: c, net: net, sink: sink}
}

func taking(context.Context, []bots.Event) error { return nil }

// said is a push of words.
func saidBy(user, text, id string) string {
	return fmt.Sprintf("<xml><ToUserName>gh_1</ToUserName><FromUserName>%s</FromUserName><CreateTime>1772500000</CreateTime><MsgType>text</MsgType>"+
		"<Content>%s</Content><MsgId>%s</MsgId></xml>", user, text, id)
}

// post pushes, and returns the answer.
func (l *line) post(ctx context.Context, message string) *httptest.ResponseRecorder {
	l.t.Helper()
	stamp := fmt.Sprint(time.Now().Unix())
	req := httptest.NewRequestWithContext(ctx, http.MethodPost,
		"/?timestamp="+stamp+"&nonce=1&signature="+fake.Sign(fake.Token, stamp, "1"), strings.NewReader(message))
	w := httptest.NewRecorder()
	l.c.Handler(l.sink).ServeHTTP(w, req)
	return w
}

func (l *line) send(user, text string) error {
	_, err := l.c.Send(l.t.Context(), bots.Address{Channel: "oa", Chat: bots.ChatID(user)}, bots.Message{Key: "1", Text: text})
	return err
}

// What is not answered with words is answered within a second after the commit.
func TestAcknowledgedWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var committed time.Time
		l := newLine(t, func(context.Context, []bots.Event) error {
			time.Sleep(2 * time.Second) // a slow turn, on the clock of the test
			committed = time.Now()
			return nil
		})
		w := l.post(t.Context(), saidBy("oA", "在吗", "1"))
		if after := time.Since(committed); after != time.Second || w.Body.String() != taken || w.Code != http.StatusOK {
			t.Errorf("%d %q %s after the commit", w.Code, w.Body, after)
		}
		l.c.answers.open(false)
		l.post(t.Context(), saidBy("oA", "在吗", "2"))
		if after := time.Since(committed); after != 0 {
			t.Errorf("another process waited %s for words that cannot come", after)
		}
	})
}

// The whole answer comes before WeChat asks again, however slow the turn is.
func TestAnsweredWithinFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, turn := range []time.Duration{4 * time.Second, time.Hour} {
			l := newLine(t, func(ctx context.Context, _ []bots.Event) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(turn):
					return nil
				}
			})
			began := time.Now()
			w := l.post(t.Context(), saidBy("oA", "在吗", "1"))
			if took := time.Since(began); took >= 5*time.Second || turn == time.Hour && w.Code != http.StatusServiceUnavailable {
				t.Errorf("a turn of %s was answered %d after %s", turn, w.Code, took)
			}
		}
	})
}

// The first reply goes as the answer; one to another chat, and a second one, do not.
func TestReplyGoesWithTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, taking)
		answer := make(chan string, 1)
		go func() { answer <- l.post(t.Context(), saidBy("oA", "报事", "1")).Body.String() }()
		synctest.Wait()
		if err := l.send("oB", "别人"); bots.ClassOf(err) != bots.ClassTemporary {
			t.Errorf("to another chat: %v", err)
		}
		m := bots.Message{Key: "1", Text: "已收到，编号 ]]> <1> & \"2\""}
		if receipt, err := l.c.Send(t.Context(), bots.Address{Channel: "oa", Chat: "oA"}, m); err != nil || receipt.Took != 0 {
			t.Errorf("the first reply: %+v, %v", receipt, err)
		}
		if err := l.send("oA", "第二句"); bots.ClassOf(err) != bots.ClassTemporary {
			t.Errorf("the second reply: %v", err)
		}
		got, err := parse([]byte(<-answer))
		if err != nil || got.Content != "已收到，编号 ]]> <1> & \"2\"" || got.To != "oA" || got.From != "gh_1" || got.Type != "text" {
			t.Errorf("%+v %v", got, err)
		}
		// What XML would change, choices and photos go by themselves.
		for _, m := range []bots.Message{
			{Text: "a\rb"},
			{Text: "a\x01b"},
			{Text: "对吗？", Choices: []bots.Choice{{Label: "对", Data: "1"}}},
			{Text: "看", Photo: &bots.Photo{Data: []byte("x")}},
		} {
			began := time.Now()
			go func() { answer <- l.post(t.Context(), saidBy("oA", "再报", "2")).Body.String() }()
			synctest.Wait()
			m.Key = "9"
			if _, err := l.c.Send(t.Context(), bots.Address{Channel: "oa", Chat: "oA"}, m); err == nil {
				t.Errorf("%+v went as an answer", m)
			}
			if got := <-answer; got != taken || time.Since(began) != 0 {
				t.Errorf("the push of %+v was answered %q after %s", m, got, time.Since(began))
			}
		}
	})
}

// Two quick messages of one resident wait both: each gets one reply, in order.
func TestTwoQuickMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, taking)
		var answers [2]string
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				answers[i] = l.post(t.Context(), saidBy("oA", "快", fmt.Sprint(i))).Body.String()
			})
			synctest.Wait()
		}
		for _, text := range []string{"一", "二"} {
			if err := l.send("oA", text); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		for i, text := range []string{"一", "二"} {
			if !strings.Contains(answers[i], text) {
				t.Errorf("message %d was answered %q", i, answers[i])
			}
		}
		// One reply to two: the first has it, the second says taken.
		for i := range answers {
			wg.Go(func() {
				answers[i] = l.post(t.Context(), saidBy("oA", "快", fmt.Sprint(10+i))).Body.String()
			})
			synctest.Wait()
		}
		if err := l.send("oA", "一起答"); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if !strings.Contains(answers[0], "一起答") || answers[1] != taken {
			t.Errorf("%q", answers)
		}
	})
}

// WeChat did not hear the answer and pushes again: the same words, and nobody is
// waited for.
func TestTheSameWordsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		l := newLine(t, func(context.Context, []bots.Event) error { calls++; return nil })
		go l.post(t.Context(), saidBy("oA", "报事", "1"))
		synctest.Wait()
		if err := l.send("oA", "已收到"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if w := l.post(t.Context(), saidBy("oA", "报事", "1")); !strings.Contains(w.Body.String(), "已收到") || time.Since(began) != 0 || calls != 2 {
			t.Errorf("%q after %s, %d calls of the sink", w.Body, time.Since(began), calls)
		}
		time.Sleep(time.Minute)
		if w := l.post(t.Context(), saidBy("oA", "报事", "1")); w.Body.String() != taken {
			t.Errorf("a minute later: %q", w.Body)
		}
		for i := range maxSaid + 10 {
			l.c.answers.remember(fmt.Sprint(i), "x")
		}
		if n := len(l.c.answers.said); n > maxSaid {
			t.Errorf("%d answers are remembered", n)
		}
	})
}

// What was given to a push that breaks off, or that the sink did not take, goes as
// a customer message: here it fails, but not as unknown.
func TestGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := make(chan error)
		l := newLine(t, func(context.Context, []bots.Event) error { return <-fails })
		sent := make(chan error, 1)
		go l.post(t.Context(), saidBy("oA", "报事", "1"))
		synctest.Wait()
		go func() { sent <- l.send("oA", "已收到") }()
		synctest.Wait()
		fails <- errors.New("no database")
		if err := <-sent; bots.ClassOf(err) != bots.ClassTemporary {
			t.Errorf("the sink failed: %v", err)
		}
		l = newLine(t, func(context.Context, []bots.Event) error { return <-fails })
		ctx, cancel := context.WithCancel(t.Context())
		go l.post(ctx, saidBy("oA", "报事", "2"))
		synctest.Wait()
		go func() { sent <- l.send("oA", "已收到") }()
		synctest.Wait()
		cancel()
		fails <- nil
		if err := <-sent; bots.ClassOf(err) != bots.ClassTemporary {
			t.Errorf("the push broke off: %v", err)
		}
		if w := l.post(t.Context(), "<xml/>"); w.Body.String() != taken {
			t.Errorf("nothing for us: %q", w.Body)
		}
	})
}

// broken is a connection that takes nothing.
type broken struct{ *httptest.ResponseRecorder }

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// Nobody knows what came of words whose writing failed; they are not said again.
func TestAnswerBreaksOff(t *testing.T) {
	l := newLine(t, taking)
	w := words{text: "已收到", done: make(chan error, 1)}
	l.c.answer(broken{httptest.NewRecorder()}, httptest.NewRequest(http.MethodPost, "/", nil), push{From: "oA", To: "gh", ID: "1"}, w)
	if err := <-w.done; bots.ClassOf(err) != bots.ClassUnknown {
		t.Errorf("%v, want unknown", err)
	}
	if _, ok := l.c.answers.again("m:1"); ok {
		t.Error("what may not have been said is remembered as said")
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := l.c.answers.sit("oA")
	cancel()
	if err := l.c.answers.give(ctx, "oA", "x"); bots.ClassOf(err) != bots.ClassUnknown {
		t.Errorf("nobody finished in time: %v", err)
	}
	if got, given := l.c.answers.leave(s); !given || got.text != "x" {
		t.Errorf("%+v %v", got, given)
	}
}

// However seats are given up and words given, each word is written once or handed
// back, and no seat is left.
func TestNeverBothNeverNeither(t *testing.T) {
	l := newLine(t, taking)
	a := l.c.answers
	const n = 2000
	var wg sync.WaitGroup
	var mu sync.Mutex
	written, handedBack := map[string]int{}, map[string]int{}
	for i := range n {
		wg.Go(func() {
			s := a.sit("oA")
			ctx, cancel := context.WithCancel(t.Context())
			if i%3 == 0 {
				cancel()
			}
			w, given := a.wait(ctx, s, time.Duration(i%5)*100*time.Microsecond)
			cancel()
			if given {
				mu.Lock()
				written[w.text]++
				mu.Unlock()
				w.done <- nil
			}
		})
		wg.Go(func() {
			text := fmt.Sprint(i)
			if err := a.give(t.Context(), "oA", text); err != nil {
				mu.Lock()
				handedBack[text]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i := range n {
		if text := fmt.Sprint(i); written[text]+handedBack[text] != 1 {
			t.Fatalf("words %s: written %d times, handed back %d times", text, written[text], handedBack[text])
		}
	}
	if len(a.seats) != 0 {
		t.Errorf("%d chats have seats left", len(a.seats))
	}
	t.Logf("%d written, %d handed back", len(written), len(handedBack))
}
