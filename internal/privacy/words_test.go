package privacy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Promise P3: where others read along, the words keep what is wrong and lose
// who says so.
func TestMaskWords(t *testing.T) {
	for in, want := range map[string]string{
		"昌盛小区3栋2单元501漏水，电话13812345678":     "昌盛小区3栋***漏水，电话***",
		"3栋501室的下水堵了":                      "3栋***的下水堵了",
		"2单元１２０３室没有灯":                      "2单元***没有灯",
		"我住3-2-501，楼道灯坏了":                  "我住***，楼道灯坏了",
		"我叫张小三，打0799-6331234":              "我叫***，打***",
		"身份证360302199001011234，邮箱a.b@c.cn": "身份证***，邮箱***",
		"井盖松动，第3栋前面2米":                     "井盖松动，第3栋前面2米",
		"垃圾堆了半个月":                          "垃圾堆了半个月",
		"":                                 "",
	} {
		if got := MaskWords(in); got != want {
			t.Errorf("MaskWords(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNoPhoneStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phone := rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(t, "phone")
		before := rapid.StringOfN(rapid.RuneFrom([]rune("打电话找我， 号")), 0, 5, -1).Draw(t, "before")
		after := rapid.StringOfN(rapid.RuneFrom([]rune("谢谢，快来。")), 0, 5, -1).Draw(t, "after")
		if got := MaskWords(before + phone + after); strings.Contains(got, phone[3:]) {
			t.Fatalf("%q still holds %s", got, phone)
		}
	})
}
