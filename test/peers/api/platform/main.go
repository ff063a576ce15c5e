// Command platform files, follows, supervises and closes a ticket by the API alone.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

// call sends a request with the token of one of our desks and returns the answer.
func call(desk, method, path, body string) (answer map[string]any) {
	req, err := http.NewRequest(method, os.Getenv("SHAOYING")+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv(desk))
	req.Header.Set("Idempotency-Key", desk+path)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode > 299 {
		log.Fatal(path, err, answer)
	}
	return answer
}

func main() {
	report := `{"words": "昌盛小区3栋路灯不亮", "place": {"text": "昌盛小区"}, "reporter": {"phone": "13800138000"}}`
	at := "/tickets/" + call("CLERK", "POST", "/tickets", report)["number"].(string)
	call("SUPERVISOR", "POST", at+"/commands/supervise", `{"reason": "media"}`)
	call("UNIT", "POST", at+"/commands/take", `{}`)
	call("UNIT", "POST", at+"/commands/answer_supervision", `{"words": "已派人处理，今天修好"}`)
	call("UNIT", "POST", at+"/commands/finish", `{"result": "resolved", "reply": "路灯已修好"}`)
	call("CALLBACK", "POST", at+"/commands/callback_result", `{"solved": "yes", "satisfied": "satisfied"}`)
	fmt.Println(call("CLERK", "GET", at, "")["state"], call("CLERK", "GET", at+"/events", "")["items"])
}
