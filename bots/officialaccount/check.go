package officialaccount

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"shaoying/bots"
	"shaoying/bots/weixin"
	"shaoying/bots/wire"
)

// check is one look at an account.
type check struct {
	*Channel
	client *weixin.Client
	found  []bots.Finding
}

func (k *check) wrong(format string, args ...any) {
	k.found = append(k.found, bots.Finding{Wrong: true, What: fmt.Sprintf(format, args...)})
}

func (k *check) note(format string, args ...any) {
	k.found = append(k.found, bots.Finding{What: fmt.Sprintf(format, args...)})
}

// Check asks WeChat how the account stands. The token of the owner is left alone:
// whoever asks for the stable one gets the same.
func (c *Channel) Check(ctx context.Context) []bots.Finding {
	k := &check{Channel: c}
	var err error
	if k.client, err = c.newClient(); err != nil {
		k.wrong("%v", err)
		return k.found
	}
	defer k.client.Close()
	if err := k.client.Probe(ctx); err != nil {
		k.wrong("%s", explain(err))
		return k.found
	}
	k.note("app_id and AppSecret are right, and this machine is on the IP white list")
	if !c.crypt.Sealed() {
		k.note("messages come in plain mode: set the account to safe mode, and aes_key_env")
	}
	k.rights(ctx)
	k.menu(ctx)
	k.notices(ctx)
	k.note("whether WeChat reaches this program shows when somebody writes to the account")
	return k.found
}

// explain says in plain words what is wrong and what to do.
func explain(err error) string {
	switch weixin.CodeOf(err) {
	case codeNotListed:
		if addr := addressIn(err.Error()); addr != "" {
			return fmt.Sprintf("WeChat saw this machine as %s, which is not on the account's IP white list: add it on the account's page, basic configuration", addr)
		}
		return "the address of this machine is not on the account's IP white list: add it on the account's page, basic configuration"
	case codeSecret, codeToken:
		return "the AppSecret is wrong: copy it anew; resetting it on the account's page makes the old one useless everywhere"
	case codeAppID:
		return "the app_id is wrong: copy it from the account's page, basic configuration"
	case codeFrozen:
		return "the AppSecret was frozen: thaw it on the account's page, basic configuration"
	case codeNoRight:
		return "the account has no right to this call: a certified service account has it, or the right was not applied for (account's page, interface permissions)"
	case codeBanned:
		return "WeChat has banned this call for irregularities: see the notice on the account's page"
	}
	return fmt.Sprintf("WeChat cannot be asked: %v", err)
}

// codeToken is also the answer to a wrong AppSecret.
const codeToken = 40001

var addresses = regexp.MustCompile(`[0-9a-fA-F:.]{3,}`)

// addressIn is the first IP address in a text.
func addressIn(text string) string {
	for _, s := range addresses.FindAllString(text, -1) {
		if addr, err := netip.ParseAddr(strings.Trim(s, ".:")); err == nil {
			return addr.Unmap().String()
		}
	}
	return ""
}

// rights asks to write to nobody: an account that may write is told that there is
// no such user.
func (k *check) rights(ctx context.Context) {
	err := k.client.Post(ctx, "/cgi-bin/message/custom/send", customer{To: "nobody", Type: "text", Text: &content{"."}}, nil)
	switch weixin.CodeOf(err) {
	case codeNoRight, codeBanned:
		k.wrong("residents cannot be answered: customer messages: %s", explain(err))
	}
}

// menu says what the taps of the menu will say.
func (k *check) menu(ctx context.Context) {
	type button struct {
		Type, Name, Key string
	}
	var got struct {
		Open int `json:"is_menu_open"`
		Info struct {
			Buttons []struct {
				button
				Sub struct {
					List []button `json:"list"`
				} `json:"sub_button"`
			} `json:"button"`
		} `json:"selfmenu_info"`
	}
	if err := k.client.Get(ctx, "/cgi-bin/get_current_selfmenu_info", nil, &got); err != nil {
		k.note("the menu cannot be looked at: %v", err)
		return
	}
	var words []string
	for _, b := range got.Info.Buttons {
		for _, one := range append([]button{b.button}, b.Sub.List...) {
			if one.Type == "click" {
				words = append(words, fmt.Sprintf("%s says %q", one.Name, one.Key))
			}
		}
	}
	switch {
	case got.Open == 0 || len(got.Info.Buttons) == 0:
		k.note("the account has no menu")
	case len(words) == 0:
		k.note("no item of the menu says anything to this program (type click)")
	default:
		k.note("a tap on the menu: %s", strings.Join(words, ", "))
	}
}

// template is an approved template as WeChat lists it.
type template struct {
	ID      string `json:"template_id"`
	Private string `json:"priTmplId"`
	Content string `json:"content"`
}

// kinds says where WeChat lists the templates of each kind.
var kinds = map[string]string{
	NoticeTemplate: "/cgi-bin/template/get_all_private_template", NoticeSubscribe: "/wxaapi/newtmpl/gettemplate",
}

var fieldIn = regexp.MustCompile(`\{\{\s*([a-z_]+[0-9]*)\.DATA\s*\}\}`)

// notices compares the configured templates with those of the account.
func (k *check) notices(ctx context.Context) {
	if len(k.cfg.Notices) == 0 {
		k.note("there are no notices: 48 hours after a resident's last words nothing reaches them here, and the next address is tried")
		return
	}
	lists := map[string]map[string]string{} // kind: template: content
	for _, name := range slices.Sorted(maps.Keys(k.cfg.Notices)) {
		n := k.cfg.Notices[name]
		list, asked := lists[n.Kind]
		if !asked {
			var err error
			if list, err = k.templates(ctx, kinds[n.Kind]); err != nil {
				k.wrong("the templates of kind %s cannot be looked at: %s", n.Kind, explain(err))
			}
			lists[n.Kind] = list
		}
		if list == nil {
			continue
		}
		content, ok := list[n.ID]
		if !ok {
			k.wrong("the account has no template %s (notices: %s): copy the template_id from the account's page; one that was deleted has to be chosen again", wire.Plain(n.ID), name)
			continue
		}
		k.fields(name, n, content)
	}
}

func (k *check) templates(ctx context.Context, path string) (map[string]string, error) {
	var got struct {
		Templates []template `json:"template_list"`
		Data      []template `json:"data"`
	}
	if err := k.client.Get(ctx, path, nil, &got); err != nil {
		return nil, err
	}
	list := map[string]string{}
	for _, t := range append(got.Templates, got.Data...) {
		list[t.ID+t.Private] = t.Content
	}
	return list, nil
}

// fields compares the fields of a template with those that are filled.
func (k *check) fields(name string, n Notice, content string) {
	has := map[string]bool{}
	for _, m := range fieldIn.FindAllStringSubmatch(content, -1) {
		has[m[1]] = true
		if _, ok := n.Fields[m[1]]; !ok {
			k.wrong("notices: %s: the template has a field %s that is not filled", name, m[1])
		}
	}
	for _, field := range slices.Sorted(maps.Keys(n.Fields)) {
		if !has[field] {
			k.wrong("notices: %s: the template has no field %s", name, field)
		}
	}
}
