//go:build acceptance

package telegram

import (
	"testing"
	"time"

	"shaoying/bots/telegram/telegramfake"
	"shaoying/test/world"
)

// trouble is one way in which Telegram makes it hard.
type trouble struct {
	name string
	// from is switched on before anybody says a word.
	from func(*telegramfake.Server)
	// faulty is true when calls must have gone wrong by the end.
	faulty bool
	// cut happens while the resident's answer is under way.
	cut func(*testing.T, *account)
}

// first makes the first try of every nth message go wrong. Whoever is told
// "try again" or nothing at all waits 2 s, so not every one does.
func first(every int, f telegramfake.Fault) func(*telegramfake.Server) {
	return func(s *telegramfake.Server) {
		s.FailFirst("sendMessage", every, f)
		s.FailFirst("sendPhoto", every, f)
	}
}

func troubles() []trouble {
	type fault = telegramfake.Fault
	return []trouble{
		{name: "none"},
		{name: "429", faulty: true, from: first(5, fault{Kind: telegramfake.TooMany, RetryAfter: 1})},
		{name: "502 HTML", faulty: true, from: first(4, fault{Kind: telegramfake.BadGateway})},
		{name: "slow", faulty: true, from: func(s *telegramfake.Server) {
			s.Chance("", 0.3, fault{Kind: telegramfake.Slow, Delay: 300 * time.Millisecond})
		}},
		{name: "dropped before accepting", faulty: true, from: first(4, fault{Kind: telegramfake.DropBefore})},
		{name: "dropped after accepting", faulty: true, from: first(4, fault{Kind: telegramfake.DropAfter})},
		{name: "every update twice", from: func(s *telegramfake.Server) { s.RedeliverShare(1) }},
		{name: "polls and taps fail", faulty: true, from: func(s *telegramfake.Server) {
			s.Chance("getUpdates", 0.2, fault{Kind: telegramfake.DropAfter})
			s.Chance("answerCallbackQuery", 0.5, fault{Kind: telegramfake.Internal})
		}},
		{name: "network down", cut: networkDown},
		{name: "blocked and back", cut: blockedAndBack},
	}
}

// networkDown: the answer lies with Telegram while nobody can reach it.
func networkDown(t *testing.T, a *account) {
	question := a.story.Resident.Expect(t, "对吗", a.story.Where)
	a.net.Down(true)
	a.story.Resident.Tap(t, question, "对")
	before := a.net.Requests()
	tried := func() bool { return a.mode == "webhook" || a.net.Requests() > before+2 }
	if !a.net.Await(20*time.Second, tried) {
		t.Error("nobody tried to reach the network")
	}
	a.net.Down(false)
	a.story.Told(t, a.story.Resident.Expect(t, "已受理", "编号"))
}

// blockedAndBack: who blocked us before the number came finds it afterwards.
func blockedAndBack(t *testing.T, a *account) {
	resident := a.net.User(5001, "")
	question := a.story.Resident.Expect(t, "对吗", a.story.Where)
	// Telegram refuses the number before it tells that we are blocked.
	a.net.Fail("sendMessage", telegramfake.Fault{Kind: telegramfake.Blocked, Chat: resident.Chat()})
	a.story.Resident.Tap(t, question, "对")
	refused := `select count(*) from outbox where state = 'failed' and error_class = 'gone' and channel = '` + a.id + `'`
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	limit := time.After(world.Patience)
	for one(t, a.city, refused) == 0 {
		select {
		case <-again.C:
		case <-limit:
			t.Fatal("nothing was sent to who had blocked us")
		}
	}
	resident.Blocks()
	resident.Unblocks()
	resident.Starts("")
	a.story.Resident.Expect(t, "哨应")
	a.story.Resident.Say("我的工单")
	a.story.Told(t, a.story.Resident.Expect(t, "编号"))
}
