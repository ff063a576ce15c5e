package telegram

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"shaoying/bots"
)

func chatID(id int64) bots.ChatID { return bots.ChatID(strconv.FormatInt(id, 10)) }

// photoMark stands before the number of a message with a photo in a
// Receipt.ID, because such a one is edited by another call.
const photoMark = "p"

func receiptID(message int64, photo bool) string {
	id := strconv.FormatInt(message, 10)
	if photo {
		return photoMark + id
	}
	return id
}

// messageID reads a Receipt.ID; 0 is none.
func messageID(receipt string) (id int, photo bool) {
	number, photo := strings.CutPrefix(receipt, photoMark)
	id, err := strconv.Atoi(number)
	if err != nil || id < 0 {
		return 0, false
	}
	return id, photo
}

// Send shows m to the chat. No markup is asked for and no page is looked up, so
// words are shown as they are.
//
// A photo carries the words as its caption. Words too long for one follow the
// photo as a message of their own, and what comes of them is what comes of the
// send: a second try shows the photo again, which costs less than words that
// are missing.
func (a *account) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	chat, err := a.check(to, m)
	if err != nil {
		return bots.Receipt{}, err
	}
	if m.Photo == nil {
		return a.sendText(ctx, chat, m)
	}
	if units(m.Text) <= a.cfg.Limits.MaxCaption {
		return a.sendPhoto(ctx, chat, m)
	}
	if _, err := a.sendPhoto(ctx, chat, bots.Message{Photo: m.Photo, ReplyTo: m.ReplyTo}); err != nil {
		return bots.Receipt{}, err
	}
	return a.sendText(ctx, chat, m)
}

func (a *account) sendText(ctx context.Context, chat int64, m bots.Message) (bots.Receipt, error) {
	p := &bot.SendMessageParams{
		ChatID: chat, Text: m.Text, LinkPreviewOptions: noPreview(), ReplyParameters: replyTo(m.ReplyTo), ReplyMarkup: keyboard(m.Choices),
	}
	sent, err := a.bot.SendMessage(ctx, p)
	if err != nil {
		return bots.Receipt{}, failed("sendMessage", err)
	}
	return bots.Receipt{ID: receiptID(int64(sent.ID), false)}, nil
}

func (a *account) sendPhoto(ctx context.Context, chat int64, m bots.Message) (bots.Receipt, error) {
	name, _ := m.Photo.File()
	p := &bot.SendPhotoParams{
		ChatID: chat, Photo: &models.InputFileUpload{Filename: name, Data: bytes.NewReader(m.Photo.Data)},
		Caption: m.Text, ReplyParameters: replyTo(m.ReplyTo), ReplyMarkup: keyboard(m.Choices),
	}
	sent, err := a.bot.SendPhoto(ctx, p)
	if err != nil {
		return bots.Receipt{}, failed("sendPhoto", err)
	}
	return bots.Receipt{ID: receiptID(int64(sent.ID), true)}, nil
}

// Edit changes words and buttons of a message that was sent; a photo stays.
// Saying again what is there is success.
func (a *account) Edit(ctx context.Context, to bots.Address, r bots.Receipt, m bots.Message) error {
	m.Photo = nil
	chat, err := a.check(to, m)
	if err != nil {
		return err
	}
	id, photo := messageID(r.ID)
	if id == 0 {
		return refuse("receipt %q is not of this channel", plain(r.ID))
	}
	if photo {
		if units(m.Text) > a.cfg.Limits.MaxCaption {
			return refuse("the words under a photo are longer than %d", a.cfg.Limits.MaxCaption)
		}
		_, err = a.bot.EditMessageCaption(ctx, &bot.EditMessageCaptionParams{
			ChatID: chat, MessageID: id, Caption: m.Text, ReplyMarkup: keyboard(m.Choices),
		})
		return edited("editMessageCaption", err)
	}
	_, err = a.bot.EditMessageText(ctx, &bot.EditMessageTextParams{
		ChatID: chat, MessageID: id, Text: m.Text, LinkPreviewOptions: noPreview(), ReplyMarkup: keyboard(m.Choices),
	})
	return edited("editMessageText", err)
}

func edited(method string, err error) error {
	var said *apiError
	if err == nil || errors.As(err, &said) && said.says("message is not modified") {
		return nil
	}
	return failed(method, err)
}

// check refuses what Caps denies and what Telegram would refuse, and returns
// the chat's number.
func (a *account) check(to bots.Address, m bots.Message) (int64, error) {
	l := a.cfg.Limits
	chat, err := strconv.ParseInt(string(to.Chat), 10, 64)
	switch {
	case to.Channel != a.cfg.ID:
		return 0, refuse("the address belongs to another channel")
	case err != nil || chat == 0:
		return 0, refuse("the address has no chat of Telegram")
	case m.Photo == nil && strings.TrimSpace(m.Text) == "":
		return 0, refuse("a message needs words or a photo")
	case !utf8.ValidString(m.Text) || units(m.Text) > l.MaxText:
		return 0, refuse("text is not UTF-8 or longer than %d UTF-16 units", l.MaxText)
	case len(m.Choices) > l.MaxChoices:
		return 0, refuse("%d choices, at most %d", len(m.Choices), l.MaxChoices)
	case m.Photo != nil && (len(m.Photo.Data) == 0 || len(m.Photo.Data) > l.MaxPhotoOut):
		return 0, refuse("photo of %d bytes, at most %d", len(m.Photo.Data), l.MaxPhotoOut)
	}
	for _, c := range m.Choices {
		if strings.TrimSpace(c.Label) == "" || !utf8.ValidString(c.Label) || c.Data == "" || len(c.Data) > choiceBytes {
			return 0, refuse("a choice needs a label and 1 to %d bytes of data", choiceBytes)
		}
	}
	return chat, nil
}

// units is a length as Telegram counts it.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

func noPreview() *models.LinkPreviewOptions {
	return &models.LinkPreviewOptions{IsDisabled: bot.True()}
}

// replyTo answers a message, or goes out alone when that is not there any more.
func replyTo(receipt string) *models.ReplyParameters {
	id, _ := messageID(receipt)
	if id == 0 {
		return nil
	}
	return &models.ReplyParameters{MessageID: id, AllowSendingWithoutReply: true}
}

// shortLabel is how wide a label may be, in halves of a Chinese character, so
// that two of them stand side by side on a narrow phone in large letters.
const shortLabel = 12

// keyboard puts one button into a row, or two where all of them are short.
func keyboard(choices []bots.Choice) models.ReplyMarkup {
	if len(choices) == 0 {
		return nil
	}
	perRow := 2
	for _, c := range choices {
		if width(c.Label) > shortLabel {
			perRow = 1
		}
	}
	var rows [][]models.InlineKeyboardButton
	for i, c := range choices {
		if i%perRow == 0 {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], models.InlineKeyboardButton{Text: c.Label, CallbackData: c.Data})
	}
	return &models.InlineKeyboardMarkup{InlineKeyboard: rows}
}

// width counts Chinese and other wide characters twice.
func width(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 {
			n++
		}
	}
	return n
}
