package smsfake

import (
	"net/http"
	"strings"

	"shaoying/bots/botstest"
)

// Forgeries are requests to pushes that a token guards: path is one that an
// honest push goes to, with TOKEN where the token stands.
func Forgeries(token, method, path, body string) []botstest.Forgery {
	forge := func(name, method, token, body string, headers ...string) botstest.Forgery {
		return botstest.Forgery{Name: name, Make: func(url string) (*http.Request, error) {
			req, err := http.NewRequest(method, url+strings.ReplaceAll(path, "TOKEN", token), strings.NewReader(body))
			if err != nil {
				return nil, err
			}
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			return req, nil
		}}
	}
	other := http.MethodGet
	if method == http.MethodGet {
		other = http.MethodPost
	}
	return []botstest.Forgery{
		forge("no token", method, "", body),
		forge("another token", method, strings.Repeat("x", len(token)), body),
		forge("a shorter token", method, token[:len(token)-1], body),
		forge("a longer token", method, token+"a", body),
		forge("half of it", method, token[:len(token)/2], body),
		forge("in capitals", method, strings.ToUpper(token), body),
		forge("in front of something", method, token+"/x", body),
		forge("behind something", method, "x/"+token, body),
		forge("in a header", method, "x", body, "Authorization", "Bearer "+token),
		forge("in a cookie", method, "x", body, "Cookie", "token="+token),
		forge("in the body", method, "x", token),
		forge("the wrong method", other, token, body),
		forge("the wrong method without a token", http.MethodDelete, "x", body),
		forge("far too large", http.MethodPost, token, strings.Repeat("x", 10<<20)),
		forge("far too large without a token", http.MethodPost, "x", strings.Repeat("x", 10<<20)),
	}
}
