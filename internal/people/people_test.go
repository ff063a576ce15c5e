package people_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"shaoying/internal/people"
)

// keys stands in for privacy.Keys.
type keys struct{}

func (keys) Index(kind, value string) []byte {
	sum := sha256.Sum256([]byte(kind + "\x00" + value))
	return sum[:]
}

func TestDivisionCodes(t *testing.T) {
	for _, c := range []struct {
		code   people.DivisionCode
		level  people.DivisionLevel
		parent people.DivisionCode
	}{
		{"3603", people.LevelCity, ""},
		{"360302", people.LevelCounty, "3603"},
		{"360302001", people.LevelTownship, "360302"},
		{"360302001001", people.LevelVillage, "360302001"},
		{"", "", ""},
		{"36030", "", ""},
		{"36030200100x", "", ""},
		{"３６０３", "", ""},
	} {
		level, ok := c.code.Level()
		if level != c.level || ok != (c.level != "") || c.code.Parent() != c.parent {
			t.Errorf("%q: level %s, parent %s", c.code, level, c.code.Parent())
		}
	}
	village := people.DivisionCode("360302001001")
	if village.At(people.LevelCounty) != "360302" || village.At(people.LevelVillage) != village || people.DivisionCode("3603").At(people.LevelCounty) != "" {
		t.Error("At")
	}
	for code, want := range map[people.GridCode]people.DivisionCode{"360302001001003": "360302001001", "36030200100100": "", "36030200100100a": "", "": ""} {
		if got := code.Village(); got != want {
			t.Errorf("grid %q lies in %q, want %q", code, got, want)
		}
	}
}

func TestAreaCovers(t *testing.T) {
	here := people.Subject{Division: village, Grid: grid, Unit: unit}
	for _, c := range []struct {
		area people.Area
		on   people.Subject
		want bool
	}{
		{areaOf(people.AreaCity), here, true},
		{areaOf(people.AreaCity), people.Subject{}, true},
		{people.Area{Kind: people.AreaCity, Code: "3601"}, here, false},
		{areaOf(people.AreaCounty), here, true},
		{areaOf(people.AreaCounty), people.Subject{}, false},
		{areaOf(people.AreaTownship), people.Subject{Division: township}, true},
		{areaOf(people.AreaTownship), people.Subject{Division: county}, false},
		{areaOf(people.AreaVillage), people.Subject{Grid: grid}, true},
		{areaOf(people.AreaGrid), people.Subject{Division: village}, false},
		{areaOf(people.AreaUnit), people.Subject{Unit: "urban2"}, false},
		{people.Area{}, here, false},
		{people.Area{Kind: people.AreaUnit}, people.Subject{}, false},
		{people.Area{Kind: people.AreaGrid}, people.Subject{}, false},
		{people.Area{Kind: people.AreaCounty, Code: city}, here, false},
	} {
		if got := c.area.Covers(c.on); got != c.want {
			t.Errorf("%+v covers %+v: %t", c.area, c.on, got)
		}
	}
}

func TestPersonAndConsent(t *testing.T) {
	if p := (people.Person{NoticeVersion: 1}); p.NeedsNotice(1) || !p.NeedsNotice(2) {
		t.Error("notice")
	}
	given := people.Consent{Kind: people.ConsentHealth, Version: 2, GivenAt: now}
	withdrawn := given
	withdrawn.WithdrawnAt = now.Add(time.Hour)
	for _, c := range []struct {
		name string
		all  []people.Consent
		kind people.ConsentKind
		want bool
	}{
		{"none", nil, people.ConsentHealth, false},
		{"given", []people.Consent{given}, people.ConsentHealth, true},
		{"another kind", []people.Consent{given}, people.ConsentProgramme, false},
		{"withdrawn", []people.Consent{withdrawn}, people.ConsentHealth, false},
		{"given anew", []people.Consent{withdrawn, given}, people.ConsentHealth, true},
		{"old version", []people.Consent{{Kind: people.ConsentHealth, Version: 1, GivenAt: now}}, people.ConsentHealth, false},
	} {
		if got := people.Consented(c.all, c.kind, 2); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	if !(people.Address{State: people.AddressActive}).Takes() || (people.Address{State: people.AddressStopped}).Takes() || (people.Address{State: people.AddressGone}).Takes() {
		t.Error("pushes go to active addresses only")
	}
	s := people.Staff{Grants: []people.Grant{{Role: people.RoleNurse}}}
	if !s.Has(people.RoleNurse) || s.Has(people.RoleDoctor) {
		t.Error("Has")
	}
}

func TestInviteCode(t *testing.T) {
	code, err := people.NewInviteCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(code) != 8 || strings.ContainsAny(string(code), "01OIL") {
		t.Fatalf("code %q", code)
	}
	for _, s := range []string{string(code), code.Spoken(), strings.ToLower(string(code)), " " + string(code[:4]) + "-" + string(code[4:]) + "\n"} {
		if got, err := people.ParseInviteCode(s); err != nil || got != code {
			t.Errorf("ParseInviteCode(%q) = %q, %v", s, got, err)
		}
	}
	if got, err := people.ParseInviteCode("７ｋｑ２m9xd"); err != nil || got != "7KQ2M9XD" {
		t.Errorf("full width: %q, %v", got, err)
	}
	for _, s := range []string{"", "7KQ2M9X", "7KQ2M9XDD", "7KQ2M9X0", "7KQ2M9XI", "7KQ2-M9X中", "接 3"} {
		if _, err := people.ParseInviteCode(s); !errors.Is(err, people.ErrInviteCode) {
			t.Errorf("ParseInviteCode(%q): %v", s, err)
		}
	}
	if _, err := people.NewInviteCode(bytes.NewReader(nil)); err == nil {
		t.Error("no randomness, no error")
	}
	if bytes.Contains(code.Hash(keys{}), []byte(code)) || !bytes.Equal(code.Hash(keys{}), code.Hash(keys{})) {
		t.Error("hash")
	}
	i := people.Invite{ExpiresAt: now}
	if !errors.Is(i.Usable(now), people.ErrExpired) || i.Usable(now.Add(-1)) != nil {
		t.Error("expiry")
	}
	i.UsedAt = now.Add(-time.Hour)
	if !errors.Is(i.Usable(now.Add(-time.Minute)), people.ErrUsed) {
		t.Error("an invite works once")
	}
}

func TestOneTimeCode(t *testing.T) {
	p := rights(t).Code
	typed, err := people.NewOneTimeDigits(rand.Reader, p)
	if err != nil {
		t.Fatal(err)
	}
	if len(typed) != 6 || strings.Trim(typed, "0123456789") != "" {
		t.Fatalf("digits %q", typed)
	}
	if _, err := people.NewOneTimeDigits(bytes.NewReader(nil), p); err == nil {
		t.Error("no randomness, no error")
	}
	code := people.OneTimeCode{AddressID: 5, Request: "person.export", ExpiresAt: now.Add(p.Valid), Hash: people.HashOneTime(keys{}, typed, "person.export", 5)}
	hash := func(digits, request string, address int64) []byte {
		return people.HashOneTime(keys{}, digits, request, address)
	}
	for _, c := range []struct {
		name   string
		change func(*people.OneTimeCode)
		hash   []byte
		at     time.Time
		want   error
	}{
		{"right", nil, hash(typed, "person.export", 5), now, nil},
		{"with a space", nil, hash(typed+" ", "person.export", 5), now, nil},
		{"wrong digits", nil, hash("12345", "person.export", 5), now, people.ErrWrong},
		{"for another request", nil, hash(typed, "person.erase", 5), now, people.ErrWrong},
		{"from another address", nil, hash(typed, "person.export", 6), now, people.ErrWrong},
		{"late", nil, hash(typed, "person.export", 5), now.Add(p.Valid), people.ErrExpired},
		{"sixth try", func(c *people.OneTimeCode) { c.Tries = p.Tries }, hash(typed, "person.export", 5), now, people.ErrTries},
		{"again", func(c *people.OneTimeCode) { c.UsedAt = now }, hash(typed, "person.export", 5), now, people.ErrUsed},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := code
			if c.change != nil {
				c.change(&code)
			}
			if err := code.Check(c.hash, p, c.at); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzInviteCode(f *testing.F) {
	f.Add("7KQ2 M9XD")
	f.Add("７ｋｑ２-m9xd")
	f.Fuzz(func(t *testing.T, s string) {
		code, err := people.ParseInviteCode(s)
		if err != nil {
			return
		}
		if back, err := people.ParseInviteCode(code.Spoken()); err != nil || back != code {
			t.Fatalf("%q does not survive being spoken", code)
		}
	})
}
