package wechat

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // what WeChat asks for to name a file
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// Send sends a text, or a picture and the words below it. WeChat does not
// de-duplicate.
func (a *Adapter) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if err := a.refuse(to, m); err != nil {
		return bots.Receipt{}, err
	}
	s, err := a.loggedIn()
	if err != nil {
		return bots.Receipt{}, err
	}
	name, ok := s.nameOf(to.Chat)
	if !ok {
		return bots.Receipt{}, &bots.Error{Class: bots.ClassGone, Err: errors.New("a chat of an earlier login")}
	}
	var id string
	if m.Photo != nil {
		if id, err = s.sendPhoto(ctx, name, m.Photo); err != nil {
			return bots.Receipt{}, a.failed(err)
		}
	}
	if m.Text != "" {
		said, err := s.sendText(ctx, name, m.Text)
		switch {
		case err != nil && id != "":
			return bots.Receipt{}, &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("the picture went out, the words did not: %w", a.failed(err))}
		case err != nil:
			return bots.Receipt{}, a.failed(err)
		}
		id = said
	}
	return bots.Receipt{ID: id}, nil
}

// refuse says why a message is none that Caps allow.
func (a *Adapter) refuse(to bots.Address, m bots.Message) error {
	switch {
	case to.Channel != a.cfg.ID:
		return wire.Refuse("an address of another channel")
	case m.Text == "" && m.Photo == nil:
		return wire.Refuse("an empty message")
	case !utf8.ValidString(m.Text):
		return wire.Refuse("a text that is not UTF-8")
	case len(m.Text) > a.limits.MaxText:
		return wire.Refuse("a text of %d bytes, at most %d", len(m.Text), a.limits.MaxText)
	case len(m.Choices) > 0:
		return wire.Refuse("choices, which WeChat has not")
	case m.Extension != "":
		return wire.Refuse("an extension, which WeChat has not")
	case m.Photo != nil && (len(m.Photo.Data) == 0 || len(m.Photo.Data) > a.limits.MaxPhotoOut):
		return wire.Refuse("a picture of %d bytes, at most %d", len(m.Photo.Data), a.limits.MaxPhotoOut)
	}
	return nil
}

// loggedIn is the login that sends now.
func (a *Adapter) loggedIn() (*session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.session != nil:
		return a.session, nil
	case a.standing.State == bots.StandingStarting:
		return nil, &bots.Error{Class: bots.ClassTemporary, Err: errors.New("the account is being brought up")}
	}
	return nil, &bots.Error{Class: bots.ClassLoggedOut, Err: errors.New("nobody is logged in: scan the code with the account's phone")}
}

func (s *session) sendText(ctx context.Context, to, words string) (string, error) {
	sent, err := s.caller.WebWxSendMsg(ctx, &openwechat.CallerWebWxSendMsgOptions{
		LoginInfo: s.info, BaseRequest: s.request, Message: openwechat.NewTextSendMessage(words, s.self.UserName, to),
	})
	if err != nil {
		return "", err
	}
	return named(sent.MsgId)
}

// sendPhoto uploads a picture from memory; the library's own way writes it to disk.
func (s *session) sendPhoto(ctx context.Context, to string, p *bots.Photo) (string, error) {
	sum := md5.Sum(p.Data) //nolint:gosec // see above
	name, _ := p.File()
	resp, err := s.caller.Client.WebWxUploadMediaByChunk(ctx, bytes.NewReader(p.Data), &openwechat.ClientWebWxUploadMediaByChunkOptions{
		FromUserName: s.self.UserName, ToUserName: to, BaseRequest: s.request, LoginInfo: s.info,
		Filename: name, FileMD5: hex.EncodeToString(sum[:]), FileSize: int64(len(p.Data)),
	})
	if err != nil {
		return "", notSent(err)
	}
	var up openwechat.UploadResponse
	err = json.NewDecoder(resp.Body).Decode(&up)
	_ = resp.Body.Close()
	switch {
	case err != nil:
		return "", notSent(err)
	case up.BaseResponse.Err() != nil:
		return "", notSent(up.BaseResponse.Err())
	case up.MediaId == "":
		return "", notSent(errors.New("the upload has no id"))
	}
	resp, err = s.caller.Client.WebWxSendMsgImg(ctx, &openwechat.ClientWebWxSendMsgOptions{
		LoginInfo: s.info, BaseRequest: s.request,
		Message: openwechat.NewMediaSendMessage(openwechat.MsgTypeImage, s.self.UserName, to, up.MediaId),
	})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer := openwechat.MessageResponseParser{Reader: resp.Body}
	id, err := answer.MsgID()
	if err != nil {
		return "", err
	}
	return named(id)
}

// notSent says of an upload that failed, in whatever way, that nobody was shown it.
// A wrong parameter there is one of the upload and says nothing of the receiver.
func notSent(err error) error {
	if ret := openwechat.Ret(0); errors.As(err, &ret) && ret != retParam {
		return err
	}
	return &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("the upload failed: %w", because(err))}
}

// named refuses a success without an id: it is no answer of WeChat.
func named(id string) (string, error) {
	if id == "" {
		return "", errors.New("the answer names no message")
	}
	return id, nil
}

// What File.Key begins with.
const (
	imageKey = "image/"
	voiceKey = "voice/"
)

// Fetch opens a picture or a recording. It works while a login lives, and only
// where Run runs.
func (a *Adapter) Fetch(ctx context.Context, f bots.File) (io.ReadCloser, error) {
	kind, id, ok := strings.Cut(f.Key, "/")
	if kind += "/"; !ok || id == "" || kind != imageKey && kind != voiceKey {
		return nil, wire.Refuse("no key of a file of WeChat")
	}
	s, err := a.loggedIn()
	if err != nil {
		return nil, err
	}
	get := s.caller.Client.WebWxGetMsgImg
	if kind == voiceKey {
		get = s.caller.Client.WebWxGetVoice
	}
	resp, err := get(ctx, &openwechat.Message{MsgId: id}, s.info)
	if err != nil {
		return nil, a.failed(err)
	}
	return file(resp)
}

// file is the body of an answer that is a file. WeChat answers 200 with nothing, or
// with words, for one that it has no more.
func file(resp *http.Response) (io.ReadCloser, error) {
	begin := make([]byte, 1)
	_, err := io.ReadFull(resp.Body, begin)
	kind := resp.Header.Get("Content-Type")
	if err == nil && !strings.HasPrefix(kind, "text/") && !strings.HasPrefix(kind, "application/json") {
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(begin), resp.Body), resp.Body}, nil
	}
	_ = resp.Body.Close()
	if of := new(bots.Error); errors.As(err, &of) {
		return nil, of
	}
	return nil, &bots.Error{Class: bots.ClassGone, Err: errors.New("WeChat no longer has the file")}
}
