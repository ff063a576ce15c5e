package ticket_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"shaoying/internal/ticket"
)

func TestNewNumber(t *testing.T) {
	first := map[byte]int{}
	for range 5000 {
		n, err := ticket.NewNumber(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !n.Valid() {
			t.Fatalf("drew %q", n)
		}
		first[n[0]]++
	}
	for d := byte('2'); d <= '9'; d++ {
		if first[d] < 500 || first[d] > 750 {
			t.Errorf("first digit %c drawn %d times of 5000, want about 625", d, first[d])
		}
	}
	if _, err := ticket.NewNumber(bytes.NewReader(nil)); err == nil {
		t.Error("no randomness, no error")
	}
}

// Every single wrong digit and every swap of neighbours is noticed.
func TestCheckDigitFindsSlips(t *testing.T) {
	for range 300 {
		n, err := ticket.NewNumber(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(n) {
			for d := byte('0'); d <= '9'; d++ {
				b := []byte(n)
				b[i] = d
				if wrong := ticket.Number(b); wrong != n && wrong.Valid() {
					t.Fatalf("%s passes for %s", wrong, n)
				}
			}
			if i > 0 && n[i] != n[i-1] {
				b := []byte(n)
				b[i], b[i-1] = b[i-1], b[i]
				if ticket.Number(b).Valid() {
					t.Fatalf("%s passes for %s", b, n)
				}
			}
		}
	}
}

func TestParseNumber(t *testing.T) {
	for _, s := range []string{
		"@", "4821 093 76%", "编号@", "编号：@", "工单编号 @", "No. @", "no@", "#@", " @ ", "@。", "编号是@", "4821-0937-6%", "４８２１０９３７６%",
	} {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "@", string(number)), "%", string(number[9:]))
		if got, err := ticket.ParseNumber(s); err != nil || got != number {
			t.Errorf("ParseNumber(%q) = %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "编号", "482109376", "48210937600", string(number) + "1", "110", "13812345678", "我的工单" + string(number) + "怎么样了", "4821O93760", "0000000000"} {
		if got, err := ticket.ParseNumber(s); !errors.Is(err, ticket.ErrNumber) {
			t.Errorf("ParseNumber(%q) = %q, %v; want ErrNumber", s, got, err)
		}
	}
	if got := number.Spoken(); got != "4821 093 76"+string(number[9:]) {
		t.Errorf("spoken %q", got)
	}
	if back, err := ticket.ParseNumber(number.Spoken()); err != nil || back != number {
		t.Errorf("what is read out is not read back: %v", err)
	}
}

func TestFindNumbers(t *testing.T) {
	other, err := ticket.NewNumber(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want []ticket.Number
	}{
		{"我的工单" + string(number) + "怎么样了", []ticket.Number{number}},
		{number.Spoken() + " 13812345678", []ticket.Number{number}},
		{"13812345678 " + number.Spoken(), []ticket.Number{number}},
		{string(number) + "和" + string(other), []ticket.Number{number, other}},
		{string(number) + " " + string(number), []ticket.Number{number}},
		{"电话1" + string(number), nil},
		{"身份证3603021990" + string(number), nil},
		{"3栋2单元", nil},
		{"", nil},
	} {
		if got := ticket.FindNumbers(c.text); !slices.Equal(got, c.want) {
			t.Errorf("FindNumbers(%q) = %v, want %v", c.text, got, c.want)
		}
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add("编号 4821 093 766")
	f.Add("４８２１-0937 6，1 2 3")
	f.Fuzz(func(t *testing.T, s string) {
		for _, n := range ticket.FindNumbers(s) {
			if !n.Valid() {
				t.Fatalf("found %q", n)
			}
		}
		if n, err := ticket.ParseNumber(s); err == nil {
			if !n.Valid() {
				t.Fatalf("parsed %q", n)
			}
			if back, err := ticket.ParseNumber(n.Spoken()); err != nil || back != n {
				t.Fatalf("%q does not survive being spoken", n)
			}
		}
	})
}
