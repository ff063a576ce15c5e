package sms

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

// ErrNumber: what was written is no phone number that somebody could answer
// from, such as a short code, a service number (106…, 12345) or a name.
var ErrNumber = errors.New("not a phone number of a person")

// home is the region of numbers that are written without a country code.
const home = "CN"

// E164 reads a number as carriers write it: +86…, 0086…, 86…, eleven digits, or
// the same of another country with its code. The error is ErrNumber. Source:
// ITU-T E.164 and the number plans in nyaruka/phonenumbers.
func E164(written string) (string, error) {
	written = strings.TrimSpace(written)
	digits := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(strings.TrimPrefix(written, "+"))
	if len(digits) < 7 || len(digits) > 20 || strings.Trim(digits, "0123456789") != "" {
		return "", ErrNumber
	}
	if strings.HasPrefix(written, "+") {
		return international(digits)
	}
	if abroad, ok := strings.CutPrefix(digits, "00"); ok {
		return international(abroad)
	}
	if strings.HasPrefix(digits, "10") { // 106… and 100…: Beijing is written 010
		return "", ErrNumber
	}
	if number := "+86" + digits; mainland(number) {
		return number, nil
	}
	n, err := phonenumbers.Parse(digits, home)
	if err == nil && phonenumbers.IsValidNumber(n) {
		return phonenumbers.Format(n, phonenumbers.E164), nil
	}
	return international(digits)
}

func international(digits string) (string, error) {
	if mainland("+" + digits) {
		return "+" + digits, nil
	}
	n, err := phonenumbers.Parse("+"+digits, "")
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", ErrNumber
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// mainland reports whether a number has the shape of the mainland's mobile
// numbers: 11 digits that begin with 13 to 19 (source: its numbering plan). Ranges
// are opened there faster than a library learns of them, and who writes from one
// is somebody.
func mainland(e164 string) bool {
	return len(e164) == len("+8613800138000") && strings.HasPrefix(e164, "+861") && e164[4] >= '3'
}

// Book turns numbers into the chats that stand for them, and back.
type Book struct {
	Keys *privacy.Keys
	// Countries are the country codes ("86") whose mobile numbers may be
	// written to; the mainland alone where it is empty.
	Countries []string
}

// kind is the kind of the pseudonyms.
const kind = "phone"

// Validate returns an error that names a country code that is none.
func (b Book) Validate() error {
	for _, c := range b.Countries {
		n, err := strconv.Atoi(c)
		if err != nil || strconv.Itoa(n) != c || phonenumbers.GetRegionCodeForCountryCode(n) == phonenumbers.UNKNOWN_REGION {
			return fmt.Errorf("countries: %q is no country code: write them without plus, such as \"86\"", c)
		}
	}
	return nil
}

// Chat names the chat of a number.
func (b Book) Chat(e164 string) bots.ChatID { return bots.ChatID(b.Keys.Pseudonym(kind, e164)) }

// Sender reads who wrote, or to whom we wrote, as a carrier writes it.
func (b Book) Sender(written string) (bots.ChatID, bots.Identity, error) {
	number, err := E164(written)
	if err != nil {
		return "", bots.Identity{}, err
	}
	chat := b.Chat(number)
	return chat, bots.Identity{User: bots.UserID(chat), Trust: bots.TrustNone, Phone: number}, nil
}

// Person is the Sender behind a chat that Chat made.
func (b Book) Person(chat bots.ChatID) (bots.Identity, error) {
	number, err := b.Keys.OpenPseudonym(kind, string(chat))
	if err != nil {
		return bots.Identity{}, fmt.Errorf("open a chat: %w", err)
	}
	return bots.Identity{User: bots.UserID(chat), Trust: bots.TrustNone, Phone: number}, nil
}

// Number opens a chat to write to it. The error is a *bots.Error: rejected where
// the chat is not ours or its country is not allowed, gone where no text can
// reach such a number.
func (b Book) Number(chat bots.ChatID) (string, error) {
	number, err := b.Keys.OpenPseudonym(kind, string(chat))
	if err != nil {
		return "", wire.Refuse("the address has no phone number")
	}
	n, err := phonenumbers.Parse(number, "")
	if err != nil {
		return "", wire.Refuse("the address has no phone number")
	}
	allowed := b.Countries
	if len(allowed) == 0 {
		allowed = []string{"86"}
	}
	if !slices.Contains(allowed, strconv.Itoa(int(n.GetCountryCode()))) {
		return "", wire.Refuse("numbers with country code %d are not written to (countries of the channel)", n.GetCountryCode())
	}
	if mainland(number) {
		return number, nil
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
		return number, nil
	}
	return "", &bots.Error{Class: bots.ClassGone, Err: errors.New("the number is no mobile number: no text can reach it")}
}
