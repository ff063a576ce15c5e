package sms

import (
	"errors"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/privacy"
)

func testKeys(t testing.TB) *privacy.Keys {
	t.Helper()
	keys, err := privacy.NewKeys([]byte(strings.Repeat("k", privacy.MasterSize)))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestE164(t *testing.T) {
	for written, want := range map[string]string{
		"+8613800138000": "+8613800138000", "008613800138000": "+8613800138000", "8613800138000": "+8613800138000",
		"13800138000": "+8613800138000", " 138-0013 8000 ": "+8613800138000", "+86 (138) 00138000": "+8613800138000",
		"16900138000": "+8616900138000", "008616900138000": "+8616900138000", // a range that no library knows yet
		"17012345678": "+8617012345678", "19212345678": "+8619212345678",
		"07996886000": "+867996886000", "867996886000": "+867996886000",
		"85291234567": "+85291234567", "+85291234567": "+85291234567", "0085291234567": "+85291234567",
		"": "", "10086": "", "12345": "", "95588": "", "106900001234": "", "1069012345": "", "10690123456": "",
		"1065712345678901234": "", "+8610086": "", "+8612345678901": "", "BANK": "", "1-800-FLOWERS": "", "13800": "",
		"138001380001": "", "+": "", "++8613800138000": "", "１３８００１３８０００": "", "13800138000;drop": "",
	} {
		got, err := E164(written)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrNumber) {
			t.Errorf("%q is %q, %v, want %q", written, got, err, want)
		}
	}
}

func TestBook(t *testing.T) {
	book := Book{Keys: testKeys(t)}
	chat, who, err := book.Sender("13800138000")
	if err != nil || who.Phone != "+8613800138000" || string(who.User) != string(chat) || who.Trust != bots.TrustNone {
		t.Fatalf("%q %+v %v", chat, who, err)
	}
	if strings.Contains(string(chat), "138001") {
		t.Errorf("the chat shows the number: %s", chat)
	}
	if again := book.Chat("+8613800138000"); again != chat {
		t.Errorf("one number has chats %q and %q", chat, again)
	}
	if got, err := book.Number(chat); err != nil || got != "+8613800138000" {
		t.Errorf("Number: %q, %v", got, err)
	}
	if got, err := book.Person(chat); err != nil || got.Phone != who.Phone || got.User != who.User {
		t.Errorf("Person: %+v, %v", got, err)
	}
	if _, err := book.Person("somebody"); !errors.Is(err, privacy.ErrPseudonym) {
		t.Errorf("a foreign chat opens: %v", err)
	}
}

// Texts to numbers that earn money by it are how gateways are robbed.
func TestNumberRefuses(t *testing.T) {
	home, wide := Book{Keys: testKeys(t)}, Book{Keys: testKeys(t), Countries: []string{"86", "852", "1"}}
	for _, c := range []struct {
		number     string
		home, wide bots.Class // 0 is written to
	}{
		{"+8613800138000", 0, 0},
		{"+8616900138000", 0, 0},
		{"+85291234567", bots.ClassRejected, 0},
		{"+12025550123", bots.ClassRejected, 0},
		{"+19005550123", bots.ClassRejected, bots.ClassGone},
		{"+867996886000", bots.ClassGone, bots.ClassGone},
		{"+447911123456", bots.ClassRejected, bots.ClassRejected},
		{"10086", bots.ClassRejected, bots.ClassRejected},
	} {
		for book, want := range map[*Book]bots.Class{&home: c.home, &wide: c.wide} {
			_, err := book.Number(book.Chat(c.number))
			if want == 0 && err != nil || want != 0 && bots.ClassOf(err) != want {
				t.Errorf("%s: %v, want %v", c.number, err, want)
			}
			if err != nil && strings.Contains(err.Error(), strings.TrimPrefix(c.number, "+")) {
				t.Errorf("an error shows the number: %v", err)
			}
		}
	}
	if _, err := home.Number("not ours"); bots.ClassOf(err) != bots.ClassRejected {
		t.Errorf("a foreign chat: %v", err)
	}
}

func TestBookValidate(t *testing.T) {
	for _, c := range []struct {
		countries []string
		ok        bool
	}{{nil, true}, {[]string{"86", "852"}, true}, {[]string{"+86"}, false}, {[]string{"999"}, false}, {[]string{"CN"}, false}, {[]string{""}, false}} {
		if err := (Book{Countries: c.countries}).Validate(); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.countries, err)
		}
	}
}

func TestExtensions(t *testing.T) {
	x := Extensions{Base: "10690123", Digits: 2}
	if x.Count() != 99 || (Extensions{}).Count() != 0 {
		t.Errorf("counts %d and %d", x.Count(), Extensions{}.Count())
	}
	for code, want := range map[string]string{"": "10690123", "1": "1069012301", "99": "1069012399", "0": "", "100": "", "x": "", "-1": ""} {
		got, err := x.Number(code)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("code %q is sent from %q, %v, want %q", code, got, err, want)
		}
		if err == nil && x.Code(got) != code {
			t.Errorf("an answer to %q is for code %q", got, x.Code(got))
		}
	}
	for _, number := range []string{"10690123", "1069012300", "106901231", "10690123123", "2069012301", "10690123xx", ""} {
		if got := x.Code(number); got != "" {
			t.Errorf("%q is code %q", number, got)
		}
	}
	if err := (Extensions{Digits: 5}).Validate(); err == nil {
		t.Error("five digits are allowed")
	}
	if _, err := (Extensions{Base: "1"}).Number("1"); bots.ClassOf(err) != bots.ClassRejected {
		t.Errorf("a code where there are none: %v", err)
	}
}

func FuzzE164(f *testing.F) {
	for _, s := range []string{"+8613800138000", "008613800138000", "10690", "BANK", "0", "+", "85291234567"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, written string) {
		number, err := E164(written)
		if err != nil {
			return
		}
		if again, err := E164(number); err != nil || again != number {
			t.Fatalf("%q is %q, which is %q, %v", written, number, again, err)
		}
	})
}
