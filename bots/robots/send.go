package robots

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// Send posts m to the group. A picture is a message of its own and goes before
// the words; what comes of the words is what comes of the send. A second try has
// the words alone, where it is this process that showed the picture.
func (c *Channel) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if err := c.check(to, m); err != nil {
		return bots.Receipt{}, err
	}
	if shown := c.pictured.Load(); m.Photo != nil && (shown == nil || *shown != m.Key) {
		if err := c.post(ctx, wecomImage(m.Photo.Data)); err != nil {
			return bots.Receipt{}, err
		}
		c.pictured.Store(&m.Key)
	}
	if strings.TrimSpace(m.Text) != "" {
		if err := c.post(ctx, c.proto.text(m.Text)); err != nil {
			return bots.Receipt{}, err
		}
	}
	c.pictured.Store(nil)
	return bots.Receipt{ID: m.Key}, nil
}

// check refuses what Caps denies and what the network would refuse.
func (c *Channel) check(to bots.Address, m bots.Message) error {
	l := c.cfg.Limits
	switch {
	case to.Channel != c.cfg.ID || to.Chat != Chat:
		return wire.Refuse("the address belongs to another channel")
	case len(m.Choices) > 0:
		return wire.Refuse("robots have no buttons")
	case m.Photo == nil && strings.TrimSpace(m.Text) == "":
		return wire.Refuse("a message needs words or a picture")
	case !utf8.ValidString(m.Text) || len(m.Text) > l.MaxText:
		return wire.Refuse("text is not UTF-8 or longer than %d bytes", l.MaxText)
	case m.Photo != nil && l.PhotoOut == 0:
		return wire.Refuse("robots of %s show no pictures of ours", c.cfg.Brand)
	case m.Photo != nil && (len(m.Photo.Data) == 0 || len(m.Photo.Data) > l.PhotoOut):
		return wire.Refuse("picture of %d bytes, at most %d", len(m.Photo.Data), l.PhotoOut)
	}
	return nil
}

// message makes what is posted; Feishu signs it inside.
type message func(signature) any

// post makes one call and reads what it came to.
func (c *Channel) post(ctx context.Context, m message) error {
	s := c.cfg.Brand.sign(c.cfg.Secret.Reveal(), c.clock.Wall())
	body, err := json.Marshal(m(s))
	if err != nil {
		return wire.Refuse("the message cannot be written")
	}
	return c.call(ctx, http.MethodPost, s, body)
}

// call asks the robot's address once. Errors name no address: the key is in it.
func (c *Channel) call(ctx context.Context, method string, s signature, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, c.address(s), bytes.NewReader(body))
	if err != nil { // the error repeats the address
		return wire.Refuse("api_url is no address")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	status, raw, err := c.client.Call(req)
	if err != nil {
		return err
	}
	return c.answered(status, raw)
}

type content struct {
	Content string `json:"content"`
}

// dingtalkText is a text. Its signature stands in the address.
func dingtalkText(text string) message {
	return func(signature) any {
		return struct {
			Type string  `json:"msgtype"`
			Text content `json:"text"`
		}{"text", content{text}}
	}
}

// wecomText is the same; "<@" in it would call somebody by name.
func wecomText(text string) message { return dingtalkText(strings.ReplaceAll(text, "<@", "(@")) }

// wecomImage is a picture, JPEG or PNG.
func wecomImage(data []byte) message {
	sum := md5.Sum(data) // what WeCom asks for; it guards against nobody
	type image struct {
		Base64 string `json:"base64"`
		MD5    string `json:"md5"`
	}
	return func(signature) any {
		return struct {
			Type  string `json:"msgtype"`
			Image image  `json:"image"`
		}{"image", image{base64.StdEncoding.EncodeToString(data), hex.EncodeToString(sum[:])}}
	}
}

// feishuText is a post of plain pieces, a paragraph for each line: the type
// "text" would read tags in what people wrote.
func feishuText(text string) message {
	type piece struct {
		Tag  string `json:"tag"`
		Text string `json:"text"`
	}
	type page struct {
		Content [][]piece `json:"content"`
	}
	type post struct {
		Post map[string]page `json:"post"`
	}
	var p page
	for line := range strings.SplitSeq(text, "\n") {
		p.Content = append(p.Content, []piece{{"text", line}})
	}
	return func(s signature) any {
		return struct {
			Timestamp string `json:"timestamp,omitempty"`
			Sign      string `json:"sign,omitempty"`
			Type      string `json:"msg_type"`
			Content   post   `json:"content"`
		}{s.timestamp, s.sign, "post", post{map[string]page{"zh_cn": p}}}
	}
}
